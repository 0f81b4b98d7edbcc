"""Figures over the last values of a series, at each of its rows."""

import numpy as np
from msgspec import Struct

from dothi.rules.arrays import NEVER_US, Bools, Floats, Ints, distinct, is_among, ranges
from dothi.rules.plan import Signal
from dothi.rules.rows import SlotRows
from dothi.rules.samples import Points, Samples, group_starts, no_points

_COMPARE = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}


class PointStore:
    """The usable values of a slot, as far back as its longest window reaches."""

    def __init__(self) -> None:
        self.points = no_points()
        self.keep_us = 0
        self.added = no_points()
        """Since the state was last stored; an unusable value (NaN) takes back an earlier one."""

    def of(self, entities: Ints) -> Points:
        """The points of some entities (sorted numbers)."""
        return _taken(self.points, is_among(self.points.entity, entities))

    def put(self, entities: Ints, points: Points) -> None:
        """These are the points of the entities from now on; too old ones are dropped."""
        rest = _taken(self.points, ~is_among(self.points.entity, entities))
        self.points = _sorted(_joined([rest, self._trimmed(points)]))

    def add(self, points: Points) -> None:
        """Put stored points in again, in the order in which they once came."""
        joined = _joined([self.points, points])
        self.points = self._trimmed(_merged(joined))

    def forget(self, entity: int) -> None:
        self.points = _taken(self.points, self.points.entity != entity)
        self.added = _taken(self.added, self.added.entity != entity)

    def _trimmed(self, points: Points) -> Points:
        """One point before the window stays: it shows that the series reaches back so far."""
        if not len(points.us):
            return points
        starts = group_starts(points.entity)
        last = np.append(np.flatnonzero(starts)[1:], len(starts)) - 1
        newest = points.us[last][np.cumsum(starts) - 1]
        is_old = points.us < newest - self.keep_us
        next_is_old = np.append(is_old[1:] & ~starts[1:], False)
        return _taken(points, ~(is_old & next_is_old))


class Asked(Struct, frozen=True):
    """At which moments windows are to be looked at, sorted by entity."""

    entity: Ints
    row: Ints
    us: Ints
    seq: Ints
    low: Ints
    """First point of the entity among the points."""
    high: Ints
    """After the last point that was known then."""
    before_us: Ints
    """Time of the newest usable value before each moment."""
    is_merged: bool
    """All moments look at one sorted run of points."""


def window_samples(signal: Signal, asked: Asked, points: Points) -> Samples:
    """The figure of the signal at each moment; not usable where there are too few values."""
    low = _first_within(signal, asked, points)
    value = points.value
    if signal.extra is not None:
        value = _COMPARE[signal.extra[0]](value, signal.extra[1]).astype(np.float64)
    count = asked.high - low
    figure, is_usable = _figure(signal, asked, points, value, (low, count))
    return Samples(
        asked.entity,
        asked.row,
        np.ones(len(asked.row), np.int64),
        asked.us,
        figure,
        is_usable,
        asked.seq,
        low,
        asked.high,
        points,
    )


def length_us(signal: Signal) -> int:
    """After how long without a value the window is empty: rate and spread hold their beginning."""
    return signal.window_us + (signal.kind in {"rate", "spread"})


def emptied(signal: Signal, asked: Asked) -> Samples:
    """What time had brought about before the rows came."""
    at_us = asked.before_us + length_us(signal)
    is_empty = (asked.before_us != NEVER_US) & (at_us <= asked.us)
    at = np.flatnonzero(is_empty)
    return empty_samples(signal, asked.entity[at], asked.row[at], at_us[at], asked.seq[at])


def empty_samples(signal: Signal, entity: Ints, row: Ints, us: Ints, seq: Ints) -> Samples:
    """The figure of windows that have run empty at `us`."""
    is_zero = signal.kind in {"count", "sum"}
    none = np.zeros(len(entity), np.int64)
    usable = np.full(len(entity), is_zero)
    return Samples(entity, row, none, us, np.zeros(len(entity)), usable, seq, none, none)


def asked_in_order(rows: SlotRows, old: Points) -> tuple[Asked, Points]:
    """Of entities whose rows came in the order of time: one merge serves all their rows."""
    usable = rows.is_usable
    fresh = Points(rows.entity[usable], rows.us[usable], rows.value[usable], rows.seq[usable])
    joined = _joined([old, fresh])
    order = np.lexsort((joined.us, joined.entity))
    points = _taken(joined, order)
    first = np.searchsorted(points.entity, rows.entity, side="left")
    old_count = np.searchsorted(old.entity, rows.entity, side="right") - np.searchsorted(
        old.entity, rows.entity, side="left"
    )
    running = np.cumsum(usable)
    starts = group_starts(rows.entity)
    before: Ints = (running - usable)[np.flatnonzero(starts)][np.cumsum(starts) - 1]
    high = first + old_count + (running - before)
    earlier = high - usable - 1
    known = np.append(points.us, NEVER_US)
    before_us = np.where(earlier >= first, known[earlier], NEVER_US)
    return Asked(rows.entity, rows.row, rows.us, rows.seq, first, high, before_us, True), points


