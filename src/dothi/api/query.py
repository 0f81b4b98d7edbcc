"""Queries and bodies, decoded strictly: what is not known is an error that names the nearest."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, get_origin

import msgspec
from starlette.requests import Request

from dothi.access.deed_kind import DOING, Doing
from dothi.model.problem import Problem

T = TypeVar("T")

MAX_BODY_BYTES = 256 * 1024
Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number or a version of something: what JavaScript writes exactly, and every store holds."""


def decode_query(request: Request, shape: type[T]) -> T:
    """The query string as a msgspec Struct; fields of type `list` may be repeated.

    Raises:
        Problem: unknown, repeated, missing or wrong parameter (400).
    """
    fields = {f.encode_name: f for f in msgspec.structs.fields(shape)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name not in fields:
            raise _unknown(name, list(fields))
        if get_origin(fields[name].type) is list:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise wrong_parameter(name, "is given twice", "give it once")
        else:
            values[name] = value
    try:
        return _learnt(request, msgspec.convert(values, shape, strict=False))
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$.")
        named = path.rstrip("`").partition("[")[0]
        raise wrong_parameter(named or "query", text, _hint(str(values.get(named, "")))) from error


async def read_body(request: Request, most: int = MAX_BODY_BYTES) -> bytes:
    """The bytes of a body. Raises Problem: more than `most` (413)."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise Problem(
                "body_too_large",
                "Body too large",
                f"at most {most:,} bytes are taken",
                413,
                where="body",
            )
    return body


async def decode_body(request: Request, shape: type[T], named: str = "") -> T:
    """A JSON body as a msgspec Struct, or as a dict of what `named` says.

    Raises:
        Problem: too large (413), not JSON or of another shape (400).
    """
    body = await read_body(request)
    try:
        return _learnt(request, msgspec.json.decode(body, type=shape))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        remedy = f"send {named} as a JSON object"
        if not named:
            names = [f.encode_name for f in msgspec.structs.fields(shape)]  # type: ignore[arg-type]
            remedy = f"send a JSON object with the fields {', '.join(names)}"
        raise Problem(
            "body_invalid",
            "Body not understood",
            str(error),
            where="body",
            remedy=remedy,
        ) from error


def _learnt(request: Request, found: T) -> T:
    """What was decoded, after the audit record has learnt what it is about."""
    doing: Doing | None = request.scope.get(DOING)
    if doing is not None:
        doing.learn(found)
    return found


def wrong_parameter(name: str, detail: str, remedy: str = "") -> Problem:
    """A parameter whose value cannot be used."""
    return Problem(
        "parameter_invalid",
        "Parameter not understood",
        f"{name}: {detail}",
        where=f"query {name}",
        remedy=remedy,
    )


def _unknown(name: str, known: Sequence[str]) -> Problem:
    near = get_close_matches(name, known, 1)
    remedy = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(known)
    return Problem(
        "parameter_unknown",
        "Unknown parameter",
        f"{name!r} is not a parameter of this request",
        where=f"query {name}",
        remedy=f"{remedy}known: {listed}" if known else "this request has no parameters",
    )


def _hint(value: str) -> str:
    if " " in value and value[:4].isdigit():
        return "write + as %2B in an address"
    return "see docs/reference/http-api.md"
