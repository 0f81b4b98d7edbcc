"""NGSI-LD requests per second over a store of 100,000 entities, durable before acknowledged.

One server process, one process that sends over 32 connections, on the same machine. Entities have
ten attributes and 2 kB.

    uv run dothi bench ngsi_ld -- --entities 100000 --seconds 15
"""

import argparse
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))

from ngsi_requests import entity, series_rows
from served import Served, served

_INSTANCES = 10_000
_AHEAD = {"upsert": 1_000_000, "create": 50_000}
"""So many requests are made before the clock runs: a body costs the client 60 µs an entity."""
_SETTINGS = '[access]\nmode = "open"\n[pipeline]\nentity_cache_mb = 256\n'


def run(arguments: list[str]) -> dict[str, object]:
    """Fill the store, then one kind of request after the other."""
    parser = argparse.ArgumentParser(prog="dothi bench ngsi_ld")
    parser.add_argument("--entities", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args(arguments)
    count = options.entities
    found: dict[str, object] = {
        "entity_bytes": len(json.dumps(entity(1), ensure_ascii=False).encode())
    }
    with served(_SETTINGS) as server:
        fill = {"size": 100, "first": 0, "end": count}
        _send_series(server)
        found["fill"] = measure(server, "upsert", fill, clients=4, seconds=3600, per_request=100)
        kinds: list[tuple[str, str, dict[str, Any], int]] = [
            ("upsert_100", "upsert", {"size": 100, "first": 0, "end": count, "round": 1}, 100),
            ("create", "create", {"first": count}, 1),
            ("patch_attribute", "patch", {"entities": count}, 1),
            ("get_each_once", "get_each", {"entities": count}, 1),
            ("get_by_id", "get", {"entities": count}, 1),
            ("query_type_limit_20", "query_type", {}, 1),
            ("query_two_conditions", "query_q", {"entities": count}, 1),
            ("page_at_0", "page", {"offset": 0}, 1),
            (f"page_at_{count - 20}", "page", {"offset": count - 20}, 1),
            (f"aggregate_{_INSTANCES}_instances", "aggregate", {}, 1),
        ]
        for label, name, made, size in kinds:
            if not options.only or label in options.only:
                clients = 4 if size > 1 else 32
                clients = 1 if name == "aggregate" else clients
                seconds = 3600 if name == "get_each" else options.seconds
                found[label] = measure(
                    server, name, made, clients=clients, seconds=seconds, per_request=size
                )
        found["server"] = server.figures()
    return found


def _send_series(server: Served) -> None:
    """The history that is aggregated."""
    url = f"http://127.0.0.1:{server.port}/api/v1/observations"
    head = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(url, series_rows(_INSTANCES), head)
    with urllib.request.urlopen(request, timeout=60) as answer:
        stored = json.load(answer)["stored"]
    if stored != _INSTANCES:
        raise RuntimeError(f"{stored} of {_INSTANCES} instances are stored")


def measure(
    server: Served,
    name: str,
    made: dict[str, Any],
    *,
    clients: int,
    seconds: float,
    per_request: int = 1,
) -> dict[str, Any]:
    """One kind of requests for some seconds; raises RuntimeError when one fails."""
    command = [sys.executable, str(Path(__file__).with_name("http_load.py"))]
    command += ["--port", str(server.port), "--module", "ngsi_requests", "--name", name]
    command += ["--options", json.dumps(made), "--clients", str(clients)]
    command += ["--seconds", str(seconds), "--ahead", str(_AHEAD.get(name, 0))]
    before_s = server.cpu_s()
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    report = json.loads(output)
    answered = report["answered"]
    bad = {s: n for s, n in report["statuses"].items() if not s.startswith("2")}
    if bad:
        raise RuntimeError(f"{name}: {bad}; the last answer: {report['last']}")
    done = {
        "per_s": round(answered * per_request / report["took_s"]),
        "requests": answered,
        "latency": report["latency"],
        "server_cpu_us_per_request": round((server.cpu_s() - before_s) / answered * 1e6),
        "client_cpu_us_per_request": round(report["client_cpu_s"] / answered * 1e6),
    }
    print(name, json.dumps(done), file=sys.stderr, flush=True)
    return done


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
