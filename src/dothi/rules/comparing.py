"""Distances between two attributes of the same entity, at each row of either."""

import numpy as np

from dothi.rules.arrays import Bools, Columns, Floats, Ints
from dothi.rules.plan import Signal
from dothi.rules.rows import SlotRows
from dothi.rules.samples import Points, Samples, group_starts
from dothi.rules.windows import PointStore, row_points


class Pairing:
    """What was last known of both sides."""

    def __init__(self) -> None:
        self.columns = Columns(
            left_us=0, left=0.0, left_ok=0, left_seq=0, right_us=0, right=0.0, right_ok=0
        )

    def samples(self, signal: Signal, left: SlotRows, right: SlotRows) -> Samples:
        """Of `difference`: both sides as they stood after each row."""
        left, right = current(left), current(right)
        entity = np.concatenate([left.entity, right.entity])
        row = np.concatenate([left.row, right.row])
        is_left = np.concatenate([np.ones(len(left), np.bool_), np.zeros(len(right), np.bool_)])
        order = np.lexsort((row, entity))
        entity, row, is_left = entity[order], row[order], is_left[order]
        sides = {}
        for name, rows, own in (("left", left, is_left), ("right", right, ~is_left)):
            sides[name] = self._filled(name, rows, own, entity)
        (l_us, l_value, l_ok, l_seq), (r_us, r_value, r_ok, r_seq) = sides["left"], sides["right"]
        is_usable = l_ok & r_ok
        if signal.window_us:
            is_usable = is_usable & (np.abs(l_us - r_us) <= signal.window_us)
        factor, offset = signal.numbers
        self._store(entity, sides)
        return Samples(
            entity,
            row,
            np.ones(len(row), np.int64),
            np.maximum(l_us, r_us),
            l_value - (r_value * factor + offset),
            is_usable,
            np.where(is_left, l_seq, r_seq),
            other=r_value,
        )

    def _filled(
        self, name: str, rows: SlotRows, is_own: Bools, entity: Ints
    ) -> tuple[Ints, Floats, Bools, Ints]:
        """The newest of one side at each moment."""
        starts = group_starts(entity)
        place = np.where(is_own, np.cumsum(is_own) - 1, -1)
        # A row of the same entity is known when the last one lies within its group.
        last = np.maximum.accumulate(np.where(is_own, np.arange(len(entity)), -1))
        begin = np.maximum.accumulate(np.where(starts, np.arange(len(entity)), 0))
        is_known = last >= begin
        at = place[np.maximum(last, 0)]
        columns = self.columns

        def of(column: Ints | Floats | Bools, stored: str) -> Ints:
            kept = columns[f"{name}_{stored}" if stored else name][entity]
            if not len(column):
                return kept
            return np.where(is_known, column[at], kept)

        us, value, ok = of(rows.us, "us"), of(rows.value, ""), of(rows.is_usable, "ok")
        seq = of(rows.seq, "seq") if name == "left" else of(rows.seq, "us")
        return us, np.asarray(value, np.float64), ok.astype(np.bool_), seq

    def _store(self, entity: Ints, sides: dict[str, tuple[Ints, Floats, Bools, Ints]]) -> None:
        if not len(entity):
            return
        ends = np.append(entity[1:] != entity[:-1], True)
        at = entity[ends]
        for name, (us, value, ok, seq) in sides.items():
            self.columns[f"{name}_us"][at] = us[ends]
            self.columns[name][at] = value[ends]
            self.columns[f"{name}_ok"][at] = ok[ends]
            if name == "left":
                self.columns["left_seq"][at] = seq[ends]

    def forecast_samples(
        self, signal: Signal, left: SlotRows, right: SlotRows, store: PointStore
    ) -> Samples:
        """Of `forecast`: the other side as it was forecast for the time of the value.

        Entities for which a forecast came in this run are taken row by row, since a row may only
        see what was forecast before it.
        """
        left = current(left)
        slow = np.unique(right.entity)
        is_slow = np.isin(left.entity, slow)
        parts = [self._looked_up(signal, some(left, ~is_slow), store.points)]
        steps = sorted(
            [(int(r), 0, i) for i, r in enumerate(right.row)]
            + [(int(left.row[i]), 1, int(i)) for i in np.flatnonzero(is_slow)]
        )
        for row, side, i in steps:
            at = np.array([i])
            if side == 0:
                store.add(row_points(right, at))
                parts.append(self._again(signal, int(right.entity[i]), row, store.points))
            else:
                parts.append(self._looked_up(signal, some(left, at), store.points))
        return joined(parts).ordered()

    def _looked_up(self, signal: Signal, left: SlotRows, points: Points) -> Samples:
        value, is_known = as_of(points, left.entity, left.us, signal.window_us)
        factor, offset = signal.numbers
        ok = left.is_usable.astype(np.int64)
        zero = np.zeros(len(left))
        sides = {"left": (left.us, left.value, left.is_usable, left.seq)}
        self._store(left.entity, sides)
        return Samples(
            left.entity,
            left.row,
            np.ones(len(left), np.int64),
            left.us,
            left.value - (value * factor + offset),
            (ok > 0) & is_known,
            left.seq,
            other=value + zero,
        )

    def _again(self, signal: Signal, entity: int, row: int, points: Points) -> Samples:
        """The value that was there before, against the new forecast."""
        columns, at = self.columns, np.array([entity])
        us, left = columns["left_us"][at], columns["left"][at]
        value, is_known = as_of(points, at, us, signal.window_us)
        factor, offset = signal.numbers
        usable = (columns["left_ok"][at] > 0) & is_known
        return Samples(
            at, np.array([row]), np.ones(1, np.int64), us, left - (value * factor + offset), usable,
            columns["left_seq"][at], other=value,
        )  # fmt: skip


