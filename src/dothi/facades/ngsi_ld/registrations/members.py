"""Checks of members that registrations and their subscriptions share."""

import re
from typing import Any

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.geometry import check_geometry
from dothi.facades.ngsi_ld.wire.times import MOST_S

_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_MEDIA = ("application/json", "application/ld+json")
_MAX_TEXT = 4096
_MOST = 10**12


def check_text(value: Any, where: str) -> None:
    """Raise BadRequestData unless the value is a string that is not empty."""
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT:
        raise bad_request_data(f"{where} must be a text of 1 to {_MAX_TEXT} characters")


def check_line(value: Any, where: str) -> None:
    """Raise BadRequestData unless the value can stand in a header."""
    check_text(value, where)
    if not value.isprintable() or not value.isascii():
        raise bad_request_data(f"{where} must be printable ASCII text of one line, not {value!r}")


def check_duration(value: Any, where: str) -> None:
    """Raise BadRequestData unless the value is an ISO 8601 duration."""
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise bad_request_data(f"{where} must be a duration such as PT5M or P1D, not {value!r}")


def check_positive(value: Any, where: str) -> None:
    """Raise BadRequestData unless the value is a number greater than 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= _MOST:
        shown = repr(value)[:40]
        raise bad_request_data(f"{where} must be a number above 0 and up to {_MOST}, not {shown}")


def check_seconds(value: Any, where: str) -> None:
    """Raise BadRequestData unless the value is a duration above 0 that still leads to a date."""
    check_positive(value, where)
    if value > MOST_S:
        raise bad_request_data(f"{where} must be {MOST_S} seconds at most, not {value!r}")


def check_geo(value: Any, where: str) -> None:
    """Raise BadRequestData unless the value is a GeoJSON geometry, bare or as a GeoProperty."""
    inner = value.get("value") if isinstance(value, dict) and "value" in value else value
    try:
        check_geometry(inner, where)
    except ValueError as error:
        raise bad_request_data(str(error)) from error


def check_pairs(value: Any, where: str) -> None:
    """Raise BadRequestData unless the value is an array of KeyValuePair (clause 5.2.22)."""
    if not isinstance(value, list):
        raise bad_request_data(f"{where} must be an array of objects with key and value")
    for index, pair in enumerate(value):
        place = f"{where}[{index}]"
        if not isinstance(pair, dict) or set(pair) != {"key", "value"}:
            raise bad_request_data(f"{place} must be an object with key and value")
        key, text = pair["key"], pair["value"]
        if not isinstance(key, str) or not _HEADER.fullmatch(key):
            raise bad_request_data(f"{place}.key must be the name of a header, not {key!r}")
        if not isinstance(text, str) or not text.isprintable() or not text.isascii():
            raise bad_request_data(f"{place}.value must be printable text of one line")
        _check_meaning(key.lower(), text, f"{place}.value")


def _check_meaning(key: str, text: str, where: str) -> None:
    """Keys that the broker itself reads (clause 4.3.6.6)."""
    if key in {"accept", "contenttype"} and text not in _MEDIA:
        raise bad_request_data(f"{where} must be {' or '.join(_MEDIA)}, not {text!r}")
    if key == "jsonldcontext" and not text.startswith(("http://", "https://")):
        raise bad_request_data(f"{where} must be the URL of an @context, not {text!r}")
    if key == "ngsildconformance" and not re.fullmatch(r"\d+\.\d+", text):
        raise bad_request_data(f"{where} must be a version such as 1.5, not {text!r}")
