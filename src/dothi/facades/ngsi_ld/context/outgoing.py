"""Requests to addresses that users chose: checked against the egress policy, bounded in size.

httpx is imported at the first use: most programs never need it, and it costs a tenth of a start.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dothi.access.egress import EgressPolicy

if TYPE_CHECKING:
    import httpx

_NAME_THREADS = 8


class Outgoing:
    """One request at a time, on a connection of its own."""

    def __init__(self, policy: EgressPolicy, timeout_s: float, most_bytes: int) -> None:
        """`most_bytes`: of an answer."""
        self._policy = policy
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._certificates: ssl.SSLContext | None = None
        # Of our own: names that nobody answers for must not hold the threads of others.
        self._names = ThreadPoolExecutor(_NAME_THREADS, thread_name_prefix="dothi-names")

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> "tuple[int, httpx.Headers, bytes]":
        """Status, headers and body. Raises OSError, ValueError, httpx.HTTPError, InvalidURL."""
        import httpx

        target = httpx.URL(url)
        if target.scheme not in {"http", "https"}:
            raise ValueError(f"the scheme {target.scheme!r} is not http or https")
        address = await self._allowed_address(url)
        # The checked address itself is dialled: a second look-up could give another one.
        head = {**headers, "Host": target.netloc.decode("ascii")}
        extensions = {"sni_hostname": target.host}
        async with (
            httpx.AsyncClient(
                timeout=self._timeout_s, trust_env=False, verify=await self._verification(target)
            ) as client,
            client.stream(
                method,
                target.copy_with(host=address),
                headers=head,
                content=content or None,
                extensions=extensions,
            ) as answer,
        ):
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > self._most_bytes:
                    raise ValueError(f"is larger than {self._most_bytes} bytes")
            return answer.status_code, answer.headers, bytes(body)

    async def _verification(self, target: "httpx.URL") -> ssl.SSLContext | bool:
        """Certificates are read once and off the event loop: that takes tens of milliseconds."""
        if target.scheme != "https":
            return False
        import httpx

        if self._certificates is None:
            self._certificates = await asyncio.to_thread(httpx.create_ssl_context)
        return self._certificates

    async def _allowed_address(self, url: str) -> str:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        ask = partial(socket.getaddrinfo, parts.hostname, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._names, ask)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if self._policy.permits(address):
                return address
        raise ValueError(f"the egress policy forbids its address {', '.join(addresses)}")
