"""How a person wants to be told of things."""

from collections.abc import Sequence
from datetime import time
from fnmatch import fnmatchcase

from msgspec import Struct

from dothi.model.priority import Priority


class QuietHours(Struct, frozen=True):
    """A time of every day, local; it may reach over midnight. Priority 1 comes nevertheless."""

    begins: time
    ends: time
    weekdays: tuple[int, ...] = ()
    """On which it begins: 1 is Monday (ISO 8601); empty: on every one."""


class Preference(Struct, frozen=True):
    """What one person chose."""

    person: str
    least_priority: Priority = Priority.LOW
    """Less urgent things are not told."""
    kinds: tuple[str, ...] = ()
    """Kinds of notices, `*` stands for any letters: `alarm.*`. Empty: all."""
    quiet: tuple[QuietHours, ...] = ()
    language: str = ""
    """vi or en; empty: the language of the person."""
    channels: tuple[str, ...] = ()
    """In the order in which they are tried. Empty: in the order of the settings."""
    is_told_off_duty: bool = False
    """Also of things that are meant for nobody in particular while she or he is not on duty."""

    def wants(self, kind: str, priority: Priority) -> bool:
        """Whether a notice is of a kind and urgency that was chosen."""
        return priority <= self.least_priority and matches_kind(kind, self.kinds)


def matches_kind(kind: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns fits; without patterns every kind does."""
    return not patterns or any(fnmatchcase(kind, pattern) for pattern in patterns)
