"""Numbers of a signal in the order in which they became known."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from dothi.rules.arrays import NEVER_US, Bools, Columns, Floats, Ints

Number = TypeVar("Number", bound=np.generic)

UNSEEN, USABLE, UNUSABLE = 0, 1, 2


class Points(Struct):
    """Values that windows were made of: sorted by entity, then time."""

    entity: Ints
    us: Ints
    value: Floats
    seq: Ints


def no_points() -> Points:
    ints = np.zeros(0, np.int64)
    return Points(ints, ints, np.zeros(0), ints)


class Samples(Struct):
    """Sorted by entity, then row, then phase."""

    entity: Ints
    row: Ints
    """Place of the deciding row in the batch."""
    phase: Ints
    """0: what time brought about before the row came, 1: what the row brought about."""
    us: Ints
    value: Floats
    is_usable: Bools
    seq: Ints
    low: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Windows: the points from low to high (exclusive) were in it; empty for others."""
    high: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    points: Points = field(default_factory=no_points)
    other: Floats = field(default_factory=lambda: np.zeros(0))
    """Comparisons: value of the other attribute."""

    def __len__(self) -> int:
        return len(self.entity)

    def ordered(self) -> "Samples":
        """The same, sorted."""
        order = np.lexsort((self.phase, self.row, self.entity))
        return self.taken(order)

    def taken(self, places: Ints | Bools) -> "Samples":
        return Samples(
            self.entity[places],
            self.row[places],
            self.phase[places],
            self.us[places],
            self.value[places],
            self.is_usable[places],
            self.seq[places],
            self.low[places] if len(self.low) else self.low,
            self.high[places] if len(self.high) else self.high,
            self.points,
            self.other[places] if len(self.other) else self.other,
        )

    def points_of(self, place: int) -> Points | None:
        """What was in the window of a sample; None: these are of no windows."""
        if not len(self.low):
            return None
        points, inside = self.points, slice(int(self.low[place]), int(self.high[place]))
        return Points(
            points.entity[inside], points.us[inside], points.value[inside], points.seq[inside]
        )

    def find(self, entity: int, row: int, phase: int) -> int:
        """Place of the newest sample of the entity up to there; -1: none in this batch."""
        low = int(self.entity.searchsorted(entity, "left"))
        high = int(self.entity.searchsorted(entity, "right"))
        place = low + int(self.row[low:high].searchsorted(row, "right")) - 1
        while place >= low and self.row[place] == row and self.phase[place] > phase:
            place -= 1
        return place if place >= low else -1


def group_starts(entity: Ints) -> Bools:
    """Where a new entity begins in a sorted column."""
    starts = np.ones(len(entity), np.bool_)
    starts[1:] = entity[1:] != entity[:-1]
    return starts


def shifted(
    column: npt.NDArray[Number], starts: Bools, first: npt.NDArray[Number]
) -> npt.NDArray[Number]:
    """What stood in the row before, in the first row of each group `first`."""
    before = np.empty_like(column)
    before[1:] = column[:-1]
    before[starts] = first[starts]
    return before


class Channel:
    """The newest number of a signal at each entity."""

    def __init__(self) -> None:
        self.columns = Columns(
            seen=UNSEEN, us=NEVER_US, value=0.0, seq=0, epoch=-1, other=0.0, since=NEVER_US
        )

    def before(self, samples: Samples) -> tuple[Ints, Floats, Ints]:
        """State, value and epoch before each sample; the epoch of samples is not known here."""
        starts = group_starts(samples.entity)
        seen = np.where(samples.is_usable, USABLE, UNUSABLE).astype(np.int64)
        columns = self.columns
        was = shifted(seen, starts, columns["seen"][samples.entity])
        value = shifted(samples.value, starts, columns["value"][samples.entity])
        return was, value, columns["epoch"][samples.entity]

    def store(self, samples: Samples, epoch: Ints) -> Ints:
        """Keep the last sample of each entity; gives the entities."""
        if not len(samples):
            return samples.entity
        ends = np.ones(len(samples), np.bool_)
        ends[:-1] = samples.entity[1:] != samples.entity[:-1]
        entity = samples.entity[ends]
        columns = self.columns
        columns["seen"][entity] = np.where(samples.is_usable[ends], USABLE, UNUSABLE)
        columns["us"][entity] = samples.us[ends]
        columns["value"][entity] = samples.value[ends]
        columns["seq"][entity] = samples.seq[ends]
        columns["epoch"][entity] = epoch[ends]
        if len(samples.other):
            columns["other"][entity] = samples.other[ends]
        return entity
