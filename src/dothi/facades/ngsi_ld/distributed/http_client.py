"""A small HTTP/1.1 client for other brokers: keep-alive, bounded time and size, egress policy.

httpx costs half a millisecond of processor time per request; this one about a fifth of that.
Redirects are not followed: a registered source answers itself.
"""

import asyncio
import os
import socket
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

import httptools
from msgspec import Struct, field

from dothi.access.egress import EgressPolicy
from dothi.model.uri import without_login

_IDLE_S = 15.0
_MAX_IDLE_PER_PEER = 8
_MAX_HEADERS = 200
_READ = 65_536


class PeerError(Exception):
    """No usable answer came: the address is closed or forbidden, or what came is no HTTP."""


class PeerTimeout(PeerError):
    """No whole answer came in time."""


class PeerTooLarge(PeerError):
    """The answer is larger than allowed."""


class PeerAnswer(Struct):
    """Status, headers (names in lower case, repeated ones joined by a comma) and body."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Parsing(Struct):
    """What httptools tells about one answer."""

    max_bytes: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    has_headers: bool = False
    is_complete: bool = False
    is_too_large: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key in self.headers:
            text = f"{self.headers[key]}, {text}"
        self.headers[key] = text
        self.is_too_large |= len(self.headers) > _MAX_HEADERS

    def on_headers_complete(self) -> None:
        self.has_headers = True

    def on_body(self, piece: bytes) -> None:
        self.body += piece
        self.is_too_large |= len(self.body) > self.max_bytes

    def on_message_complete(self) -> None:
        self.is_complete = True


class _Connection(Struct):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since_s: float = 0.0

    @property
    def is_usable(self) -> bool:
        is_fresh = time.monotonic() - self.idle_since_s < _IDLE_S
        return is_fresh and not self.reader.at_eof() and not self.writer.is_closing()


def _place(parts: SplitResult) -> str:
    """Host and port, never the user and password."""
    return parts.netloc.rpartition("@")[2]


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)  # asyncio puts its own words around it
    return str(error) or type(error).__name__


class HttpClient:
    """Connections are kept per scheme, host and port. Event loop only."""

    def __init__(self, policy: EgressPolicy, max_bytes: int) -> None:
        self._policy = policy
        self._max_bytes = max_bytes
        self._idle: dict[tuple[str, str, int], deque[_Connection]] = defaultdict(deque)
        self._certificates: ssl.SSLContext | None = None

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> PeerAnswer:
        """The whole answer. Raises PeerError; PeerTimeout when it took too long."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise PeerError(f"{without_login(url)}: {error}") from error
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(parts, _head(method, parts, headers, body) + body)
        except TimeoutError as error:
            raise PeerTimeout(f"{_place(parts)} did not answer within {timeout_s:g} s") from error
        except (OSError, ValueError, httptools.HttpParserError) as error:
            raise PeerError(f"{_place(parts)}: {_said(error)}") from error

    async def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.writer.close()
        self._idle.clear()

    async def _exchange(self, parts: SplitResult, message: bytes) -> PeerAnswer:
        key = (parts.scheme, parts.hostname or "", parts.port or _default_port(parts.scheme))
        kept = self._kept(key)
        if kept is not None:
            try:
                return await self._talk(key, kept, message)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # closed by the peer while it was idle: nothing was done with the request
        return await self._talk(key, await self._connect(*key), message)

    def _kept(self, key: tuple[str, str, int]) -> _Connection | None:
        connections = self._idle[key]
        while connections:
            connection = connections.pop()
            if connection.is_usable:
                return connection
            connection.writer.close()
        return None

    async def _talk(
        self, key: tuple[str, str, int], connection: _Connection, message: bytes
    ) -> PeerAnswer:
        is_kept = False
        try:
            connection.writer.write(message)
            await connection.writer.drain()
            answer, is_kept = await self._read(connection.reader)
        finally:
            if not is_kept:
                connection.writer.close()
        connection.idle_since_s = time.monotonic()
        self._idle[key].append(connection)
        if len(self._idle[key]) > _MAX_IDLE_PER_PEER:
            self._idle[key].popleft().writer.close()
        return answer

    async def _read(self, reader: asyncio.StreamReader) -> tuple[PeerAnswer, bool]:
        """The answer and whether the connection can be used again."""
        parsing = _Parsing(self._max_bytes)
        parser = httptools.HttpResponseParser(parsing)
        has_begun = False
        while not parsing.is_complete:
            piece = await reader.read(_READ)
            if not piece:
                break
            has_begun = True
            parser.feed_data(piece)
            if parsing.is_too_large:
                raise PeerTooLarge(f"the answer is larger than {self._max_bytes} bytes")
        if not has_begun:
            raise ConnectionResetError("the connection was closed without an answer")
        if not parsing.is_complete and not _ends_with_connection(parsing):
            raise PeerError("the connection was closed in the middle of the answer")
        status = parser.get_status_code()
        is_kept = (
            parsing.is_complete
            and parser.get_http_version() == "1.1"
            and parsing.headers.get("connection", "").lower() != "close"
        )
        return PeerAnswer(status, parsing.headers, bytes(parsing.body)), is_kept

    async def _connect(self, scheme: str, host: str, port: int) -> _Connection:
        address = await self._allowed_address(host, port)
        if scheme != "https":
            return _Connection(*await asyncio.open_connection(address, port))
        if self._certificates is None:
            self._certificates = await asyncio.to_thread(ssl.create_default_context)
        opened = await asyncio.open_connection(
            address, port, ssl=self._certificates, server_hostname=host
        )
        return _Connection(*opened)

    async def _allowed_address(self, host: str, port: int) -> str:
        """The checked address itself is dialled: a second look-up could give another one."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if self._policy.permits(address):
                return address
        raise ValueError(f"the egress policy forbids its address {', '.join(addresses)}")


_OWN_HEADERS = frozenset({"host", "content-length", "connection", "transfer-encoding"})
"""Users name headers, too; these belong to the connection."""


def _head(method: str, parts: SplitResult, headers: Mapping[str, str], body: bytes) -> bytes:
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
    lines += [f"{n}: {value}" for n, value in headers.items() if n.lower() not in _OWN_HEADERS]
    if body or method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {len(body)}")
    if not all(line.isascii() and line.isprintable() for line in lines):
        raise ValueError("the request holds characters that no header may have")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _ends_with_connection(parsing: _Parsing) -> bool:
    """A body of unknown length ends where the connection does (RFC 9112, 6.3)."""
    known = {"content-length", "transfer-encoding"} & parsing.headers.keys()
    return parsing.has_headers and not known


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
