"""Times during which a rule was active, in columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, overload

import numpy as np
from msgspec import Struct

from dothi.model.moments import at_of, us_of
from dothi.model.transition import Transition
from dothi.rules.arrays import Bools, Ints

STILL_US = 2**62
"""Stands for the end of what was active at the end."""


class Told(Protocol):
    """What is said of a firing; found out when somebody asks."""

    @property
    def text(self) -> str: ...

    @property
    def text_en(self) -> str: ...

    @property
    def explanation(self) -> str: ...


class Firing(Struct, frozen=True):
    """A time during which a rule was active."""

    entity: str
    start_at: datetime
    end_at: datetime | None
    """None: still at the end of the test."""
    told: Told


@dataclass(frozen=True)
class Firings(Sequence[Firing]):
    """By start, then entity."""

    names: Sequence[str]
    """Of entities, sorted."""
    entity: Ints
    """Place in `names`."""
    start_us: Ints
    end_us: Ints
    """STILL_US: none."""
    tell: Callable[[int], Told]
    """Of a firing by its place in `told`."""
    told: Ints

    def __len__(self) -> int:
        return len(self.entity)

    @overload
    def __getitem__(self, place: int) -> Firing: ...
    @overload
    def __getitem__(self, place: slice) -> list[Firing]: ...
    def __getitem__(self, place: int | slice) -> Firing | list[Firing]:
        if isinstance(place, slice):
            return [self[n] for n in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        end_us, told = int(self.end_us[place]), int(self.told[place])
        return Firing(
            self.names[int(self.entity[place])],
            at_of(int(self.start_us[place])),
            None if end_us == STILL_US else at_of(end_us),
            self.tell(told),
        )

    def lengths_s(self, span: tuple[datetime, datetime]) -> list[float]:
        """How long each was active within a time."""
        start_us, end_us = us_of(span[0]), us_of(span[1])
        ends = np.where(self.end_us == STILL_US, end_us, self.end_us)
        lengths: list[float] = ((ends - np.maximum(self.start_us, start_us)) / 1e6).tolist()
        return lengths

    def by_entity(self) -> dict[str, int]:
        """How many of each entity that has some."""
        counts = np.bincount(self.entity, minlength=len(self.names))
        return {self.names[n]: int(counts[n]) for n in np.flatnonzero(counts).tolist()}

    def some(self, at: Bools | Ints) -> "Firings":
        return Firings(
            self.names, self.entity[at], self.start_us[at], self.end_us[at], self.tell,
            self.told[at],
        )  # fmt: skip

    def ordered(self) -> "Firings":
        return self.some(np.lexsort((self.entity, self.start_us)))


def firings_of(transitions: Sequence[Transition], names: Sequence[str]) -> Firings:
    """Beginnings and ends as times of activity.

    Args:
        names: sorted; those of the transitions are among them.
    """
    begun: dict[str, Transition] = {}
    found: list[tuple[Transition, int]] = []
    for one in transitions:
        if one.is_active:
            begun[one.entity] = one
        elif one.entity in begun:
            found.append((begun.pop(one.entity), us_of(one.at)))
    found += [(one, STILL_US) for one in begun.values()]
    places = {name: n for n, name in enumerate(names)}
    return Firings(
        names,
        np.array([places[one.entity] for one, _ in found], np.int64),
        np.array([us_of(one.at) for one, _ in found], np.int64),
        np.array([end_us for _, end_us in found], np.int64),
        lambda n: found[n][0],
        np.arange(len(found)),
    ).ordered()


def joined(one: Firings, other: Firings) -> Firings:
    """Both."""
    names = sorted({*one.names, *other.names})
    places = {name: n for n, name in enumerate(names)}
    parts = [(part, np.array([places[n] for n in part.names], np.int64)) for part in (one, other)]
    count = int(one.told.max()) + 1 if len(one) else 0
    return Firings(
        names,
        np.concatenate([place[part.entity] for part, place in parts]),
        np.concatenate([one.start_us, other.start_us]),
        np.concatenate([one.end_us, other.end_us]),
        lambda n: one.tell(n) if n < count else other.tell(n - count),
        np.concatenate([one.told, other.told + count]),
    ).ordered()


def new_firings(tested: Firings, in_force: Firings) -> list[bool]:
    """Which of the tested overlap none of those that the version in force gave."""
    places = {name: n for n, name in enumerate(in_force.names)}
    entity = np.array([places.get(name, -1) for name in tested.names], np.int64)[tested.entity]
    other = in_force.some(np.lexsort((in_force.start_us, in_force.entity)))
    # Those of one entity follow each other: the last that began before one ends decides.
    last = _places_up_to(other, entity, tested.end_us) - 1
    at = np.maximum(last, 0)
    if not len(other):
        return [True] * len(tested)
    overlaps = (last >= 0) & (other.entity[at] == entity) & (other.end_us[at] >= tested.start_us)
    found: list[bool] = (~overlaps).tolist()
    return found


def _places_up_to(sorted_: Firings, entity: Ints, us: Ints) -> Ints:
    """How many of the sorted come before or at (entity, us)."""
    count = len(sorted_)
    owner = np.concatenate([sorted_.entity, entity])
    time = np.concatenate([sorted_.start_us, us])
    is_asked = np.concatenate([np.zeros(count, np.bool_), np.ones(len(us), np.bool_)])
    order = np.lexsort((is_asked, time, owner))
    before = np.cumsum(~is_asked[order])
    found = np.empty(len(order), np.int64)
    found[order] = before
    return found[count:]
