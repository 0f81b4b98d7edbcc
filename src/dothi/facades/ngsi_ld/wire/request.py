"""Reading a request: body, media type, @context, within bounds."""

from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request

from dothi.access.deed_kind import DOING, Doing
from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.errors import (
    bad_request_data,
    invalid_request,
    too_large,
)
from dothi.facades.ngsi_ld.wire.negotiation import (
    JSON,
    LD_JSON,
    MERGE_PATCH,
    content_media_type,
    context_link,
)
from dothi.model.nesting import MAX_DEPTH, is_too_deep

_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})


class LengthRequired(Exception):
    """A body without Content-Length: answered with a bare 411."""


class Payload(Struct, frozen=True):
    """A decoded body and where its @context comes from."""

    document: Any
    is_ld: bool
    link: str | None

    async def context(self, contexts: Contexts, item: Any) -> LdContext:
        """The @context of an object in the body. Raises NgsiError when the rules are broken."""
        own = item.get("@context") if isinstance(item, dict) else None
        has_own = isinstance(item, dict) and "@context" in item
        if self.is_ld and not has_own:
            raise bad_request_data(f"{LD_JSON} needs the member @context in the body")
        if not self.is_ld and has_own:
            raise bad_request_data(
                f"only {LD_JSON} takes a member @context in the body; send it as a Link header, "
                f"or the body as {LD_JSON}"
            )
        return await contexts.resolve(own if self.is_ld else self.link)


def check_length(request: Request) -> None:
    """Raises LengthRequired for a POST, PATCH or PUT without Content-Length (6.3.4)."""
    if request.method in _WITH_BODY and not request.headers.get("content-length", "").isdigit():
        raise LengthRequired


async def read_payload(
    request: Request, max_bytes: int, *, takes_merge_patch: bool = False
) -> Payload:
    """The body of a request. Raises NgsiError or LengthRequired."""
    check_length(request)
    allowed = (JSON, LD_JSON, MERGE_PATCH) if takes_merge_patch else (JSON, LD_JSON)
    media = content_media_type(request.headers.get("content-type", ""), allowed)
    link = context_link(request.headers.getlist("link"))
    if media == LD_JSON and link is not None:
        raise bad_request_data(f"{LD_JSON} takes no Link header with a JSON-LD @context")
    raw = await read_body(request, max_bytes)
    document = decode(raw)
    doing: Doing | None = request.scope.get(DOING)
    if doing is not None:
        doing.learn_document(document)
    return Payload(document, media == LD_JSON, link)


async def request_context(request: Request, contexts: Contexts) -> LdContext:
    """The @context of a request without body."""
    return await contexts.resolve(context_link(request.headers.getlist("link")))


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The bytes of the body. Raises NgsiError 413."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > max_bytes:
            raise too_large(f"the body is larger than {max_bytes} bytes; send smaller pieces")
    return bytes(body)


def decode(raw: bytes) -> Any:
    """JSON of bounded depth. Raises NgsiError InvalidRequest."""
    try:
        document = msgspec.json.decode(raw)
    except RecursionError as error:
        raise invalid_request("the body is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid_request(f"the body is not JSON: {error}") from error
    if not _may_be_deep(raw):
        return document
    if is_too_deep(document):
        raise invalid_request(f"the body is nested more than {MAX_DEPTH} deep")
    return document


def _may_be_deep(raw: bytes) -> bool:
    """Whether brackets enough for too deep a nesting stand in one element of the body."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return False
    if not raw.lstrip().startswith(b"["):
        return True
    parts = map(bytes, msgspec.json.decode(raw, type=list[msgspec.Raw]))
    return any(part.count(b"[") + part.count(b"{") >= MAX_DEPTH for part in parts)
