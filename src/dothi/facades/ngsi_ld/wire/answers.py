"""Making answers: exact media types, Link headers, error bodies."""

from typing import Any

import msgspec
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.core import CORE_URL
from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, link_of_context


def problem(error: NgsiError) -> Response:
    return raw_answer(error.body(), JSON, error.status)


def raw_answer(content: Any, media: str, status: int = 200) -> Response:
    """JSON with exactly this media type."""
    return encoded_answer(msgspec.json.encode(content), media, status=status)


def encoded_answer(content: bytes, media: str, link: str = "", status: int = 200) -> Response:
    """JSON that is encoded already; `link`: URL of the @context for the Link header."""
    response = Response(content, status, media_type=media)
    if link:
        response.headers.append("link", link_of_context(link))
    return response


def empty(status: int = 204, headers: dict[str, str] | None = None) -> Response:
    return Response(None, status, headers)


def answer(content: Any, media: str, context: LdContext, status: int = 200) -> Response:
    """An object or an array of objects with its @context where the media type wants it."""
    if media == LD_JSON:
        return raw_answer(with_context(content, context), media, status)
    response = raw_answer(content, media, status)
    response.headers.append("link", link_of_context(context.url))
    return response


def with_context(content: Any, context: LdContext) -> Any:
    """`@context` holds what the user sent; the core alone when the user sent none."""
    if isinstance(content, list):
        return [with_context(part, context) for part in content]
    return {"@context": context_value(context), **content}


def context_value(context: LdContext) -> Any:
    return CORE_URL if context.user is None else context.user
