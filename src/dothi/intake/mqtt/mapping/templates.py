"""Templates with `{variables}`, and topics as patterns that fill them."""

import re
from collections.abc import Callable, Mapping

from dothi.intake.mqtt.codec.topics import check_filter
from dothi.intake.mqtt.mapping.bad_payload import BadPayload

_VARIABLE = re.compile(r"\{([^{}|]+)(?:\|([^{}]*))?\}")
PAYLOAD = "payload."

Lookup = Callable[[str], str | None]


class Template:
    """Text with variables `{name}` or `{name|fallback}`."""

    def __init__(self, text: str) -> None:
        self.text = text
        pieces = _VARIABLE.split(text)
        self._literals = pieces[0::3]
        self._names: list[str] = pieces[1::3]
        self._fallbacks: list[str | None] = pieces[2::3]
        self._is_bare = self._literals == ["", ""]
        """One variable and nothing around it."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._names)

    @property
    def payload_paths(self) -> tuple[str, ...]:
        """Paths that are looked up inside the payload."""
        return tuple(n[len(PAYLOAD) :] for n in self._names if n.startswith(PAYLOAD))

    def render(self, lookup: Lookup) -> str:
        """Raises BadPayload (variable_missing) when a variable has neither value nor fallback."""
        if not self._names:
            return self.text
        if self._is_bare:
            value = lookup(self._names[0])
            if value is None:
                value = self._fallbacks[0]
            if value is not None:
                return value
        out = [self._literals[0]]
        for name, fallback, literal in zip(
            self._names, self._fallbacks, self._literals[1:], strict=True
        ):
            value = lookup(name)
            if value is None:
                value = fallback
            if value is None:
                raise BadPayload("variable_missing", f"`{name}` of {self.text!r} is not there")
            out += (value, literal)
        return "".join(out)


class TopicPattern:
    """A topic whose levels may be `{variables}`, e.g. `site/{entity}/+/{attribute}`."""

    def __init__(self, topic: str) -> None:
        self._levels = topic.split("/")
        self.variables = tuple(v for v in map(_level_variable, self._levels) if v)
        self.filter = "/".join("+" if _level_variable(one) else one for one in self._levels)
        """The MQTT topic filter that selects the same topics."""
        check_filter(self.filter)
        self._takes_rest = self._levels[-1] == "#"
        if self._takes_rest:
            self._levels.pop()

    def match(self, topic: str) -> Mapping[str, str] | None:
        """The variables, or None when the topic does not fit."""
        given = topic.split("/")
        wanted = self._levels
        if len(given) < len(wanted) or (len(given) > len(wanted) and not self._takes_rest):
            return None
        found: dict[str, str] = {}
        for level, value in zip(wanted, given, strict=False):
            variable = _level_variable(level)
            if variable:
                found[variable] = value
            elif level not in ("+", value):
                return None
        return found


def _level_variable(level: str) -> str:
    whole = _VARIABLE.fullmatch(level)
    return whole[1] if whole else ""


def find_path(value: object, path: str) -> object:
    """What lies under a dotted path of JSON objects; None when it is not there."""
    if "." not in path:
        return value.get(path) if isinstance(value, dict) else None
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
