"""What a value of each kind of attribute must be (clauses 4.5.2 to 4.5.26)."""

import re
from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.geometry import check_geometry
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.names import check_name, check_uri
from dothi.model.row import Kind

_LANGUAGE = re.compile(r"@none|[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def check_value(kind: Kind, raw: Any, where: str, context: LdContext) -> Any:
    """The value as an Instance keeps it. Raises NgsiError BadRequestData naming the place."""
    if kind is Kind.JSON_PROPERTY:
        return raw
    if raw is None:
        raise bad_request_data(f"{where}: null is no value")
    if kind is Kind.PROPERTY:
        refuse_nulls(raw, where)
        return raw
    if kind is Kind.LIST_PROPERTY:
        refuse_nulls(_array(raw, where), where)
        return raw
    return _CHECKS[kind](raw, where, context)


def refuse_nulls(value: Any, where: str) -> None:
    """JSON-LD drops null members without a word, so they are refused instead of lost."""
    pending = [value]
    while pending:
        part = pending.pop()
        if part is None or part == NGSI_NULL:
            raise bad_request_data(f"{where}: null is not allowed inside a value")
        if isinstance(part, dict):
            pending += part.values()
        elif isinstance(part, list):
            pending += part


def _geometry(raw: Any, where: str, _context: LdContext) -> Any:
    try:
        check_geometry(raw, where)
    except ValueError as error:
        raise bad_request_data(str(error)) from error
    return raw


def _object(raw: Any, where: str, _context: LdContext) -> Any:
    for uri in raw if isinstance(raw, list) and raw else [raw]:
        check_uri(uri, where)
    return raw


def _language_map(raw: Any, where: str, _context: LdContext) -> Any:
    if not isinstance(raw, dict) or not raw:
        raise bad_request_data(f"{where}: a language map is an object of language tag and text")
    for tag, text in raw.items():
        if not _LANGUAGE.fullmatch(tag):
            raise bad_request_data(f"{where}: {tag!r} is no language tag (BCP 47)")
        texts = text if isinstance(text, list) and text else [text]
        if not all(isinstance(part, str) for part in texts):
            raise bad_request_data(f"{where}.{tag} must be a string or an array of strings")
    return raw


def _vocabulary(raw: Any, where: str, context: LdContext) -> Any:
    for term in raw if isinstance(raw, list) and raw else [raw]:
        check_name(term, where)
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
    Kind.LANGUAGE_PROPERTY: _language_map,
    Kind.VOCAB_PROPERTY: _vocabulary,
    Kind.LIST_RELATIONSHIP: _objects,
}
