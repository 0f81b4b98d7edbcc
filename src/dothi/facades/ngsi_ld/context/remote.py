"""Fetches remote @contexts within bounds: time, size, redirects, allowed addresses."""

import asyncio
import re
from urllib.parse import urljoin

import msgspec

from dothi.access.egress import EgressPolicy
from dothi.facades.ngsi_ld.context.library import Fetched
from dothi.facades.ngsi_ld.context.outgoing import Outgoing
from dothi.facades.ngsi_ld.errors import bad_request_data, context_not_available

_MAX_BYTES = 1 << 20
_MAX_REDIRECTS = 3
_ACCEPT = {"Accept": "application/ld+json, application/json;q=0.9"}
_LEAST_KEEP_S, _MOST_KEEP_S = 5.0, 7 * 86400.0
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})")


class RemoteContexts:
    """Fetches one document at a time; ContextLibrary keeps them."""

    def __init__(self, policy: EgressPolicy, timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        self._outgoing = Outgoing(policy, timeout_s, _MAX_BYTES)

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
            status, headers, body = await self._outgoing.send("GET", url, _ACCEPT)
            if status in {301, 302, 303, 307, 308} and "location" in headers:
                url = urljoin(url, headers["location"])
                continue
            if status != 200:
                raise ValueError(f"answered with status {status}")
            return body, _keep_s(headers.get("cache-control", ""))
        raise ValueError(f"more than {_MAX_REDIRECTS} redirects")


def _keep_s(cache_control: str) -> float | None:
    """For how long the server lets its answer be kept; None when it says nothing."""
    lowered = cache_control.lower()
    if "no-store" in lowered or "no-cache" in lowered:
        return _LEAST_KEEP_S
    found = _MAX_AGE.search(lowered)
    return min(max(float(found[1]), _LEAST_KEEP_S), _MOST_KEEP_S) if found else None
