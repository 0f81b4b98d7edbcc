"""The limits of a signal, laid out so that one search finds all that were crossed.

Limits lie in *blocks*: a block holds the limits of all rules with the same scope (or, where dated
data gives one limit per entity, of one entity), sorted. A number that goes from u to v has crossed
exactly the limits between u and v; nothing else needs to be looked at. A leaf `v > L` with deadband
d is on from the next number after L and off below the next number after L - d, so that on >= off.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from math import inf, nextafter

import numpy as np
from msgspec import Struct

from dothi.model.moments import us_of
from dothi.model.rule import DatedValue, LimitTable
from dothi.model.rule_condition import DatedLimit
from dothi.rules.arrays import Bools, Floats, Ints, ranges
from dothi.rules.plan import LeafPlan

VIETNAM = timezone(timedelta(hours=7))
"""Where the days of dated limits begin."""


class Found(Struct, frozen=True):
    """A limit and, when dated data gave it, where it comes from."""

    value: float
    origin: DatedValue | None = None


class DatedLimits:
    """Limit tables by name."""

    def __init__(self, tables: Sequence[LimitTable] = ()) -> None:
        self.tables = {table.name: table for table in tables}
        days = {
            day
            for table in tables
            for value in table.values
            for day in (value.valid_from, value.valid_to)
            if day is not None
        }
        self.edges_us = sorted(
            us_of(datetime(day.year, day.month, day.day, tzinfo=VIETNAM).astimezone(UTC))
            for day in days
        )
        self._values: dict[tuple[str, str, str], list[DatedValue]] = {}
        for table in tables:
            for value in table.values:
                key = (table.name, value.level, value.entity)
                self._values.setdefault(key, []).append(value)

    def entities(self, limit: DatedLimit) -> list[str]:
        """Entities that have a limit of their own; "" stands for all others."""
        table = self.tables.get(limit.table)
        values = () if table is None else table.values
        return sorted({value.entity for value in values if value.level == limit.level})

    def find(self, limit: float | DatedLimit, entity: str, at_us: int) -> Found | None:
        """The limit valid at that time; None: there is none, or nobody knows its number."""
        if not isinstance(limit, DatedLimit):
            return Found(float(limit))
        day = (datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(VIETNAM)).date()
        for key in ((limit.table, limit.level, entity), (limit.table, limit.level, "")):
            for value in self._values.get(key, ()):
                if value.valid_from <= day and (value.valid_to is None or day < value.valid_to):
                    return None if value.value is None else Found(value.value, value)
        return None

    def epoch(self, at_us: int) -> int:
        """Number of the stretch between two changes of any table."""
        return bisect_right(self.edges_us, at_us)

    def epoch_start_us(self, epoch: int) -> int:
        return self.edges_us[epoch - 1] if epoch else -(2**55)


def edges(leaf: LeafPlan, limit: float) -> tuple[float, float]:
    """From where on the leaf is on, and below what it is off, with the sign turned."""
    on, off = leaf.sign * limit, leaf.sign * limit - leaf.deadband
    if len(leaf.comparison) == 1:
        return nextafter(on, inf), nextafter(off, inf)
    return on, off


OFF, ON, HELD = 0, 1, 2


class Crossed(Struct, frozen=True):
    """Limits that samples crossed."""

    sample: Ints
    leaf: Ints
    turn: Ints
    """OFF, ON, or HELD: within the deadband, as it was before."""
    limit: Floats
    """The edge that was crossed (sign turned)."""


class _Side:
    """The on edges, or the off edges, of all blocks."""

    def __init__(self, block: Ints, edges: tuple[Floats, Floats], leaf: Ints, blocks: int) -> None:
        """edges: by which it is sorted, and the other one."""
        edge = edges[0]
        order = np.lexsort((leaf, edge, block))
        self.edge, self.leaf, self.other = edge[order], leaf[order], edges[1][order]
        self.distinct = np.unique(edge)
        self._step = len(self.distinct) + 1
        rank = np.searchsorted(self.distinct, self.edge)
        self._keys = block[order] * self._step + rank
        self.starts = np.searchsorted(block[order], np.arange(blocks + 1))

    def below(self, block: Ints, value: Floats) -> Ints:
        """Place after the last edge of the block that is <= value."""
        rank = np.searchsorted(self.distinct, value, side="right")
        return np.asarray(np.searchsorted(self._keys, block * self._step + rank), np.int64)


class Limits:
    """All limits of one signal with one sign, as they are in one epoch."""

    def __init__(self, entries: Sequence[tuple[int, LeafPlan, float]], blocks: int) -> None:
        """entries: block, leaf, limit."""
        block = np.array([b for b, _, _ in entries], np.int64)
        leaf = np.array([one.number for _, one, _ in entries], np.int64)
        both = np.array([edges(one, limit) for _, one, limit in entries], np.float64)
        on, off = both.reshape(-1, 2).T
        self.on = _Side(block, (on, off), leaf, blocks)
        self.off = _Side(block, (off, on), leaf, blocks)
        self._has_deadband = bool((on != off).any())
        self.is_empty = not entries

    def crossed(self, block: Ints, before: Floats, value: Floats, is_full: Bools) -> Crossed:
        """What samples (each in one block) crossed; `is_full`: every limit of the block counts.

        `before` does not matter where `is_full`.
        """
        low = np.where(is_full, self.on.starts[block], self.on.below(block, before))
        ups, up_of = ranges(low, self.on.below(block, value))
        high = np.where(is_full, self.off.starts[block + 1], self.off.below(block, before))
        downs, down_of = ranges(self.off.below(block, value), high)
        held, held_of = self._held(block, value, is_full)
        turns = ((ups, ON), (downs, OFF), (held, HELD))
        return Crossed(
            np.concatenate([up_of, down_of, held_of]),
            np.concatenate([self.on.leaf[ups], self.off.leaf[downs], self.on.leaf[held]]),
            np.concatenate([np.full(len(places), turn) for places, turn in turns]),
            np.concatenate([self.on.edge[ups], self.off.edge[downs], self.on.edge[held]]),
        )

    def _held(self, block: Ints, value: Floats, is_full: Bools) -> tuple[Ints, Ints]:
        """Leaves that a full look finds within their deadband."""
        if not self._has_deadband:
            return ranges(block[:0], block[:0])
        at = np.flatnonzero(is_full)
        low = self.on.below(block[at], value[at])
        places, owner = ranges(low, self.on.starts[block[at] + 1])
        is_within = self.on.other[places] <= value[at][owner]
        return places[is_within], at[owner[is_within]]

    def next_edge(self, block: Ints, value: Floats) -> Floats:
        """The first on edge of the block above the value; inf: none."""
        place = self.on.below(block, value)
        found = np.full(len(block), np.inf)
        is_there = place < self.on.starts[block + 1]
        found[is_there] = self.on.edge[place[is_there]]
        return found
