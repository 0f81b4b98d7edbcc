"""Slots and signals at work: rows go in, samples come out."""

import numpy as np
import pyarrow as pa
from msgspec import Struct

from dothi.model.quality import Quality
from dothi.rules.arrays import NEVER_US, Bools, Columns, Floats, Ints, distinct, is_among
from dothi.rules.binding import Binding
from dothi.rules.comparing import Pairing, current, some
from dothi.rules.fences import Fences
from dothi.rules.plan import WINDOWS, Signal, Slot
from dothi.rules.rows import Run, SlotRows, SlotState
from dothi.rules.samples import Points, Samples, group_starts
from dothi.rules.windows import (
    Asked,
    PointStore,
    asked_in_order,
    asked_one_by_one,
    concatenated,
    emptied,
    empty_samples,
    length_us,
    newest_point_us,
    row_points,
    window_samples,
)

FORECAST_KEPT_US = 10 * 86_400 * 1_000_000
"""So far behind the farthest forecast its points are kept."""


class _Windowed(Struct):
    """What the rows of a slot mean for its windows."""

    asked: list[tuple[Asked, Points]]
    left: list[Points]
    entities: Ints
    fresh: Points


class SlotUnit:
    """One slot."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.state = SlotState()
        self.store: PointStore | None = None
        """For windows and forecasts."""
        self.is_forecast = False
        self.needs_number = True
        self._windowed: _Windowed | None = None
        self.rows: SlotRows | None = None

    def keep(self, us: int) -> None:
        self.store = self.store or PointStore()
        self.store.keep_us = max(self.store.keep_us, us)

    def windowed(self) -> list[tuple[Asked, Points]]:
        """Moments of the rows, with the points that windows look at."""
        assert self.rows is not None and self.store is not None
        if self._windowed is None:
            self._windowed = self._merge(self.rows, self.store)
        return self._windowed.asked

    def _merge(self, rows: SlotRows, store: PointStore) -> _Windowed:
        starts = group_starts(rows.entity)
        before = np.empty_like(rows.us)
        before[1:] = rows.us[:-1]
        before[starts] = self.state.columns["newest_us"][rows.entity[starts]]
        strange = distinct(rows.entity[(rows.us <= before) | rows.is_gone])
        is_strange = is_among(rows.entity, strange)
        asked, left = [], []
        plain = some(rows, ~is_strange)
        if len(plain):
            asked.append(asked_in_order(plain, store.of(distinct(plain.entity))))
            left.append(asked[0][1])
        if len(strange):
            odd, copies, rest = asked_one_by_one(
                some(rows, is_strange), store.of(strange), store.keep_us
            )
            asked.append((odd, copies))
            left.append(rest)
        is_kept = ~rows.is_gone & (rows.us >= rows.newest_us - store.keep_us)
        is_kept &= rows.is_usable | is_strange
        at = np.flatnonzero(is_kept)
        fresh = row_points(rows, at[np.argsort(rows.row[at])])
        return _Windowed(asked, left, distinct(rows.entity), fresh)

    def settle_points(self) -> None:
        """The points of the rows are part of the store from now on."""
        assert self.rows is not None and self.store is not None
        if self._windowed is not None:
            self.store.put(self._windowed.entities, concatenated(self._windowed.left))
            fresh = self._windowed.fresh
        else:
            fresh = row_points(self.rows, np.argsort(self.rows.row))
        self.store.added = concatenated([self.store.added, fresh])

    def finish(self) -> Ints:
        """Keep what the rows told; gives the entities that were touched."""
        rows = self.rows
        self.rows = self._windowed = None
        if rows is None or not len(rows):
            return np.zeros(0, np.int64)
        return self.state.store(rows)

    def forget(self, entity: int) -> None:
        """It is gone; should it come back, it begins anew."""
        self.state.columns.clear(entity)
        if self.store is not None:
            self.store.forget(entity)


class SignalUnit:
    """One signal with its limits."""

    def __init__(self, signal: Signal, binding: Binding, slots: tuple[SlotUnit, ...]) -> None:
        self.signal = signal
        self.binding = binding
        self._slot = slots[0]
        self._other = slots[-1]
        self.pairing = Pairing() if signal.other is not None else None
        self._is_window = signal.kind in WINDOWS

    def extras(self) -> Columns | None:
        """What else must survive a restart."""
        return None if self.pairing is None else self.pairing.columns

    def reach(self, count: int) -> None:
        self.binding.reach(count)
        if self.pairing is not None:
            self.pairing.columns.reach(count)

    def samples(self, run: Run, fences: Fences) -> Samples | None:
        """Of the rows of its slots; None: they have none."""
        rows, other = self._slot.rows, self._other.rows
        if rows is None or other is None or not (len(rows) or len(other)):
            return None
        if self._is_window:
            return self._windows()
        kind = self.signal.kind
        if kind == "silence":
            return self._silence(rows)
        if self.pairing is not None and kind == "difference":
            return self.pairing.samples(self.signal, rows, other)
        if self.pairing is not None:
            assert self._other.store is not None
            return self.pairing.forecast_samples(self.signal, rows, other, self._other.store)
        rows = current(rows)
        value, is_usable = rows.value, rows.is_usable
        if kind == "flag":
            value = np.isin(rows.quality, np.array(self.signal.numbers)).astype(np.float64)
            is_usable = ~rows.is_gone
        elif kind == "fence":
            at = pa.array(np.searchsorted(run.row, rows.row))
            value, is_placed = fences.inside(self.signal.extra, run.table["body"].take(at))
            is_usable = is_usable & is_placed
        ones = np.ones(len(rows), np.int64)
        return Samples(rows.entity, rows.row, ones, rows.us, value, is_usable, rows.seq)

    def _windows(self) -> Samples:
        parts: list[Samples] = []
        points: list[Points] = []
        length = 0
        for asked, known in self._slot.windowed():
            found = window_samples(self.signal, asked, known)
            if self._slot.rows is not None and self._slot.rows.is_gone.any():
                gone = self._slot.rows.row[self._slot.rows.is_gone]
                found.is_usable = found.is_usable & ~np.isin(found.row, gone)
            found.low, found.high = found.low + length, found.high + length
            parts += [found, emptied(self.signal, asked)]
            points.append(known)
            length += len(known.us)
        if not parts:
            none = np.zeros(0, np.int64)
            return empty_samples(self.signal, none, none, none, none)
        names = ("entity", "row", "phase", "us", "value", "is_usable", "seq", "low", "high")
        columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in names}
        return Samples(**columns, points=concatenated(points)).ordered()

    def _silence(self, rows: SlotRows) -> Samples:
        """Age of the newest row before each new one, and after it none."""
        rows = some(rows, (rows.quality != int(Quality.MISSING)) | rows.is_gone)
        starts = group_starts(rows.entity)
        since = self.binding.channel.columns["since"]
        after = _running_max(rows, starts, since)
        before = np.empty_like(after)
        before[1:] = after[:-1]
        before[starts] = since[rows.entity[starts]]
        was_gone = np.append(False, rows.is_gone[:-1]) & ~starts
        is_newer = (after > before) | rows.is_gone
        has_gap = is_newer & ~rows.is_gone & ~was_gone & (before != NEVER_US)
        new, gap = np.flatnonzero(is_newer), np.flatnonzero(has_gap)
        at = np.concatenate([gap, new])
        phase = np.concatenate([np.zeros(len(gap), np.int64), np.ones(len(new), np.int64)])
        age = np.concatenate([(after - before)[gap], np.zeros(len(new), np.int64)])
        return Samples(
            rows.entity[at], rows.row[at], phase, after[at], age.astype(np.float64),
            ~rows.is_gone[at], rows.seq[at],
        ).ordered()  # fmt: skip

    def aged(self, at_us: int) -> Samples | None:
        """What the passing of time alone means at `at_us`; None: nothing."""
        columns = self.binding.channel.columns
        since = columns["since"]
        entity = np.flatnonzero(since != NEVER_US)
        none = np.zeros(len(entity), np.int64)
        if self.signal.kind == "silence":
            # Only ages that have reached a limit: what nobody waits for need not be remembered.
            age = at_us - since[entity]
            at = np.flatnonzero(age >= self._next_age(entity))
            us = np.full(len(at), at_us)
            value = age[at].astype(np.float64)
            usable = np.ones(len(at), np.bool_)
            return Samples(
                entity[at], none[at], none[at], us, value, usable, columns["seq"][entity[at]]
            )
        if self._is_window:
            end = since[entity] + length_us(self.signal)
            entity, end = entity[end <= at_us], end[end <= at_us]
            seq = columns["seq"][entity]
            return empty_samples(self.signal, entity, none[: len(entity)], end, seq)
        return None

    def store(self, samples: Samples, epoch: Ints) -> Ints:
        """Keep the newest samples; gives the entities."""
        entity = self.binding.channel.store(samples, epoch)
        columns = self.binding.channel.columns
        if self.signal.kind == "silence" and len(entity):
            us, gone = columns["us"][entity], columns["seen"][entity] != 1
            since = np.where(gone, NEVER_US, us - columns["value"][entity].astype(np.int64))
            columns["since"][entity] = since
        return entity

    def forget(self, entity: int) -> None:
        """See SlotUnit."""
        self.binding.channel.columns.clear(entity)
        self.binding.unbind(entity)
        if self.pairing is not None:
            self.pairing.columns.clear(entity)

    def expect(self, entities: Ints, since_us: int) -> None:
        """Silence: these are missed from then on, unless they were heard later."""
        since = self.binding.channel.columns["since"]
        at = entities[since[entities] == NEVER_US]
        since[at] = since_us

    def window_at(self, entity: int, us: int) -> Points | None:
        """What the window held when it ended at `us`, as far as it is still there."""
        if not self._is_window or self._slot.store is None:
            return None
        points = self._slot.store.of(np.array([entity]))
        inside = (points.us > us - length_us(self.signal)) & (points.us <= us)
        return Points(
            points.entity[inside], points.us[inside], points.value[inside], points.seq[inside]
        )

    def note_points(self) -> None:
        """Windows: until when they hold something."""
        store, columns = self._slot.store, self.binding.channel.columns
        if self._is_window and store is not None and self._slot.rows is not None:
            entity = distinct(self._slot.rows.entity)
            newest = newest_point_us(store.points, entity)
            columns["since"][entity] = newest

    def forget_emptied(self, samples: Samples) -> None:
        """These windows hold nothing any more."""
        if self._is_window:
            self.binding.channel.columns["since"][samples.entity] = NEVER_US

    def waiting(self) -> Ints:
        """Entities for which the passing of time may mean something."""
        return np.flatnonzero(self.binding.channel.columns["since"] != NEVER_US)

    def next_us(self) -> float:
        """When the passing of time may next mean something; inf: never."""
        columns = self.binding.channel.columns
        entity = np.flatnonzero(columns["since"] != NEVER_US)
        if not len(entity):
            return np.inf
        since = columns["since"][entity]
        if self._is_window:
            return float(since.min()) + length_us(self.signal)
        if self.signal.kind != "silence":
            return np.inf
        return float((since + self._next_age(entity)).min())

    def _next_age(self, entity: Ints) -> Floats:
        """Silence: the age that next means something; after a restart every limit does again."""
        columns = self.binding.channel.columns
        is_new = columns["epoch"][entity] < 0
        return self.binding.next_us(entity, np.where(is_new, -1.0, columns["value"][entity]))


def _running_max(rows: SlotRows, starts: Bools, since: Ints) -> Ints:
    """Newest time seen after each row; a deletion adds none."""
    seen = np.where(rows.is_gone, NEVER_US, rows.seen_us)
    first = since[rows.entity]
    before = np.empty_like(seen)
    before[1:] = seen[:-1]
    before[starts] = first[starts]
    if (seen >= before).all():
        return seen
    times, rank = np.unique(np.concatenate([seen, first]), return_inverse=True)
    group = np.cumsum(starts) * (len(times) + 1)
    own, begin = rank[: len(seen)], rank[len(seen) :]
    running = np.maximum.accumulate(group + np.maximum(own, np.where(starts, begin, 0)))
    return np.asarray(times[running - group], np.int64)
