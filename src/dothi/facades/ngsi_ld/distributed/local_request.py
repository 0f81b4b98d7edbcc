"""A changed copy of an incoming request, for the part of an operation that is done here."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.wire.request import read_body

_UNCHANGED = object()
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Incoming:
    """A request whose body was read, so that it can be handled more than once."""

    def __init__(self, request: Request, body: bytes) -> None:
        self.request = request
        self.body = body

    @property
    def raw_path(self) -> str:
        """The path as it was sent, percent-encoded."""
        raw = self.request.scope.get("raw_path") or quote(self.request.url.path).encode()
        return raw.decode("ascii").partition("?")[0]

    def copy(
        self, body: Any = _UNCHANGED, query: Sequence[tuple[str, str]] | None = None
    ) -> Request:
        """The request again, with another JSON body or other parameters where given."""
        raw = self.body if body is _UNCHANGED else msgspec.json.encode(body)
        scope = dict(self.request.scope)
        scope["state"] = dict(scope.get("state", {}))
        if raw is not self.body:
            scope["headers"] = [
                (name, str(len(raw)).encode() if name == b"content-length" else value)
                for name, value in scope["headers"]
            ]
        if query is not None:
            scope["query_string"] = urlencode(query, quote_via=quote).encode()
        return Request(scope, _receive(raw))


async def read_incoming(request: Request, max_bytes: int) -> Incoming:
    """Read the body of the request, if it has one. Raises NgsiError when it is too large."""
    has_body = request.headers.get("content-length", "0") not in {"", "0"}
    return Incoming(request, await read_body(request, max_bytes) if has_body else b"")


def decoded(response: Response) -> Any:
    """The JSON body of an answer made here; None when it is empty."""
    return msgspec.json.decode(response.body) if response.body else None


def _receive(raw: bytes) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": raw, "more_body": False}

    return receive
