"""Rules for ids, names and scopes (clauses 4.6.2, 4.18 and RFC 3986)."""

import re
from typing import Any

from dothi.facades.ngsi_ld.errors import bad_request_data

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x1f]+")
_NAME = re.compile(r"[^\W\d_]\w*(:[^\W\d_]\w*)?")
_SCOPE = re.compile(r"/?[^\W\d_]\w*(/[^\W\d_]\w*)*")
_MAX_LENGTH = 512
_MAX_URI = 1024


def check_uri(value: Any, where: str) -> None:
    """Raise BadRequestData when the value is not an absolute URI."""
    if not isinstance(value, str) or len(value) > _MAX_URI or not _URI.fullmatch(value):
        raise bad_request_data(f"{where}: {_shown(value)} is not a URI such as urn:ngsi-ld:Room:1")


def check_name(value: Any, where: str) -> None:
    """Raise BadRequestData when the value is no name, prefix:name or URI."""
    if isinstance(value, str) and len(value) <= _MAX_LENGTH and _is_name(value):
        return
    raise bad_request_data(
        f"{where}: {_shown(value)} is no name; a name is a letter followed by letters, digits and _"
    )


def _is_name(value: str) -> bool:
    return bool(_NAME.fullmatch(value)) or (":" in value and bool(_URI.fullmatch(value)))


def check_scope(value: Any) -> str:
    """The scope, beginning with a slash. Raises BadRequestData."""
    if not isinstance(value, str) or len(value) > _MAX_LENGTH or not _SCOPE.fullmatch(value):
        raise bad_request_data(f"scope: {_shown(value)} is no scope such as /HoChiMinhCity/Ward1")
    return value if value.startswith("/") else f"/{value}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
