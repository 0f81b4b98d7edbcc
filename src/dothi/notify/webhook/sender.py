"""Notifications as HTTP POST over connections that are kept (ports.notifier.Notifier).

An own client: httpx takes half a millisecond of CPU per request, this a tenth of that.
"""

import asyncio
import ssl
from collections import defaultdict
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from dothi.access.egress import EgressPolicy
from dothi.notify.addresses import ForbiddenAddress, allowed_address, reason
from dothi.notify.webhook.connection import ClosedEarly, Connection
from dothi.ports.notifier import Message, Outcome

_MAX_IDLE = 32
_RETRYABLE = frozenset({408, 425, 429})
_OWN_HEADERS = frozenset({"host", "content-length", "connection", "transfer-encoding"})
"""The client alone decides these."""


class _Origin(NamedTuple):
    is_secure: bool
    host: str
    port: int


class WebhookSender:
    """Success is status 200 alone (ETSI GS CIM 009, clause 5.8.6)."""

    def __init__(self, policy: EgressPolicy, verification: ssl.SSLContext | None = None) -> None:
        """`verification`: which certificates are trusted; those of the system when left out."""
        self._policy = policy
        self._verification = verification
        self._idle: dict[_Origin, list[Connection]] = defaultdict(list)

    async def send(self, message: Message) -> Outcome:
        """See ports.notifier.Notifier."""
        try:
            origin, request = _request(message)
            async with asyncio.timeout(message.timeout_s):
                status = await self._exchange(origin, request)
        except TimeoutError:
            return Outcome(False, f"no answer within {message.timeout_s:g} s", may_retry=True)
        except ssl.SSLCertVerificationError as error:
            return Outcome(False, f"the certificate is not trusted: {error.verify_message}", True)
        except ForbiddenAddress as error:
            return Outcome(False, str(error))
        except (OSError, ValueError) as error:
            return Outcome(False, reason(error), may_retry=True)
        if status == 200:
            return Outcome(True)
        return Outcome(
            False, f"answered with status {status}", status >= 500 or status in _RETRYABLE
        )

    async def close(self) -> None:
        """See ports.notifier.Notifier."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _exchange(self, origin: _Origin, request: bytes) -> int:
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

    async def _on(self, connection: Connection, origin: _Origin, request: bytes) -> int:
        status = await connection.exchange(request)
        if connection.is_open and len(self._idle[origin]) < _MAX_IDLE:
            self._idle[origin].append(connection)
        else:
            connection.close()
        return status

    async def _open(self, origin: _Origin) -> Connection:
        address = await allowed_address(origin.host, origin.port, self._policy)
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


def _request(message: Message) -> tuple[_Origin, bytes]:
    """Where to connect and the bytes to send. Raises ValueError for an URI that cannot be used."""
    parts = urlsplit(message.uri)
    if not parts.hostname:
        raise ValueError(f"{message.uri!r} names no host")
    is_secure = parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=?~-._')}" if parts.query else ""
    head = [f"POST {path}{query} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
    head += [f"{key}: {value}" for key, value in message.headers if key.lower() not in _OWN_HEADERS]
    head.append(f"Content-Length: {len(message.body)}")
    text = "\r\n".join(head) + "\r\n\r\n"
    return _Origin(is_secure, parts.hostname, port), text.encode("utf-8") + message.body
