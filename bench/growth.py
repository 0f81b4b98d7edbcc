"""Cost per observation while the store grows from nothing to 100 million: it has to stay flat.

One server takes observations through POST /api/v1/observations until the total is reached; what
leaves the hot window moves to the lake meanwhile. Reported per stage: rate, processor time of the
server per observation (sealing and upkeep included), latency, and one question to the history.

    uv run dothi bench growth -- --total 100e6
"""

import argparse
import json
import sys
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))

from bulk_client import ATTRIBUTES, Messages, Sender
from percentiles import percentiles_ms
from served import Served, served

_ROWS = 20_000
_STATIONS = 1_000
_CLIENTS = 2
_SETTINGS = '[access]\nmode = "open"\n'


def run(arguments: list[str]) -> dict[str, object]:
    """Stages end at 1, 2, 5, 10 … million observations in all."""
    parser = argparse.ArgumentParser(prog="dothi bench growth")
    parser.add_argument("--total", type=float, default=100e6)
    options = parser.parse_args(arguments)
    ends = [m * 10**e for e in range(6, 12) for m in (1, 2, 5) if m * 10**e <= options.total]
    with served(_SETTINGS) as server:
        senders = [_Client(server, number) for number in range(_CLIENTS)]
        stages = []
        stored = 0
        for end in ends:
            stages.append(_stage(server, senders, end - stored))
            stored = end
            print(json.dumps(stages[-1]), file=sys.stderr, flush=True)
        return {"series": _CLIENTS * _STATIONS * len(ATTRIBUTES), "stages": stages}


class _Client:
    """One sender that goes on where it stopped."""

    def __init__(self, server: Served, number: int) -> None:
        options = argparse.Namespace(
            port=server.port, token=server.token, format="arrow", rows=_ROWS
        )
        self.sender = Sender(options)
        self.messages = Messages("arrow", _ROWS, _STATIONS, number)

    def send(self, count: int) -> list[float]:
        """So many messages; the latency of each."""
        self.sender.latency_s = []
        for _ in range(count):
            self.sender.send(self.messages.make())
        return self.sender.latency_s


def _stage(server: Served, clients: list[_Client], rows: int) -> dict[str, Any]:
    before_s, began_s = server.cpu_s(), time.monotonic()
    each = rows // _ROWS // len(clients)
    with ThreadPoolExecutor(len(clients)) as pool:
        latency_s = [s for found in pool.map(lambda c: c.send(each), clients) for s in found]
    took_s = time.monotonic() - began_s
    sent = each * _ROWS * len(clients)
    return {
        "observations": sent,
        "per_s": round(sent / took_s),
        "server_cpu_us_per_observation": round((server.cpu_s() - before_s) / sent * 1e6, 2),
        "latency": percentiles_ms(latency_s),
        "last_100_of_a_series_ms": _question_ms(server),
        "measures": _measures(server),
        **server.figures(),
    }


def _question_ms(server: Served) -> float:
    """Best of five: the newest 100 values of one series."""
    key = f"urn:ngsi-ld:AirQualityObserved:c0-7|{ATTRIBUTES[0]}"
    query = urllib.parse.urlencode({"key": key, "last_n": 100})
    took = []
    for _ in range(5):
        began_s = time.perf_counter()
        with urllib.request.urlopen(
            f"http://127.0.0.1:{server.port}/api/v1/series?{query}"
        ) as answer:
            answer.read()
        took.append(time.perf_counter() - began_s)
    return round(min(took) * 1000, 1)


def _measures(server: Served) -> dict[str, float]:
    """Where the rows stand."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    wanted = ("dothi_hot_rows", "dothi_lake_rows", "dothi_lake_files")
    return {k: float(v) for k, _, v in (line.partition(" ") for line in lines) if k in wanted}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
