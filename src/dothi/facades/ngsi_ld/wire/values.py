"""What a value of each kind of attribute must be (clauses 4.5.2 to 4.5.24, 4.6, 4.7)."""

import re
from functools import lru_cache
from typing import Any

import msgspec

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.geometry import check_geometry
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.model.row import Kind

_JSON_PROPERTY = Kind.JSON_PROPERTY
_PROPERTY = Kind.PROPERTY
_LIST_PROPERTY = Kind.LIST_PROPERTY
_LANGUAGE_PROPERTY = Kind.LANGUAGE_PROPERTY
_TERM = re.compile(r"[^\s<>\"{}|\\^`\x00-\x1f]{1,1024}")
"""What becomes an IRI; the rules for names of attributes and types do not hold for it."""
_LANGUAGE = re.compile(r"@none|[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def check_value(
    kind: Kind, raw: Any, where: str, context: LdContext, *, merges: bool = False
) -> Any:
    """The value as an Instance keeps it. Raises NgsiError BadRequestData naming the place.

    `merges`: NGSI-LD Nulls may stand inside objects, where they delete members (clause 5.5.12).
    """
    if kind is _JSON_PROPERTY:
        return _json(raw, where, merges=merges)
    if raw is None:
        raise bad_request_data(f"{where}: null is no value")
    if kind is _PROPERTY:
        if type(raw) is not float and type(raw) is not int:
            refuse_nulls(raw, where, in_objects=not merges)
        return raw
    if kind is _LIST_PROPERTY:
        refuse_nulls(_array(raw, where), where)
        return raw
    if kind is _LANGUAGE_PROPERTY:
        return _language_map(raw, where, merges=merges)
    return _CHECKS[kind](raw, where, context)


def refuse_nulls(value: Any, where: str, *, in_objects: bool = True) -> None:
    """JSON-LD drops null members without a word, so they are refused instead of lost.

    `in_objects` False: NGSI-LD Nulls may be values of object members, and only there.
    """
    pending = [value]
    while pending:
        part = pending.pop()
        if part is None or part == NGSI_NULL:
            raise bad_request_data(f"{where}: null is not allowed inside a value")
        if isinstance(part, dict) and not is_literal(part):
            pending += part.values() if in_objects else _kept(part)
        elif isinstance(part, list):
            pending += part


def is_literal(part: dict[str, Any]) -> bool:
    """Whether it is a JSON literal (clause 4.5.0): opaque, and the one place for null."""
    return part.get("@type") == "@json" and part.keys() == {"@type", "@value"}


def _kept(part: dict[str, Any]) -> list[Any]:
    return [member for member in part.values() if member != NGSI_NULL]


def _json(raw: Any, where: str, *, merges: bool) -> Any:
    if not isinstance(raw, dict | list):
        raise bad_request_data(f"{where} must be a JSON object or an array of objects")
    pending: list[Any] = [raw]
    while pending:
        part = pending.pop()
        if part == NGSI_NULL:
            raise bad_request_data(f"{where}: {NGSI_NULL} is not allowed inside a value")
        if isinstance(part, dict):
            pending += _kept(part) if merges else part.values()
        elif isinstance(part, list):
            pending += part
    return raw


def _geometry(raw: Any, where: str, _context: LdContext) -> Any:
    if _is_plain_point(raw):
        return raw
    if isinstance(raw, str):
        raw = _parsed(raw, where)
    if isinstance(raw, dict) and raw.get("type") == "GeometryCollection":
        raise bad_request_data(f"{where}: a GeometryCollection is no value of a GeoProperty")
    try:
        check_geometry(raw, where)
    except ValueError as error:
        raise bad_request_data(str(error)) from error
    return raw


def _is_plain_point(raw: Any) -> bool:
    """Whether it is what most geometries are."""
    if type(raw) is not dict or raw.get("type") != "Point":
        return False
    at = raw.get("coordinates")
    if type(at) is not list or len(at) != 2 or type(at[0]) is not float or type(at[1]) is not float:
        return False
    return -180 <= at[0] <= 180 and -90 <= at[1] <= 90


def _parsed(raw: str, where: str) -> Any:
    """A whole geometry may come as a JSON string (clause 4.7.2)."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise bad_request_data(f"{where}: the string is no GeoJSON geometry") from error


def _object(raw: Any, where: str, _context: LdContext) -> Any:
    for uri in raw if isinstance(raw, list) and raw else [raw]:
        check_uri(uri, where)
    return raw


def _language_map(raw: Any, where: str, *, merges: bool) -> Any:
    if not isinstance(raw, dict) or not raw:
        raise bad_request_data(f"{where}: a language map is an object of language tag and text")
    for tag, text in raw.items():
        if not _is_language(tag):
            raise bad_request_data(f"{where}: {tag!r} is no language tag (BCP 47)")
        if text == NGSI_NULL and not merges:
            raise bad_request_data(
                f"{where}.{tag}: {NGSI_NULL} deletes, there is nothing to delete"
            )
        if type(text) is str:
            continue
        if not (isinstance(text, list) and text and all(isinstance(part, str) for part in text)):
            raise bad_request_data(f"{where}.{tag} must be a string or an array of strings")
    return raw


@lru_cache(maxsize=1024)
def _is_language(tag: str) -> bool:
    return _LANGUAGE.fullmatch(tag) is not None


def _vocabulary(raw: Any, where: str, context: LdContext) -> Any:
    for term in raw if isinstance(raw, list) and raw else [raw]:
        if not isinstance(term, str) or not _TERM.fullmatch(term):
            raise bad_request_data(f"{where}: {term!r:.80} is no name or IRI without spaces")
    if isinstance(raw, list):
        return [context.stored(term) for term in raw]
    return context.stored(raw)


def _objects(raw: Any, where: str, _context: LdContext) -> Any:
    found = []
    for index, part in enumerate(_array(raw, where)):
        uri = part.get("object") if isinstance(part, dict) else part
        check_uri(uri, f"{where}[{index}]")
        found.append(uri)
    return found


def _array(raw: Any, where: str) -> list[Any]:
    if not isinstance(raw, list):
        raise bad_request_data(f"{where} must be an array")
    return raw


_CHECKS = {
    Kind.GEO_PROPERTY: _geometry,
    Kind.RELATIONSHIP: _object,
    Kind.VOCAB_PROPERTY: _vocabulary,
    Kind.LIST_RELATIONSHIP: _objects,
}
