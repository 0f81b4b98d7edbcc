"""URL parameters: known ones only, each once, lists split, numbers and times checked."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NoReturn

from starlette.requests import Request

from dothi.facades.ngsi_ld.errors import bad_request_data, invalid_request, too_many_results
from dothi.facades.ngsi_ld.wire.representation import Format
from dothi.facades.ngsi_ld.wire.times import parse_date_time

_FORMATS = {
    "normalized": Format.NORMALIZED,
    "concise": Format.CONCISE,
    "simplified": Format.SIMPLIFIED,
    "keyValues": Format.SIMPLIFIED,
}
_MAX_NUMBER = 1 << 40
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,13}")


class Parameters:
    """The parameters of one request."""

    def __init__(self, request: Request, allowed: frozenset[str]) -> None:
        """Raises NgsiError InvalidRequest for unknown or repeated parameters."""
        self._values: dict[str, str] = {}
        self.add(request.query_params.multi_items(), allowed)

    def add(self, items: Iterable[tuple[str, str]], allowed: frozenset[str]) -> None:
        """Further parameters, such as those that a body stands for. Raises like the constructor."""
        for name, value in items:
            if name not in allowed:
                known = ", ".join(sorted(allowed)) or "none"
                raise invalid_request(f"there is no parameter {name!r} here; known are: {known}")
            if name in self._values:
                raise invalid_request(f"the parameter {name!r} is given twice")
            self._values[name] = value

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Parameters":
        """What a body says in the place of parameters."""
        made = cls.__new__(cls)
        made._values = dict(values)
        return made

    @property
    def values(self) -> Mapping[str, str]:
        """Name -> text, as they were given."""
        return self._values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """The value; empty when the parameter is missing. An empty value is an error."""
        value = self._values.get(name)
        if value is None:
            return ""
        if not value:
            self._wrong(name, "is empty")
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """A comma-separated list."""
        text = self.text(name)
        parts = tuple(part.strip() for part in text.split(",")) if text else ()
        if not all(parts):
            self._wrong(name, "has an empty element")
        return parts

    def count(self, name: str, default: int, highest: int, lowest: int = 0) -> int:
        """A whole number in lowest..highest."""
        text = self.text(name)
        if not text:
            return default
        if not _WHOLE_NUMBER.fullmatch(text):
            self._wrong(name, f"must be a whole number in {lowest}..{highest}, not {text!r}")
        if not lowest <= int(text) <= highest:
            self._wrong(name, f"must be in {lowest}..{highest}, not {text}")
        return int(text)

    def limit(self, default: int, highest: int) -> int:
        """The size of a page (clauses 5.5.9 and 6.3.10). Raises also NgsiError TooManyResults."""
        found = self.count("limit", default, _MAX_NUMBER)
        if found > highest:
            raise too_many_results(f"parameter limit is {found}; at most {highest} may be")
        return found

    def is_true(self, name: str) -> bool:
        text = self.text(name)
        if text not in {"", "true", "false"}:
            self._wrong(name, f"must be true or false, not {text!r}")
        return text == "true"

    def time(self, name: str) -> datetime | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return parse_date_time(text)
        except ValueError as error:
            self._wrong(name, str(error))

    def options(self, allowed: frozenset[str]) -> frozenset[str]:
        """The elements of `options`, all among the allowed."""
        found = frozenset(self.names("options"))
        if found - allowed:
            raise invalid_request(
                f"parameter options: {sorted(found - allowed)} is not among {sorted(allowed)}"
            )
        return found

    def format(self) -> Format:
        """From `format`, else from `options`; normalized when neither says."""
        options = self.options(READ_OPTIONS)
        chosen = self.text("format")
        if chosen:
            if chosen not in _FORMATS:
                raise invalid_request(
                    f"parameter format: {chosen!r} is not among {sorted(_FORMATS)}"
                )
            return _FORMATS[chosen]
        named = {_FORMATS[o] for o in options if o in _FORMATS}
        if len(named) > 1:
            raise invalid_request("parameter options names two representations")
        return next(iter(named), Format.NORMALIZED)

    def wants_system_attributes(self) -> bool:
        """By `options`, or by a parameter of its own as registrations and evolutions have it."""
        return "sysAttrs" in self.options(READ_OPTIONS) or self.is_true("sysAttrs")

    def _wrong(self, name: str, problem: str) -> NoReturn:
        raise bad_request_data(f"parameter {name} {problem}")


READ_OPTIONS = frozenset({*_FORMATS, "sysAttrs"})
READ_PARAMETERS = frozenset({"options", "format", "sysAttrs", "local", "lang"})
"""Parameters of every operation that gives entities."""
