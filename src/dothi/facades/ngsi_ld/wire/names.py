"""Rules for ids, names and scopes (clauses 4.6.2, 4.18 and RFC 3986)."""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from dothi.facades.ngsi_ld.context.core import DEFAULT_VOCAB
from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL, NO_ATTRIBUTES

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x1f]+")
_NAME = re.compile(r"[^\W\d_]\w*(:[^\W\d_]\w*)?")
_SCOPE = re.compile(r"/?[^\W\d_]\w*(/[^\W\d_]\w*)*")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U000e0000-\U000e0fff]"
)
"""Characters that nobody sees: with one of them an id reads like another id."""
_MAX_LENGTH = 512
_WEB = ("http", "https")
_MAX_URI = 1024


def check_uri(value: Any, where: str) -> None:
    """Raise BadRequestData when the value is not an absolute URI."""
    if not isinstance(value, str) or not _is_uri(value):
        raise bad_request_data(f"{where}: {_shown(value)} is not a URI such as urn:ngsi-ld:Room:1")


def check_address(value: Any, where: str, schemes: Collection[str] = _WEB) -> None:
    """Raise BadRequestData when the value is no URL with such a scheme, a host and a right port."""
    check_uri(value, where)
    try:
        parts = urlsplit(value)
        is_right = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise bad_request_data(f"{where}: {_shown(value)} cannot be read: {error}") from error
    if not is_right:
        raise bad_request_data(
            f"{where}: {_shown(value)} is no address that begins with {', '.join(schemes)}"
        )


@lru_cache(maxsize=16_384)
def _is_uri(value: str) -> bool:
    if len(value) > _MAX_URI or value == NGSI_NULL or not _URI.fullmatch(value):
        return False
    return value.isascii() or not (
        _UNSEEN.search(value) or any(ord(c) & 0xFFFE == 0xFFFE for c in value)
    )


def check_name(value: Any, where: str) -> None:
    """Raise BadRequestData when the value is no name, prefix:name or URI."""
    if isinstance(value, str) and _is_name(value):
        return
    raise bad_request_data(
        f"{where}: {_shown(value)} is no name; a name is a letter followed by letters, digits and _"
    )


@lru_cache(maxsize=16_384)
def _is_name(value: str) -> bool:
    if len(value) > _MAX_LENGTH:
        return False
    return bool(_NAME.fullmatch(value)) or (":" in value and _is_uri(value))


def check_scope(value: Any) -> str:
    """The scope, beginning with a slash. Raises BadRequestData."""
    if not isinstance(value, str) or len(value) > _MAX_LENGTH or not _SCOPE.fullmatch(value):
        raise bad_request_data(f"scope: {_shown(value)} is no scope such as /HoChiMinhCity/Ward1")
    return value if value.startswith("/") else f"/{value}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def attribute_name(context: LdContext, stored: str) -> str:
    """Name in an answer of an attribute.

    Devices name attributes as they like; one called `id`, `type` or `value` must not stand in the
    place of the member of that name, so it is told as a name of the default @context.
    """
    if stored in NO_ATTRIBUTES:
        return context.compact(DEFAULT_VOCAB + stored)
    return context.wire(stored)
