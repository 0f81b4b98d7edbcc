"""Positions: what people may be on duty as, what each may do, and how days are cut into shifts."""

from collections.abc import Iterable, Mapping
from datetime import date, time

import msgspec
from msgspec import Struct

from dothi.access.permission import Permission


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A position of the operations centre."""

    id: str
    title_vi: str
    title_en: str
    permissions: frozenset[Permission]
    is_on_shift: bool = False
    """It is taken over, handed over, and stands in the roster."""


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a day is cut into shifts, by the local clock."""

    id: str
    title_vi: str
    title_en: str
    starts: tuple[time, ...]
    """In the order of the day."""
    hours: float | None = None
    """Length of each; None: until the next begins."""


class Rest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long somebody rests between two shifts, at least."""

    hours: float
    source: str
    valid_from: date
    mark: str
    """verified or unverified: whether somebody compared it with the source."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    position: tuple[Position, ...]
    pattern: tuple[Pattern, ...] = ()
    rest: Rest | None = None


class Positions(Struct, frozen=True):
    """The whole file."""

    by_id: Mapping[str, Position]
    patterns: Mapping[str, Pattern]
    rest: Rest | None

    def permissions_of(self, positions: Iterable[str]) -> frozenset[Permission]:
        """What somebody at these positions may do; positions that are not known give nothing."""
        known = (self.by_id.get(position) for position in positions)
        return frozenset(p for position in known if position for p in position.permissions)


def read_positions(text: bytes) -> Positions:
    """Positions of a TOML file.

    Raises:
        msgspec.DecodeError: not TOML, an unknown field or permission, or no shift in a pattern.
    """
    found = msgspec.toml.decode(text, type=_File)
    for pattern in found.pattern:
        if not pattern.starts or list(pattern.starts) != sorted(set(pattern.starts)):
            raise msgspec.ValidationError(
                f"pattern {pattern.id!r}: `starts` are times of the day in ascending order"
            )
    return Positions(
        {position.id: position for position in found.position},
        {pattern.id: pattern for pattern in found.pattern},
        found.rest,
    )
