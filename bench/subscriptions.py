"""Notifications per second and their delay with many subscriptions, over HTTP on one machine.

A real server process; updates come from here at a fixed rate, the receiver is here too.

    uv run dothi bench subscriptions -- --subscriptions 10000 --rate 500 --seconds 60
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))

from percentiles import percentiles_ms
from served import Served, served

_SETTINGS = '[access]\nmode = "open"\n'
_BATCH = 500


class Receiver(asyncio.Protocol):
    """Answers every request with 200 and notes how old its value is."""

    delays_s: list[float] = []  # noqa: RUF012  all connections note into one list
    ids: set[str] = set()  # noqa: RUF012

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            body = json.loads(self._buffer[end + 4 : end + 4 + length])
            self._buffer = self._buffer[end + 4 + length :]
            self.ids.add(body["id"])
            sent_s = body["data"][0]["level"]["value"]
            self.delays_s.append(time.monotonic() - sent_s)
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


class Client:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> "Client":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def send(self, method: str, path: str, body: Any) -> int:
        raw = json.dumps(body).encode()
        head = f"{method} /ngsi-ld/v1{path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
        self._writer.write(head.encode() + raw)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = answer.partition(b"content-length:")[2].split(b"\r\n")[0]
        if length:
            await self._reader.readexactly(int(length))
        return int(answer.split(b" ")[1])


def _well(number: int) -> str:
    return f"urn:ngsi-ld:Well:{number}"


async def _prepare(clients: list[Client], count: int, url: str) -> float:
    """Entities and subscriptions; gives the seconds that one subscription took."""
    for start in range(0, count, _BATCH):
        wells = [
            {"id": _well(n), "type": "Well", "level": 0, "name": f"Well {n}"}
            for n in range(start, min(start + _BATCH, count))
        ]
        assert await clients[0].send("POST", "/entityOperations/upsert", wells) == 201
    numbers = iter(range(count))

    async def make(client: Client) -> None:
        for number in numbers:
            document = {
                "type": "Subscription",
                "entities": [{"type": "Well", "id": _well(number)}],
                "watchedAttributes": ["level"],
                "q": "level>0",
                "notification": {"endpoint": {"uri": url}},
            }
            assert await client.send("POST", "/subscriptions", document) == 201

    began_s = time.monotonic()
    await asyncio.gather(*map(make, clients))
    return (time.monotonic() - began_s) / count


async def _update(clients: list[Client], options: argparse.Namespace) -> int:
    """Send at the rate, whatever the answers take; gives how many were accepted."""
    began_s = time.monotonic()
    total = int(options.rate * options.seconds)
    numbers = iter(range(total))
    accepted = 0

    async def work(client: Client) -> None:
        nonlocal accepted
        for number in numbers:
            rest_s = began_s + number / options.rate - time.monotonic()
            if rest_s > 0:
                await asyncio.sleep(rest_s)
            well = _well((number * 7919) % options.subscriptions)
            body = {"level": time.monotonic()}
            status = await client.send("PATCH", f"/entities/{well}/attrs", body)
            accepted += status == 204

    await asyncio.gather(*map(work, clients))
    return accepted


async def _measure(server: Served, options: argparse.Namespace) -> dict[str, Any]:
    listener = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/notify"
    clients = [await Client(server.port).open() for _ in range(options.clients)]
    each_s = await _prepare(clients, options.subscriptions, url)
    before_s, began_s = server.cpu_s(), time.monotonic()
    accepted = await _update(clients, options)
    took_s = time.monotonic() - began_s
    deadline_s = time.monotonic() + options.patience
    while len(Receiver.ids) < accepted and time.monotonic() < deadline_s:
        await asyncio.sleep(0.05)
    listener.close()
    return {
        "subscriptions": options.subscriptions,
        "updates": accepted,
        "updates_per_s": round(accepted / took_s, 1),
        "notifications": len(Receiver.ids),
        "delivered_percent": round(100 * len(Receiver.ids) / max(accepted, 1), 3),
        "doubles": len(Receiver.delays_s) - len(Receiver.ids),
        "delay_from_request": percentiles_ms(Receiver.delays_s),
        "subscribing_ms_each": round(each_s * 1000, 2),
        "server_cpu_ms_per_update": round((server.cpu_s() - before_s) / accepted * 1000, 2),
        **server.figures(),
    }


def run(arguments: list[str]) -> dict[str, object]:
    """One run on a fresh server."""
    parser = argparse.ArgumentParser(prog="dothi bench subscriptions")
    parser.add_argument("--subscriptions", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=500, help="updates per second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--patience", type=float, default=30, help="seconds to wait at the end")
    options = parser.parse_args(arguments)
    with served(_SETTINGS) as server:
        return asyncio.run(_measure(server, options))


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