def as_of(points: Points, entity: Ints, us: Ints, within_us: int) -> tuple[Floats, Bools]:
    """The last value at or before each time, and whether there is one that is near enough."""
    value, is_known = np.zeros(len(entity)), np.zeros(len(entity), np.bool_)
    if not len(points.us) or not len(entity):
        return value, is_known
    # Two sorted runs merged: each moment stands right after the last point it may see.
    owner = np.concatenate([points.entity, entity])
    time = np.concatenate([points.us, us])
    is_point = np.concatenate([np.ones(len(points.us), np.bool_), np.zeros(len(us), np.bool_)])
    order = np.lexsort((~is_point, time, owner))
    last = np.maximum.accumulate(np.where(is_point[order], np.arange(len(order)), -1))
    place = np.empty(len(order), np.int64)
    place[order] = np.where(last >= 0, order[np.maximum(last, 0)], -1)
    found = place[len(points.us) :]
    at = np.flatnonzero(found >= 0)
    is_same = points.entity[found[at]] == entity[at]
    at = at[is_same]
    value[at] = points.value[found[at]]
    is_known[at] = True
    if within_us:
        is_known[at] &= us[at] - points.us[found[at]] <= within_us
    return value, is_known


def current(rows: SlotRows) -> SlotRows:
    """Without rows that came too late."""
    return rows if rows.is_current.all() else some(rows, rows.is_current)


def joined(parts: list[Samples]) -> Samples:
    """Several runs after each other; not sorted."""
    return Samples(
        np.concatenate([p.entity for p in parts]),
        np.concatenate([p.row for p in parts]),
        np.concatenate([p.phase for p in parts]),
        np.concatenate([p.us for p in parts]),
        np.concatenate([p.value for p in parts]),
        np.concatenate([p.is_usable for p in parts]),
        np.concatenate([p.seq for p in parts]),
        other=np.concatenate([p.other for p in parts]),
    )


def some(rows: SlotRows, at: Ints | Bools) -> SlotRows:
    return SlotRows(
        rows.entity[at], rows.row[at], rows.us[at], rows.seen_us[at], rows.value[at],
        rows.quality[at], rows.is_usable[at], rows.is_current[at], rows.newest_us[at],
        rows.is_gone[at], rows.seq[at],
    )  # fmt: skip
