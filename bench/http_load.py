"""Sends prepared HTTP requests over some connections and notes latencies. Not a benchmark itself.

Runs in a process of its own; a request costs it about 20 microseconds, so that the server is what
is measured. The module that is named makes the requests: `requests(name, options) -> iterator of
bytes`.
"""

import argparse
import asyncio
import importlib
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import uvloop

sys.path.append(str(Path(__file__).parent))

from percentiles import percentiles_ms


class Connection(asyncio.Protocol):
    """One request after the other; keeps the latency and the status of each."""

    def __init__(self, requests: Iterator[bytes], until_s: float) -> None:
        self._requests = requests
        self._until_s = until_s
        self._buffer = b""
        self._began_s = 0.0
        self._transport: asyncio.Transport | None = None
        self.latency_s: list[float] = []
        self.statuses: dict[str, int] = {}
        self.received_bytes = 0
        self.last = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length: ")
        length = int(head[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        self.latency_s.append(time.perf_counter() - self._began_s)
        status = self._buffer[9:12].decode()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.received_bytes += len(self._buffer)
        self.last = self._buffer
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _next(self) -> None:
        assert self._transport is not None
        request = None if time.monotonic() > self._until_s else next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._began_s = time.perf_counter()
        self._transport.write(request)


async def _load(options: argparse.Namespace) -> dict[str, object]:
    make = importlib.import_module(options.module).requests
    later = make(options.name, json.loads(options.options))
    shared = itertools.chain(list(itertools.islice(later, options.ahead)), later)
    made_s = time.process_time()
    loop = asyncio.get_running_loop()
    began_s = time.monotonic()
    until_s = began_s + options.seconds
    connections = []
    for _ in range(options.clients):
        _, connection = await loop.create_connection(
            lambda: Connection(shared, until_s), "127.0.0.1", options.port
        )
        connections.append(connection)
    await asyncio.gather(*(c.done for c in connections))
    took_s = time.monotonic() - began_s
    statuses: dict[str, int] = {}
    for connection in connections:
        for status, count in connection.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    return {
        "took_s": took_s,
        "statuses": statuses,
        "answered": sum(len(c.latency_s) for c in connections),
        "latency": percentiles_ms([s for c in connections for s in c.latency_s]),
        "received_bytes": sum(c.received_bytes for c in connections),
        "client_cpu_s": time.process_time() - made_s,
        "last": connections[0].last[:2000].decode(errors="replace"),
    }


def main() -> None:
    """Print what happened as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--module", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--options", default="{}")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--ahead", type=int, default=0, help="requests made before the clock runs")
    options = parser.parse_args()
    print(json.dumps(uvloop.run(_load(options))))


if __name__ == "__main__":
    main()
