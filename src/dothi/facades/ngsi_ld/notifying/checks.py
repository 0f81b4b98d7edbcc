"""What single members of a subscription must be; every error is BadRequestData with the place."""

import re
from collections.abc import Callable
from typing import Any

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.projection import parse_projection
from dothi.facades.ngsi_ld.grammar.q import pattern_problem
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.wire.names import check_address, check_name, check_uri
from dothi.facades.ngsi_ld.wire.times import MOST_S, parse_utc

Check = Callable[[Any, str], Any]
"""Gives the value as it is kept; the second argument names the place."""

_VERSION = re.compile(r"\d{1,3}\.\d{1,3}")
_LANGUAGE = re.compile(r"(\*|[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*)([,;].*)?")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_MAX_TEXT = 16_384
_PROJECTED = re.compile(r"[^{},|\s]+(\{[^\s]*\})?")


def text(raw: Any, where: str) -> str:
    if not isinstance(raw, str) or len(raw) > _MAX_TEXT:
        raise bad_request_data(f"{where} must be a string, not {_shown(raw)}")
    return raw


def word(raw: Any, where: str) -> str:
    """A string that is not empty."""
    if not text(raw, where).strip():
        raise bad_request_data(f"{where} is empty")
    return str(raw)


def boolean(raw: Any, where: str) -> bool:
    if not isinstance(raw, bool):
        raise bad_request_data(f"{where} must be true or false, not {_shown(raw)}")
    return raw


def positive(raw: Any, where: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw < 1e12:
        raise bad_request_data(f"{where} must be a number greater than 0, not {_shown(raw)}")
    return raw


def seconds(raw: Any, where: str) -> float:
    """A duration above 0 that still leads to a date."""
    found = positive(raw, where)
    if found > MOST_S:
        raise bad_request_data(f"{where} must be {MOST_S} seconds at most, not {_shown(raw)}")
    return found


def whole_positive(raw: Any, where: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw < 1e6:
        raise bad_request_data(f"{where} must be a whole number greater than 0, not {_shown(raw)}")
    if raw != int(raw):
        raise bad_request_data(f"{where} must be a whole number, not {_shown(raw)}")
    return int(raw)


def time(raw: Any, where: str) -> str:
    try:
        parse_utc(raw)
    except ValueError as error:
        raise bad_request_data(f"{where}: {error}") from error
    return str(raw)


def uri(raw: Any, where: str) -> str:
    check_uri(raw, where)
    return str(raw)


def web_uri(raw: Any, where: str) -> str:
    check_address(raw, where)
    return str(raw)


def one_of(*allowed: str) -> Check:
    def check(raw: Any, where: str) -> str:
        if not isinstance(raw, str) or raw not in allowed:
            raise bad_request_data(f"{where} must be one of {', '.join(allowed)}")
        return raw

    return check


def array_of(check: Check, *, takes_single: bool = False) -> Check:
    """An array that is not empty."""

    def check_array(raw: Any, where: str) -> list[Any]:
        found = [raw] if takes_single and isinstance(raw, str) else raw
        if not isinstance(found, list) or not found:
            raise bad_request_data(f"{where} must be an array with one element or more")
        return [check(part, f"{where}[{index}]") for index, part in enumerate(found)]

    return check_array


def name(raw: Any, where: str) -> str:
    check_name(raw, where)
    return str(raw)


def projection(raw: Any, where: str) -> str:
    """An element of the projection language (clause 4.21): a name, or a name with `{…}`."""
    if not isinstance(raw, str) or not _PROJECTED.fullmatch(raw):
        raise bad_request_data(f"{where}: {_shown(raw)} names no member")
    check_name(raw.partition("{")[0], where)
    try:
        if "{" in raw:
            parse_projection(raw, lambda name: name)
    except GrammarError as error:
        raise bad_request_data(f"{where}: {error}") from error
    return raw


def pattern(raw: Any, where: str) -> str:
    problem = pattern_problem(word(raw, where))
    if problem:
        raise bad_request_data(f"{where} is no regular expression: {problem}")
    return str(raw)


def dataset(raw: Any, where: str) -> str:
    return "@none" if raw == "@none" else uri(raw, where)


def version(raw: Any, where: str) -> str:
    if not isinstance(raw, str) or not _VERSION.fullmatch(raw):
        raise bad_request_data(f"{where} must be a version such as 1.6, not {_shown(raw)}")
    return raw


def language(raw: Any, where: str) -> str:
    if not isinstance(raw, str) or not _LANGUAGE.fullmatch(raw):
        raise bad_request_data(f"{where} must be a language tag such as vi, not {_shown(raw)}")
    return raw


def pair(raw: Any, where: str) -> dict[str, str]:
    """A KeyValuePair (clause 5.2.22) whose key may be the name of a header."""
    if not isinstance(raw, dict):
        raise bad_request_data(f"{where} must be an object with key and value")
    key, value = raw.get("key"), raw.get("value")
    if not isinstance(key, str) or not _HEADER.fullmatch(key):
        raise bad_request_data(f"{where}.key must be a name of letters, digits and -")
    if not isinstance(value, str) or not value.isprintable():
        raise bad_request_data(f"{where}.value must be a string of one line")
    return {"key": key, "value": value}


def _shown(value: Any) -> str:
    found = repr(value)
    return found if len(found) <= 80 else found[:77] + "..."
