"""A receiver of notifications: a real HTTP/1.1 server that remembers what came."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

ANSWER_S = 20.0


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Any

    @property
    def data(self) -> Any:
        return self.body["data"]


@dataclass
class Receiver:
    """`answer` gives the status for a request; 0 closes the connection without an answer."""

    url: str = ""
    answer: Callable[[Received], int] = lambda _received: 200
    delay_s: float = 0.0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    is_chunked: bool = False
    closes: bool = False
    """Whether each answer ends its connection."""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def next(self, timeout_s: float = ANSWER_S) -> Received:
        """The next request that was not asked for yet."""
        return (await self.until(1, timeout_s))[0]

    async def until(self, count: int, timeout_s: float = ANSWER_S) -> list[Received]:
        """The next `count` requests, taken out."""
        async with asyncio.timeout(timeout_s):
            while len(self.received) < count:
                await asyncio.sleep(0.002)
        found, self.received = self.received[:count], self.received[count:]
        return found

    async def nothing(self, for_s: float = 0.15) -> None:
        """Check that no request comes."""
        await asyncio.sleep(for_s)
        assert not self.received, self.received

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            key.lower(): value for key, _, value in (line.partition(": ") for line in head[1:-2])
        }
        body = await reader.readexactly(int(headers["content-length"]))
        received = Received(head[0].split(" ")[1], headers, msgspec.json.decode(body))
        status = self.answer(received)
        self.received.append(received)
        await asyncio.sleep(self.delay_s)
        if not status:
            return False
        writer.write(f"HTTP/1.1 {status} Whatever\r\n".encode())
        if self.closes:
            writer.write(b"Connection: close\r\n\r\nbye")
            return False
        if self.is_chunked:
            writer.write(b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        else:
            writer.write(b"Content-Length: 0\r\n\r\n")
        await writer.drain()
        return True


@asynccontextmanager
async def receiving(certificate: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a port of loopback; with a certificate it speaks TLS."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0, ssl=certificate)
    port = server.sockets[0].getsockname()[1]
    scheme = "http" if certificate is None else "https"
    host = "127.0.0.1" if certificate is None else "localhost"
    receiver.url = f"{scheme}://{host}:{port}/notify"
    try:
        yield receiver
    finally:
        server.close()
        for writer in receiver.writers:
            writer.close()