def asked_one_by_one(rows: SlotRows, old: Points, keep_us: int) -> tuple[Asked, Points, Points]:
    """Of entities with late or corrected rows (few): every row has its own copy of the points.

    Gives what is asked, the copies, and the points that stay. Rows from before the longest window
    change nothing.
    """
    copies: list[Points] = []
    left: list[Points] = []
    low, high = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    before_us = np.full(len(rows), NEVER_US)
    length, current = 0, no_points()
    for i in range(len(rows)):
        if i == 0 or rows.entity[i] != rows.entity[i - 1]:
            left.append(current)
            current = _taken(old, old.entity == rows.entity[i])
        if len(current.us):
            before_us[i] = current.us[-1]
        if not rows.is_gone[i] and rows.us[i] >= rows.newest_us[i] - keep_us:
            current = _merged(_joined([current, row_points(rows, np.array([i]))]))
        copies.append(current)
        low[i], high[i] = length, length + len(current.us)
        length = int(high[i])
    left.append(current)
    asked = Asked(rows.entity, rows.row, rows.newest_us, rows.seq, low, high, before_us, False)
    return asked, _joined(copies) if copies else no_points(), _joined(left)


def row_points(rows: SlotRows, at: Ints) -> Points:
    """Rows as points; those that are not usable take back (NaN)."""
    value = np.where(rows.is_usable[at], rows.value[at], np.nan)
    return Points(rows.entity[at], rows.us[at], value, rows.seq[at])


def newest_point_us(points: Points, entities: Ints) -> Ints:
    """Time of the newest usable value of each entity."""
    place = np.searchsorted(points.entity, entities, side="right") - 1
    found = np.full(len(entities), NEVER_US)
    is_there = place >= 0
    is_there[is_there] = points.entity[place[is_there]] == entities[is_there]
    found[is_there] = points.us[place[is_there]]
    return found


def concatenated(parts: list[Points]) -> Points:
    return _joined(parts)


def _figure(
    signal: Signal, asked: Asked, points: Points, value: Floats, span: tuple[Ints, Ints]
) -> tuple[Floats, Bools]:
    low, count = span
    kind, least = signal.kind, signal.numbers[0]
    if kind == "count" and signal.extra is None:
        return count.astype(np.float64), np.ones(len(count), np.bool_)
    if kind in {"count", "sum"}:
        return _reduced(np.add, value, low, asked.high), np.ones(len(count), np.bool_)
    if kind == "rate":
        return _rate(signal, asked, points, low)
    is_usable = count >= max(least, 1)
    if kind == "mean":
        total = _reduced(np.add, value, low, asked.high)
        return total / np.maximum(count, 1), is_usable
    if kind == "spread":
        top = _reduced(np.maximum, value, low, asked.high)
        spread = _reduced(np.minimum, value, low, asked.high) - top
        reaches = points.us[np.minimum(asked.low, len(points.us) - 1)] if len(points.us) else low
        return spread, is_usable & (reaches <= asked.us - signal.window_us)
    return _reduced(np.minimum if kind == "min" else np.maximum, value, low, asked.high), is_usable


def _rate(signal: Signal, asked: Asked, points: Points, low: Ints) -> tuple[Floats, Bools]:
    is_usable = asked.high - low >= 2
    figure = np.zeros(len(low))
    if is_usable.any():
        first, last = low[is_usable], asked.high[is_usable] - 1
        took_s = (points.us[last] - points.us[first]) / 1e6
        change = points.value[last] - points.value[first]
        figure[is_usable] = change * signal.numbers[0] / took_s
    return figure, is_usable


def _first_within(signal: Signal, asked: Asked, points: Points) -> Ints:
    """First point of each window: figures leave out its very beginning, rate and spread do not."""
    start = asked.us - signal.window_us - (signal.kind in {"rate", "spread"})
    if asked.is_merged and len(points.us):
        known = distinct(points.entity)
        group = np.searchsorted(known, points.entity)
        begin = int(min(points.us.min(), start.min()))
        span = int(max(points.us.max(), start.max())) - begin + 2
        if len(known) * span < 2**62:
            wanted = np.searchsorted(known, asked.entity) * span + (start - begin)
            found = np.searchsorted(group * span + (points.us - begin), wanted, side="right")
            return np.minimum(np.maximum(found, asked.low), asked.high)
    places, owner = ranges(asked.low, asked.high)
    is_old = points.us[places] <= start[owner]
    return asked.low + np.bincount(owner[is_old], minlength=len(start)).astype(np.int64)


def _reduced(function: np.ufunc, value: Floats, low: Ints, high: Ints) -> Floats:
    """The function over value[low:high] of each window; 0 for empty ones. The same windows give
    the same bits, whatever else is computed beside them."""
    found = np.zeros(len(low))
    at = np.flatnonzero(high > low)
    if len(at):
        bounds = np.stack([low[at], high[at]], axis=1).ravel()
        padded = np.append(value, 0.0)
        found[at] = function.reduceat(padded, bounds)[::2]
    return found


def _merged(points: Points) -> Points:
    """Sorted; of several of one time the last given counts, and it takes back when it is NaN."""
    order = np.lexsort((np.arange(len(points.us)), points.us, points.entity))
    points = _taken(points, order)
    is_last = np.ones(len(points.us), np.bool_)
    same = (points.entity[1:] == points.entity[:-1]) & (points.us[1:] == points.us[:-1])
    is_last[:-1] = ~same
    return _taken(points, is_last & np.isfinite(points.value))


def _sorted(points: Points) -> Points:
    return _taken(points, np.lexsort((points.us, points.entity)))


def _taken(points: Points, at: Ints | Bools) -> Points:
    return Points(points.entity[at], points.us[at], points.value[at], points.seq[at])


def _joined(parts: list[Points]) -> Points:
    return Points(
        np.concatenate([p.entity for p in parts]),
        np.concatenate([p.us for p in parts]),
        np.concatenate([p.value for p in parts]),
        np.concatenate([p.seq for p in parts]),
    )
