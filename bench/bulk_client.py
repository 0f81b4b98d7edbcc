"""One sender of bulk observations; bench/bulk_http.py starts several. Not a benchmark itself.

It keeps one connection and sends message after message, each made anew: times and values move on.
"""

import argparse
import http.client
import json
import time
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

ATTRIBUTES = ("pm25", "pm10", "temperature", "relativeHumidity", "no2")
MEDIA = {
    "arrow": "application/vnd.apache.arrow.stream",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
}


class Messages:
    """Every series of the sender's stations in turn, round after round one second apart."""

    def __init__(self, form: str, rows: int, stations: int, client: int) -> None:
        self._form = form
        series = np.arange(rows) % (stations * len(ATTRIBUTES))
        self._round = np.arange(rows) // (stations * len(ATTRIBUTES))
        self._entity = pa.DictionaryArray.from_arrays(
            pa.array(series // len(ATTRIBUTES), pa.int32()),
            pa.array([f"urn:ngsi-ld:AirQualityObserved:c{client}-{i}" for i in range(stations)]),
        )
        self._attribute = pa.DictionaryArray.from_arrays(
            pa.array(series % len(ATTRIBUTES), pa.int32()), pa.array(ATTRIBUTES)
        )
        self._heads = [
            f'{{"entity":"{e}","attribute":"{a}","value":'
            for e, a in zip(self._entity.to_pylist(), self._attribute.to_pylist(), strict=True)
        ]
        self._random = np.random.default_rng(client)
        # Far enough back that no time lies in the future at any rate of sending.
        self._next_s = int(time.time()) - 30 * 86_400

    def make(self) -> bytes:
        """The next message."""
        seconds = self._next_s + self._round
        self._next_s = int(seconds[-1]) + 1
        numbers = np.round(self._random.gamma(2.0, 12.0, len(seconds)), 2)
        if self._form == "arrow":
            return self._arrow(seconds, numbers)
        texts = np.datetime_as_string(seconds.astype("datetime64[s]"), timezone="UTC").tolist()
        rows = [
            f'{head}{number},"observedAt":"{text}"}}'
            for head, number, text in zip(self._heads, numbers.tolist(), texts, strict=True)
        ]
        return f"[{','.join(rows)}]".encode() if self._form == "json" else "\n".join(rows).encode()

    def _arrow(self, seconds: Any, numbers: Any) -> bytes:
        times = pa.array(seconds * 1_000_000).cast(pa.timestamp("us", "UTC"))
        table = pa.table(
            [self._entity, self._attribute, numbers, times],
            ["entity", "attribute", "number", "observed_at"],
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue())


class Sender:
    """Sends and counts."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._connection = http.client.HTTPConnection("127.0.0.1", options.port, timeout=120)
        self._headers = {
            "authorization": f"Bearer {options.token}",
            "content-type": MEDIA[options.format],
        }
        self.latency_s: list[float] = []
        self.stored = self.sent_bytes = self.retries = 0

    def send(self, body: bytes) -> None:
        """One message, until it is committed; the time counts from the first try."""
        self.sent_bytes += len(body)
        began_s = time.perf_counter()
        while True:
            self._connection.request("POST", "/api/v1/observations", body, self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
            if answer.status not in (429, 503):
                break
            self.retries += 1
            time.sleep(float(answer.headers["retry-after"]))
        self.latency_s.append(time.perf_counter() - began_s)
        if answer.status != 200 or json.loads(text)["stored"] != self._options.rows:
            raise RuntimeError(f"{answer.status}: {text[:1000]!r}")
        self.stored += self._options.rows


def main() -> None:
    """Print the counts as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--format", choices=sorted(MEDIA), required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--stations", type=int, required=True)
    parser.add_argument("--client", type=int, required=True)
    options = parser.parse_args()
    messages = Messages(options.format, options.rows, options.stations, options.client)
    sender = Sender(options)
    began_s = time.monotonic()
    while time.monotonic() - began_s < options.seconds:
        sender.send(messages.make())
    cpu = psutil.Process().cpu_times()
    counts = {
        "stored": sender.stored,
        "sent_bytes": sender.sent_bytes,
        "retries": sender.retries,
        "latency_s": sender.latency_s,
        "took_s": time.monotonic() - began_s,
        "cpu_s": cpu.user + cpu.system,
    }
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
