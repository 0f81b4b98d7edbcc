"""Rows of the log as the slots of a plan see them."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from msgspec.structs import replace

from dothi.model.quality import USABLE, Quality
from dothi.model.row import Change
from dothi.rules.arrays import NEVER_US, Bools, Columns, Floats, Ints
from dothi.rules.plan import Slot
from dothi.rules.samples import group_starts

_VALUES = pa.array([Change.UPSERT, Change.ASSIGN, Change.DELETE_ATTRIBUTE], pa.uint8())
_USABLE = np.zeros(256, np.bool_)
_USABLE[list(USABLE)] = True


class Run(Struct, frozen=True):
    """Rows of the log in columns that numpy works on; `row` counts from 0 in the order of seq."""

    table: pa.Table
    row: Ints
    entity: Ints
    attribute: Ints
    """Place in the attributes that were asked for."""
    dataset: Ints
    source: pa.DictionaryArray
    us: Ints
    """observed_at, else committed_at."""
    seen_us: Ints
    """When it arrived: clocks of devices run ahead and behind, and what is filled in afterwards is
    no silence."""
    value: Floats
    quality: Ints
    is_gone: Bools
    """Deletes the attribute."""
    is_assigned: Bools
    seq: Ints

    def __len__(self) -> int:
        return len(self.row)

    def taken(self, is_kept: Bools) -> "Run":
        """Some of the rows."""
        if is_kept.all():
            return self
        kept = pa.array(is_kept)
        columns = {
            name: getattr(self, name)[is_kept]
            for name in (
                "row", "entity", "attribute", "dataset", "us", "seen_us", "value", "quality",
                "is_gone", "is_assigned", "seq",
            )
        }  # fmt: skip
        return replace(
            self, table=self.table.filter(kept), source=self.source.filter(kept), **columns
        )


class SlotRows(Struct, frozen=True):
    """Rows of one slot, sorted by entity, then row."""

    entity: Ints
    row: Ints
    us: Ints
    seen_us: Ints
    value: Floats
    quality: Ints
    is_usable: Bools
    is_current: Bools
    """Becomes the current value: not older than what was there (ports/state, UPSERT)."""
    newest_us: Ints
    """Newest time of the series after this row."""
    is_gone: Bools
    seq: Ints

    def __len__(self) -> int:
        return len(self.entity)


class SlotState:
    """What a slot remembers of each entity."""

    def __init__(self) -> None:
        self.columns = Columns(newest_us=NEVER_US, seen_us=NEVER_US)

    def store(self, rows: SlotRows) -> Ints:
        """Keep times; gives the entities."""
        ends = np.ones(len(rows), np.bool_)
        ends[:-1] = rows.entity[1:] != rows.entity[:-1]
        entity = rows.entity[ends]
        self.columns["newest_us"][entity] = rows.newest_us[ends]
        return entity


def codes(column: pa.ChunkedArray, known: Sequence[str]) -> Ints:
    """Place of each text in `known`; -1: not there."""
    found = pc.index_in(column, value_set=pa.array(known, pa.string()))
    return np.asarray(found.fill_null(-1).to_numpy(), np.int64)


def read_run(
    table: pa.Table,
    slots: Sequence[Slot],
    number: Callable[[pa.Table], Ints],
    row: Ints,
) -> tuple[Run, dict[str, list[str]]]:
    """The rows that some slot looks at.

    Args:
        number: gives the numbers of the entities of rows.
        row: place of each row of `table` in the batch.
    """
    attributes = sorted({slot.attribute for slot in slots})
    datasets = sorted({slot.dataset for slot in slots})
    attribute = codes(table["attribute"], attributes)
    dataset = codes(table["dataset"], datasets)
    wanted = (attribute >= 0) & (dataset >= 0)
    wanted &= pc.is_in(table["change"], _VALUES).to_numpy()
    at = np.flatnonzero(wanted)
    if len(at) < table.num_rows:
        table, row = table.take(pa.array(at)), row[at]
        attribute, dataset = attribute[at], dataset[at]
    committed = _ints(table["committed_at"].cast(pa.int64()))
    us = _ints(pc.coalesce(table["observed_at"], table["committed_at"]).cast(pa.int64()))
    change = _ints(table["change"])
    source = table["source"].combine_chunks().dictionary_encode()
    run = Run(
        table,
        row,
        number(table),
        attribute,
        dataset,
        source.combine_chunks() if isinstance(source, pa.ChunkedArray) else source,
        us,
        committed,
        np.asarray(table["number"].fill_null(np.nan).to_numpy(), np.float64),
        _ints(table["quality"]),
        change == Change.DELETE_ATTRIBUTE,
        change == Change.ASSIGN,
        _ints(table["seq"]),
    )
    return run, {"attribute": attributes, "dataset": datasets}


def slot_rows(
    run: Run, slot: Slot, names: dict[str, list[str]], state: SlotState, *, needs_number: bool
) -> SlotRows:
    """The rows of one slot, with what is current."""
    is_here = run.attribute == names["attribute"].index(slot.attribute)
    if len(names["dataset"]) > 1:
        is_here &= run.dataset == names["dataset"].index(slot.dataset)
    if slot.sources:
        sources = codes(pa.chunked_array([run.source.dictionary]), slot.sources) >= 0
        is_here &= sources[_ints(pa.chunked_array([run.source.indices]))]
    at = np.flatnonzero(is_here)
    at = at[np.argsort(run.entity[at], kind="stable")]
    entity, us = run.entity[at], run.us[at]
    is_current, newest_us = _current(
        entity, us, run.is_assigned[at] | run.is_gone[at], state.columns["newest_us"]
    )
    is_usable = _USABLE[run.quality[at]] & ~run.is_gone[at]
    value = run.value[at]
    if needs_number:
        is_usable = is_usable & np.isfinite(value)
    quality = np.where(run.is_gone[at], int(Quality.MISSING), run.quality[at])
    return SlotRows(
        entity, run.row[at], us, run.seen_us[at], value, quality, is_usable, is_current,
        newest_us, run.is_gone[at], run.seq[at],
    )  # fmt: skip


def _current(entity: Ints, us: Ints, is_forced: Bools, newest: Ints) -> tuple[Bools, Ints]:
    """Which rows become current, and the newest time after each; a deletion has no time."""
    if not len(entity):
        return np.zeros(0, np.bool_), us
    starts = group_starts(entity)
    first = newest[entity]
    before = np.empty_like(us)
    before[1:] = us[:-1]
    before[starts] = first[starts]
    if (us >= before).all():
        return np.ones(len(us), np.bool_), us
    # Ranks make room for the group in front of the time, so that one running maximum serves all.
    times, rank = np.unique(np.concatenate([us, first]), return_inverse=True)
    group = np.cumsum(starts) * (len(times) + 1)
    rank_us, rank_first = rank[: len(us)], rank[len(us) :]
    running = np.maximum.accumulate(group + np.maximum(rank_us, np.where(starts, rank_first, 0)))
    after = times[running - group]
    earlier = np.empty_like(us)
    earlier[1:] = after[:-1]
    earlier[starts] = first[starts]
    return (us >= earlier) | is_forced, after


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), np.int64)
