"""Observations per second through POST /api/v1/observations, committed before the answer.

A real server process, and clients in processes of their own on the same machine.

    uv run dothi bench bulk_http -- --seconds 60 --format arrow --format ndjson
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))

from bulk_client import ATTRIBUTES, MEDIA
from percentiles import percentiles_ms
from served import Served, served


def measure(server: Served, form: str, options: argparse.Namespace) -> dict[str, Any]:
    """One format against a server."""
    command = [sys.executable, str(Path(__file__).with_name("bulk_client.py"))]
    command += ["--port", str(server.port), f"--token={server.token}", "--format", form]
    command += ["--seconds", str(options.seconds), "--rows", str(options.rows)]
    command += ["--stations", str(options.stations), "--client"]
    before_s = server.cpu_s()
    clients = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True)
        for number in range(options.clients)
    ]
    reports = [json.loads(process.communicate()[0] or "{}") for process in clients]
    if any(process.returncode for process in clients):
        raise RuntimeError("a client failed; its error stands above")
    stored = sum(r["stored"] for r in reports)
    return {
        "observations_per_s": round(sum(r["stored"] / r["took_s"] for r in reports)),
        "stored": stored,
        "messages": sum(len(r["latency_s"]) for r in reports),
        "rows_per_message": options.rows,
        "clients": options.clients,
        "series": options.clients * options.stations * len(ATTRIBUTES),
        "retries": sum(r["retries"] for r in reports),
        "bytes_sent_per_observation": round(sum(r["sent_bytes"] for r in reports) / stored, 1),
        "latency": percentiles_ms([latency for r in reports for latency in r["latency_s"]]),
        "server_cpu_us_per_observation": round((server.cpu_s() - before_s) / stored * 1e6, 2),
        "client_cpu_us_per_observation": round(sum(r["cpu_s"] for r in reports) / stored * 1e6, 2),
        **server.figures(),
    }


def run(arguments: list[str]) -> dict[str, object]:
    """The formats one after the other, each on a fresh server."""
    parser = argparse.ArgumentParser(prog="dothi bench bulk_http")
    parser.add_argument("--format", action="append", choices=sorted(MEDIA), default=[])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rows", type=int, default=20_000, help="observations per message")
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--stations", type=int, default=1_000, help="per client")
    options = parser.parse_args(arguments)
    found: dict[str, object] = {}
    for form in options.format or ["arrow", "ndjson"]:
        with served() as server:
            found[form] = measure(server, form, options)
    return found


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
