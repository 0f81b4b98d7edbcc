"""An HTTP/1.1 server on loopback that keeps what it gets and answers as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True)
class Got:
    """A request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass(frozen=True)
class Sunk:
    """An answer."""

    status: int = 200
    body: bytes = b""


@dataclass
class HttpSink:
    answer: Callable[[Got], Sunk]
    delay_s: float
    url: str = ""
    requests: list[Got] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._one(reader, writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        got = Got(method, target, headers, body)
        self.requests.append(got)
        await asyncio.sleep(self.delay_s)
        answer = self.answer(got)
        head = f"HTTP/1.1 {answer.status} Whatever\r\nContent-Length: {len(answer.body)}\r\n\r\n"
        writer.write(head.encode() + (b"" if answer.status == 204 else answer.body))
        await writer.drain()


@asynccontextmanager
async def sinking(
    answer: Callable[[Got], Sunk] = lambda _: Sunk(), delay_s: float = 0.0
) -> AsyncIterator[HttpSink]:
    sink = HttpSink(answer, delay_s)
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    sink.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield sink
    finally:
        server.close()
