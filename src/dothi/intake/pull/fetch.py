"""GET with a timeout, retries, rate limits and a strict rule where to."""

import asyncio
import random

import httpx
from msgspec import Struct, field

from dothi.intake.pull.connector import Request
from dothi.intake.pull.settings import ConnectorSettings
from dothi.model.uri import without_login

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 300.0
"""A service that wants a longer pause is asked again at the next run."""


class FetchFailed(Exception):
    """A request that gave no answer to use; says what to do where that is known."""


class NotModified(Exception):
    """The answer is the one of the last good run."""


class Fetcher(Struct):
    """Asks one service; one per run."""

    client: httpx.AsyncClient
    settings: ConnectorSettings
    headers: dict[str, str]
    validators: dict[str, dict[str, str]] = field(default_factory=dict)
    """By address: headers that ask for what changed since the answer before."""
    _pause_s: float = 0.0
    """Wait before the next request: the quota of the window is used up."""

    async def get(self, request: Request) -> bytes:
        """The body of a 200 answer.

        Raises:
            FetchFailed: another host, an error status, no answer after all attempts, too large.
            NotModified: the request was conditional and nothing changed.
        """
        url = httpx.URL(request.url)
        base = httpx.URL(self.settings.base_url)
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            shown = without_login(str(url.copy_with(query=None)))
            raise FetchFailed(f"{shown} is not at {base.host}: not asked")
        attempt = 0
        while True:
            await self._rest()
            try:
                return await self._once(url, request)
            except _TryAgain as again:
                if attempt >= self.settings.retries or again.wait_s > _LONGEST_WAIT_S:
                    raise FetchFailed(str(again)) from again
                backoff_s = self.settings.backoff_s * 2**attempt * random.uniform(0.8, 1.2)  # noqa: S311
                await asyncio.sleep(max(again.wait_s, backoff_s))
                attempt += 1

    async def _once(self, url: httpx.URL, request: Request) -> bytes:
        # A following address already carries its query.
        params = httpx.QueryParams(request.params) if request.params else None
        headers = self.headers
        if request.is_conditional:
            headers = headers | self.validators.get(request.url, {})
        try:
            async with (
                asyncio.timeout(self.settings.timeout_s),
                self.client.stream("GET", url, params=params, headers=headers) as response,
            ):
                body = await self._body(response)
        except (httpx.TransportError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise _TryAgain(f"{url.host} did not answer: {reason}") from error
        except (httpx.DecodingError, httpx.InvalidURL) as error:
            raise FetchFailed(f"{url.host}: {error}") from error
        self._pause_s = _reset_s(response) if _is_used_up(response) else 0.0
        if response.status_code == httpx.codes.OK:
            if request.is_conditional:
                self.validators[request.url] = _validators(response)
            return body
        if response.status_code == httpx.codes.NOT_MODIFIED and request.is_conditional:
            raise NotModified
        text = body[:300].decode("utf-8", "replace")
        problem = f"{url.host} answered {response.status_code}: {text}"
        if response.status_code in _RETRIED:
            raise _TryAgain(problem, _retry_after_s(response))
        if response.is_redirect:
            raise FetchFailed(f"{problem} (redirects are not followed; correct base_url)")
        if response.status_code in {401, 403}:
            raise FetchFailed(f"{problem} (is the key in key_file right?)")
        raise FetchFailed(problem)

    async def _body(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes(65_536):
            size += len(part)
            if size > self.settings.max_bytes:
                raise FetchFailed(
                    f"the answer has more than max_bytes = {self.settings.max_bytes} bytes"
                )
            parts.append(part)
        return b"".join(parts)

    async def _rest(self) -> None:
        if self._pause_s > _LONGEST_WAIT_S:
            raise FetchFailed(f"the quota is used up for {self._pause_s:.0f} s")
        if self._pause_s > 0:
            await asyncio.sleep(self._pause_s)
            self._pause_s = 0.0


class _TryAgain(Exception):
    def __init__(self, text: str, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


def _validators(response: httpx.Response) -> dict[str, str]:
    """RFC 9110, 13.1: as the service gave them."""
    pairs = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return {ask: response.headers[name] for name, ask in pairs.items() if name in response.headers}


def _is_used_up(response: httpx.Response) -> bool:
    remaining: str = response.headers.get("x-ratelimit-remaining", "")
    return remaining.strip() == "0"


def _reset_s(response: httpx.Response) -> float:
    """Seconds to the next window (OpenAQ gives seconds, not a time)."""
    return _seconds(response.headers.get("x-ratelimit-reset", ""))


def _retry_after_s(response: httpx.Response) -> float:
    return _seconds(response.headers.get("retry-after", "")) or _reset_s(response)


def _seconds(text: str) -> float:
    return float(text) if text.strip().isdecimal() else 0.0
