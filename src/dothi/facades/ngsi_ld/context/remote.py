"""Fetches remote @contexts within bounds: time, size, redirects, allowed addresses.

httpx is imported at the first fetch: most programs never make one, and it costs a tenth of a start.
"""

import asyncio
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import msgspec

from dothi.access.egress import EgressPolicy
from dothi.facades.ngsi_ld.errors import NgsiError, context_not_available

if TYPE_CHECKING:
    import httpx

_MAX_BYTES = 1 << 20
_MAX_REDIRECTS = 3
_MAX_KEPT = 500
_ACCEPT = "application/ld+json, application/json;q=0.9"


class RemoteContexts:
    """A ContextLoader over HTTP with a cache; failures are remembered for a short while too."""

    def __init__(
        self,
        policy: EgressPolicy,
        preloaded: Mapping[str, Any] | None = None,
        timeout_s: float = 5.0,
        keep_s: float = 3600.0,
        keep_failure_s: float = 15.0,
    ) -> None:
        """`preloaded`: URL -> document, never fetched."""
        self._policy = policy
        self._preloaded = dict(preloaded or {})
        self._timeout_s = timeout_s
        self._keep_s = keep_s
        self._keep_failure_s = keep_failure_s
        self._kept: OrderedDict[str, tuple[float, Any]] = OrderedDict()
        self._certificates: ssl.SSLContext | None = None

    async def load(self, url: str) -> Any:
        """The document at the URL. Raises NgsiError LdContextNotAvailable."""
        if url in self._preloaded:
            return self._preloaded[url]
        until, found = self._kept.get(url, (0.0, None))
        if time.monotonic() >= until:
            found = await self._fetched(url)
        if isinstance(found, NgsiError):
            raise found
        return found

    async def _fetched(self, url: str) -> Any:
        import httpx

        try:
            async with asyncio.timeout(self._timeout_s):
                found: Any = await self._follow(url)
            keep_s = self._keep_s
        except TimeoutError:
            found = context_not_available(f"{url} did not answer within {self._timeout_s:g} s")
            keep_s = self._keep_failure_s
        except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL, RecursionError) as error:
            found = context_not_available(f"{url}: {error or type(error).__name__}")
            keep_s = self._keep_failure_s
        self._kept[url] = (time.monotonic() + keep_s, found)
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return found

    async def _follow(self, url: str) -> Any:
        for _ in range(_MAX_REDIRECTS + 1):
            status, headers, body = await self._get(url)
            if status in {301, 302, 303, 307, 308} and "location" in headers:
                url = urljoin(url, headers["location"])
                continue
            if status != 200:
                raise ValueError(f"answered with status {status}")
            return msgspec.json.decode(body)
        raise ValueError(f"more than {_MAX_REDIRECTS} redirects")

    async def _get(self, url: str) -> "tuple[int, httpx.Headers, bytes]":
        import httpx

        target = httpx.URL(url)
        if target.scheme not in {"http", "https"}:
            raise ValueError(f"redirected to the scheme {target.scheme!r}")
        address = await self._allowed_address(url)
        # The checked address itself is dialled: a second look-up could give another one.
        headers = {"Host": target.netloc.decode("ascii"), "Accept": _ACCEPT}
        extensions = {"sni_hostname": target.host}
        async with (
            httpx.AsyncClient(
                timeout=self._timeout_s, trust_env=False, verify=await self._verification(target)
            ) as client,
            client.stream(
                "GET", target.copy_with(host=address), headers=headers, extensions=extensions
            ) as answer,
        ):
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _MAX_BYTES:
                    raise ValueError(f"is larger than {_MAX_BYTES} bytes")
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
        found = await asyncio.get_running_loop().getaddrinfo(
            parts.hostname, port, type=socket.SOCK_STREAM
        )
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if self._policy.permits(address):
                return address
        raise ValueError(f"the egress policy forbids its address {', '.join(addresses)}")
