"""Fills the templates of an HTTP gateway, with the values escaped as the place wants it."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import msgspec

from dothi.model.problem import Problem
from dothi.notify.settings import GatewaySettings

_NAME = re.compile(r"\{([a-z]+)\}")
NAMES = frozenset({"address", "title", "text", "short", "key", "person", "notice", "url"})
SECRET = "secret"  # noqa: S105 - the name of the placeholder
_EXPRESSIONS = (
    *("success", "retry", "reference"),
    *("receipt", "receipt_delivered", "receipt_failed"),
)
_LINE_BREAKS = re.compile(r"[\r\n\x00]+")

Escape = Callable[[str], str]


def in_url(value: str) -> str:
    return quote(value, safe="")


def in_header(value: str) -> str:
    return _LINE_BREAKS.sub(" ", value)


def escape_for(content_type: str) -> Escape:
    """How a value is written within a body of this type."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        # Within quotes of the template: without those that the encoder adds.
        return lambda value: msgspec.json.encode(value).decode()[1:-1]
    if kind == "application/x-www-form-urlencoded":
        return quote_plus
    if kind.endswith("xml"):
        return lambda value: escape(value, {'"': "&quot;"})
    return lambda value: value


def filled(template: str, values: Mapping[str, str], escaped: Escape) -> str:
    """Only names that are known are filled in; other braces are part of the body."""
    return _NAME.sub(
        lambda found: escaped(values[found[1]]) if found[1] in values else found[0], template
    )


def check_templates(name: str, settings: GatewaySettings) -> None:
    """Raise Problem: a secret would stand in an address, or an expression cannot be used."""
    where = f"[notices.gateways.{name}]"
    if f"{{{SECRET}}}" in settings.url:
        raise _wrong(where + " url", "an address is logged on its way; it may hold no {secret}")
    if not settings.url.startswith(("https://", "http://")):
        raise _wrong(where + " url", "it must begin with https:// or http://")
    for setting in _EXPRESSIONS:
        try:
            expression = re.compile(getattr(settings, setting))
        except re.error as error:
            raise _wrong(f"{where} {setting}", str(error)) from error
        if setting == "receipt" and expression.pattern:
            _check_receipt(expression, settings, where)
        if setting == "reference" and settings.reference and not expression.groups:
            raise _wrong(f"{where} {setting}", "it has no group in parentheses")


def _check_receipt(expression: re.Pattern[str], settings: GatewaySettings, where: str) -> None:
    missing = {"id", "state"} - expression.groupindex.keys()
    if missing:
        groups = ", ".join(f"(?P<{name}>...)" for name in sorted(missing))
        raise _wrong(f"{where} receipt", f"it lacks {groups}")
    for needed in ("reference", "receipt_delivered", "receipt_secret_file"):
        if not getattr(settings, needed):
            raise _wrong(f"{where} {needed}", "receipts need it")


def _wrong(where: str, detail: str) -> Problem:
    return Problem(
        "gateway_wrong",
        "A gateway is set up wrongly",
        detail,
        500,
        where=where,
        remedy="the guide Notifications has examples",
    )
