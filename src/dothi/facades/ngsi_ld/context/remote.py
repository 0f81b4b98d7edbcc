"""Fetches remote @contexts within bounds: time, size, redirects, allowed addresses.

httpx is imported at the first fetch: most programs never make one, and it costs a tenth of a start.
"""

import asyncio
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import msgspec

from dothi.access.egress import EgressPolicy
from dothi.facades.ngsi_ld.context.library import Fetched
from dothi.facades.ngsi_ld.errors import bad_request_data, context_not_available

if TYPE_CHECKING:
    import httpx

_MAX_BYTES = 1 << 20
_MAX_REDIRECTS = 3
_NAME_THREADS = 8
_LEAST_KEEP_S, _MOST_KEEP_S = 5.0, 7 * 86400.0
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})")
_ACCEPT = "application/ld+json, application/json;q=0.9"


class RemoteContexts:
    """Fetches one document at a time; ContextLibrary keeps them."""

    def __init__(self, policy: EgressPolicy, timeout_s: float = 5.0) -> None:
        self._policy = policy
        self._timeout_s = timeout_s
        self._certificates: ssl.SSLContext | None = None
        # Of our own: names that nobody answers for must not hold the threads of others.
        self._names = ThreadPoolExecutor(_NAME_THREADS, thread_name_prefix="dothi-names")

    async def fetch(self, url: str) -> Fetched:
        """The document at the URL.

        Raises:
            NgsiError: LdContextNotAvailable when nothing comes from there, BadRequestData when what
                comes is no JSON object with a member @context (clause 5.5.6).
        """
        import httpx

        try:
            async with asyncio.timeout(self._timeout_s):
                body, keep_s = await self._follow(url)
        except TimeoutError as error:
            raise context_not_available(
                f"{url} did not answer within {self._timeout_s:g} s"
            ) from error
        except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise context_not_available(f"{url}: {error or type(error).__name__}") from error
        try:
            document = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise bad_request_data(f"the @context {url} is not JSON: {error}") from error
        if not isinstance(document, dict) or "@context" not in document:
            raise bad_request_data(f"{url} holds no JSON object with a member @context")
        return Fetched({"@context": document["@context"]}, keep_s)

    async def _follow(self, url: str) -> tuple[bytes, float | None]:
        for _ in range(_MAX_REDIRECTS + 1):
            status, headers, body = await self._get(url)
            if status in {301, 302, 303, 307, 308} and "location" in headers:
                url = urljoin(url, headers["location"])
                continue
            if status != 200:
                raise ValueError(f"answered with status {status}")
            return body, _keep_s(headers.get("cache-control", ""))
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
        ask = partial(socket.getaddrinfo, parts.hostname, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._names, ask)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if self._policy.permits(address):
                return address
        raise ValueError(f"the egress policy forbids its address {', '.join(addresses)}")


def _keep_s(cache_control: str) -> float | None:
    """For how long the server lets its answer be kept; None when it says nothing."""
    lowered = cache_control.lower()
    if "no-store" in lowered or "no-cache" in lowered:
        return _LEAST_KEEP_S
    found = _MAX_AGE.search(lowered)
    return min(max(float(found[1]), _LEAST_KEEP_S), _MOST_KEEP_S) if found else None
