"""Requests with an idempotency key: sent again, they are answered again and done once.

After draft-ietf-httpapi-idempotency-key-header-07, section 2: the client makes the key, a repeat
gets the first answer, a key that is used for another request is refused (422), and so is a repeat
while the first is still being answered (409). Refusals are not kept: what they refused was not
done, and may go well later.
"""

import asyncio
import hashlib
import re
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.principal import Principal
from dothi.model.problem import Problem
from dothi.ports.answers import Answers, StoredAnswer

KEY = "idempotency-key"
OWN_API = "/api/v1/"
"""The public standards have rules of their own for repeats."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_WELL_FORMED = re.compile(r'"?[A-Za-z0-9._:-]{8,200}"?')


class Repeats:
    """Between the check of the permission and the handler."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._running: set[tuple[str, str]] = set()

    async def answer(self, request: Request, principal: Principal, endpoint: Endpoint) -> Response:
        """The kept answer, or the handler's.

        Raises:
            Problem: the key cannot be one (400), stands for another request (422), or the first
                request with it is still being answered (409).
        """
        if request.method in _SAFE_METHODS or endpoint.has_secret_answer:
            return await _answered(request, endpoint)
        key = request.headers[KEY]
        if not _WELL_FORMED.fullmatch(key):
            raise _refusal(400, "this cannot be a key", "8 to 200 letters, digits, `.`, `_`, `-`")
        place = (principal.name, key.strip('"'))
        if place in self._running:
            raise _refusal(409, "the first request with this key is not answered yet", "try later")
        self._running.add(place)
        try:
            return await self._once(request, place, endpoint)
        finally:
            self._running.discard(place)

    async def _once(self, request: Request, place: tuple[str, str], endpoint: Endpoint) -> Response:
        who, key = place
        digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
        digest.update(await request.body())
        asked = digest.hexdigest()
        known = await asyncio.to_thread(self._answers.find, who, key)
        if known is not None:
            if known.request != asked:
                raise _refusal(422, "the key was used for another request", "make a new key")
            return _again(known)
        response = await _answered(request, endpoint)
        if response.status_code < 400:
            media_type, at = response.headers.get("content-type", ""), datetime.now(UTC)
            body, status = bytes(response.body), response.status_code
            await asyncio.to_thread(
                self._answers.keep, StoredAnswer(who, key, asked, status, media_type, body, at)
            )
        return response


async def _answered(request: Request, endpoint: Endpoint) -> Response:
    response: Response = await endpoint.handler(request)
    return response


def _again(known: StoredAnswer) -> Response:
    headers = {"cache-control": "no-store", "idempotent-replayed": "true"}
    return Response(known.body, known.status, headers, known.media_type or None)


def _refusal(status: int, detail: str, remedy: str) -> Problem:
    return Problem(
        "idempotency_key",
        "The idempotency key cannot be used",
        detail,
        status,
        where="header Idempotency-Key",
        remedy=remedy,
    )
