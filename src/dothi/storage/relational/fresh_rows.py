"""The newest rows of the log in memory: who follows the log closely need not read them back.

Reading a row back from the table and finding its names again costs twice what storing it does.
What lies further back is read from the table.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.model.row import LOG_SCHEMA
from dothi.storage.relational.columns import Ints, nullable_times
from dothi.storage.relational.numbered import Numbered

_MOST_ROWS = 20_000
"""Kept; of a commit of more nothing is."""
FRESH = pa.schema([LOG_SCHEMA.field(n) for n in LOG_SCHEMA.names if n != "entity_type"])
FRESH = FRESH.append(pa.field("entity_id", pa.int64()))
"""Rows of the log but for the type of the entity, which is told as it is when they are read."""


class Fresh(Struct):
    """Rows of one commit."""

    first: int
    count: int
    make: Callable[[], pa.Table] | None
    """Once somebody wants them."""
    made: pa.Table = None

    def rows(self) -> pa.Table:
        """FRESH. One thread at a time."""
        if self.make is not None:
            self.made, self.make = self.make(), None
        return self.made


class FreshRows:
    """Written by the writer after each commit, read by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Fresh] = deque()
        self._count = 0

    def add(self, fresh: Sequence[Fresh]) -> None:
        """Rows that are durable now, in order."""
        with self._lock:
            for one in fresh:
                if self._kept and self._kept[-1].first + self._kept[-1].count != one.first:
                    self._clear()
                self._kept.append(one)
                self._count += one.count
            while self._count > _MOST_ROWS:
                self._count -= self._kept.popleft().count

    def count_after(self, seq: int) -> int | None:
        """How many rows there are behind a number; None: they are not all here."""
        with self._lock:
            if not self._kept or seq + 1 < self._kept[0].first:
                return None
            return max(0, self._kept[-1].first + self._kept[-1].count - 1 - seq)

    def after(self, seq: int, limit: int) -> pa.Table | None:
        """The rows behind a number, FRESH; None: they are not here, or there are none."""
        with self._lock:
            if not self._kept or seq + 1 < self._kept[0].first:
                return None
            found: list[pa.Table] = []
            for one in self._kept:
                start = max(0, seq + 1 - one.first)
                if start < one.count and limit > 0:
                    found.append(one.rows().slice(start, limit))
                    limit -= found[-1].num_rows
        return pa.concat_tables(found) if found else None

    def drop_through(self, seq: int) -> None:
        """Rows up to this one are no longer in the log."""
        with self._lock:
            while self._kept and self._kept[0].first <= seq:
                self._count -= self._kept.popleft().count

    def _clear(self) -> None:
        self._kept.clear()
        self._count = 0


class Committed(Struct, frozen=True):
    """What the rows of one commit have in common."""

    batches: Sequence[str]
    """Names, by their place in the group."""
    now_us: int


def fresh_of(
    first: int, count: int, rows: Callable[[], Numbered], revision: Ints | None, of: Committed
) -> Fresh:
    """Rows that were appended, made into columns when somebody wants them."""
    return Fresh(first, count, lambda: _made(first, rows(), revision, of))


def _made(first: int, numbered: Numbered, revision: Ints | None, of: Committed) -> pa.Table:
    rows, count = numbered.rows, len(numbered)
    # As the tables have it: an empty unit is none, no number is none, and what is not there has no
    # name.
    unit = rows["unit"].cast(pa.string())
    own = {
        "lane": np.zeros(count, np.int32),
        "seq": np.arange(first, first + count),
        "batch": pa.array(of.batches, pa.string()).take(pa.array(numbered.batch_no)),
        "observed_at": nullable_times(numbered.observed),
        "committed_at": np.full(count, of.now_us),
        "revision": np.zeros(count, np.int64) if revision is None else revision,
        "entity_id": numbered.entities,
        "number": _without(rows["number"], pc.is_nan(rows["number"]).fill_null(False), None),
        "unit": _without(unit, pc.equal(unit, "").fill_null(False), None),
        "entity": _without(rows["entity"], pa.array(numbered.entities == 0), ""),
        "attribute": _without(rows["attribute"], pa.array(numbered.series == 0), ""),
        "dataset": _without(rows["dataset"], pa.array(numbered.series == 0), ""),
    }
    columns = [own[f.name] if f.name in own else rows[f.name] for f in FRESH]
    return pa.table(
        [_as(column, field.type) for column, field in zip(columns, FRESH, strict=True)],
        schema=FRESH,
    )


def _as(column: Any, type_: pa.DataType) -> pa.Array | pa.ChunkedArray:
    return (pa.array(column) if isinstance(column, np.ndarray) else column).cast(type_)


def _without(
    column: pa.ChunkedArray, where: pa.Array | pa.ChunkedArray, other: str | None
) -> pa.ChunkedArray:
    if not pc.any(where).as_py():
        return column
    plain = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    return pc.if_else(where, pa.scalar(other, plain.type), plain)
