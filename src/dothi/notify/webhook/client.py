"""An HTTP/1.1 client over connections that are kept; it dials only what the egress policy permits.

An own client: httpx takes half a millisecond of CPU per request, this a tenth of that.
"""

import asyncio
import ssl
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from dothi.access.egress import EgressPolicy
from dothi.model.uri import without_login
from dothi.notify.addresses import allowed_address
from dothi.notify.webhook.connection import Answer, ClosedEarly, Connection
from dothi.ports.notifier import Message

_MAX_IDLE = 32
_OWN_HEADERS = frozenset({"host", "content-length", "connection", "transfer-encoding"})
"""The client alone decides these."""


class _Origin(NamedTuple):
    is_secure: bool
    host: str
    port: int


class HttpClient:
    """Redirects are not followed."""

    def __init__(
        self,
        policy: EgressPolicy,
        verification: ssl.SSLContext | None = None,
        *,
        setting: str = "[ngsi_ld.notify] allow",
    ) -> None:
        """`verification`: which certificates are trusted; those of the system when left out.
        `setting`: which one opens an address that the policy forbids."""
        self._policy = policy
        self._verification = verification
        self._setting = setting
        self._idle: dict[_Origin, list[Connection]] = defaultdict(list)

    async def exchange(self, message: Message, method: str = "POST") -> Answer:
        """Raises TimeoutError, ssl.SSLCertVerificationError, ForbiddenAddress, OSError, and
        ValueError for a URI that cannot be used."""
        origin, request = _request(message, method)
        async with asyncio.timeout(message.timeout_s):
            return await self._exchange(origin, request)

    async def close(self) -> None:
        """Let go of every connection."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _exchange(self, origin: _Origin, request: bytes) -> Answer:
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if not connection.is_open:
                continue
            try:
                return await self._on(connection, origin, request)
            except ClosedEarly:
                continue  # the receiver had enough of an idle connection; a new one will do
        return await self._on(await self._open(origin), origin, request)

    async def _on(self, connection: Connection, origin: _Origin, request: bytes) -> Answer:
        answer = await connection.exchange(request)
        if connection.is_open and len(self._idle[origin]) < _MAX_IDLE:
            self._idle[origin].append(connection)
        else:
            connection.close()
        return answer

    async def _open(self, origin: _Origin) -> Connection:
        address = await allowed_address(origin.host, origin.port, self._policy, self._setting)
        loop = asyncio.get_running_loop()
        verification = await self._certificates() if origin.is_secure else None
        _, connection = await loop.create_connection(
            Connection,
            address,
            origin.port,
            ssl=verification,
            server_hostname=origin.host if verification else None,
        )
        return connection

    async def _certificates(self) -> ssl.SSLContext:
        """Read once and off the event loop: that takes tens of milliseconds."""
        if self._verification is None:
            self._verification = await asyncio.to_thread(ssl.create_default_context)
        return self._verification


def _request(message: Message, method: str) -> tuple[_Origin, bytes]:
    """Where to connect and the bytes to send. Raises ValueError for an URI that cannot be used."""
    origin, head = _head(message.uri, method, tuple(message.headers))
    return origin, b"%b%d\r\n\r\n%b" % (head, len(message.body), message.body)


@lru_cache(maxsize=1_024)
def _head(uri: str, method: str, headers: tuple[tuple[str, str], ...]) -> tuple[_Origin, bytes]:
    """Where to connect, and the head up to the length of the body: one for all messages to a
    receiver that has no headers of its own for each."""
    parts = urlsplit(uri)
    if not parts.hostname:
        raise ValueError(f"{without_login(uri)!r} names no host")
    is_secure = parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=?~-._')}" if parts.query else ""
    head = [f"{method} {path}{query} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
    head += [f"{key}: {value}" for key, value in headers if key.lower() not in _OWN_HEADERS]
    text = "\r\n".join([*head, "Content-Length: "])
    return _Origin(is_secure, parts.hostname, port), text.encode("utf-8")
