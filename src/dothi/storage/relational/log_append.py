"""Appends rows to the log and keeps the books of one commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dothi.model.batch import CellGroup, Group, Rejection
from dothi.storage.relational.cell_block import Block
from dothi.storage.relational.columns import (
    Ints,
    codes,
    ints,
    nullable_times,
    texts,
    times,
    used,
)
from dothi.storage.relational.fresh_rows import Committed, Fresh, fresh_of
from dothi.storage.relational.guard_check import Fate
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.numbered import Mask, Numbered
from dothi.storage.relational.receipt_writer import ReceiptWriter, Tally
from dothi.storage.relational.series_registry import Numbering

_INSERT_LOG = (
    "INSERT INTO log (seq, attribute_id, entity_id, observed_us, number, text, body, unit_id, "
    "quality, source_id, batch_id, committed_us, change, revision, kind) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


_INSERT_BATCH = (
    "INSERT INTO batch (name_id, id, received, stored, duplicates, rejected, first_seq, last_seq, "
    "committed_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_BATCH = pa.struct([("name", pa.string()), *((f"c{n}", pa.int64()) for n in range(8))])


@dataclass(slots=True)
class Work:
    """What one commit gathers on its way; arrays and `rejected` have one entry per batch."""

    group: Group | CellGroup
    now_us: int
    next_seq: int
    batch_ids: Ints
    received_us: Ints = field(init=False)
    trusted: Mask = field(init=False)
    """Its rows may write every series."""
    whole: Mask = field(init=False)
    """All of its rows or none."""
    committed: Committed = field(init=False)
    rejected: list[tuple[Rejection, ...]] = field(init=False)
    """What door, admit and writer refused."""
    stored: Ints = field(init=False)
    duplicates: Ints = field(init=False)
    first_seq: Ints = field(init=False)
    last_seq: Ints = field(init=False)
    tallies: list[Tally] = field(default_factory=list)
    indexed: list[tuple[Ints, Ints, Ints]] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    """Series of which something was forgotten."""
    fresh: list[Fresh] = field(default_factory=list)
    """The log rows, for those who follow the log."""

    def __post_init__(self) -> None:
        batches = self.group.batches
        self.received_us = np.array(
            [int(b.received_at.timestamp() * 1e6) for b in batches], np.int64
        )
        self.trusted = np.array([b.is_trusted for b in batches], np.bool_)
        self.whole = np.array([b.is_whole for b in batches], np.bool_)
        self.rejected = list(self.group.rejected)
        self.committed = Committed([batch.id for batch in batches], self.now_us)
        self.stored, self.duplicates, self.first_seq, self.last_seq = (
            np.zeros(len(batches), np.int64) for _ in range(4)
        )


class LogAppender:
    """Writes tables log, batch, source, unit within the writer's transaction."""

    def __init__(self, connection: HotConnection) -> None:
        self._connection = connection
        self._sources = Numbering(connection, "source", "name_id")
        self._units = Numbering(connection, "unit", "code")
        self._receipts = ReceiptWriter(connection)

    def refresh(self) -> None:
        """Forget what a rollback may have undone."""
        self._sources.refresh()
        self._units.refresh()

    def source_ids(self, rows: pa.Table) -> Ints:
        """Number of the source of each row."""
        return _numbers(rows["source"], self._sources.known)

    def numbered(self, rows: pa.Table, entities: Ints, series: Ints | None = None) -> Numbered:
        """The rows with the numbers of what they name; without `series` they name none."""
        sources = self.source_ids(rows)
        none = np.zeros_like(sources)
        observed = times(rows["observed_at"])
        return Numbered(rows, sources, entities, none if series is None else series, observed)

    def append(self, numbered: Numbered, work: Work, revision: Ints | None = None) -> None:
        """Write log rows that were sent; note them for the receipts and the index."""
        self.add(numbered, work, revision)
        self.tally(numbered, work, is_duplicate=False)

    def add(self, numbered: Numbered, work: Work, revision: Ints | None = None) -> None:
        """Write log rows, note them for the index: nobody sent them as such."""
        rows, count = numbered.rows, len(numbered)
        seq = np.arange(work.next_seq, work.next_seq + count)
        work.next_seq += count
        batch_no = rows["batch_no"].to_numpy()
        self._connection.run(
            _INSERT_LOG,
            pa.table(
                {
                    "seq": seq,
                    "attribute_id": numbered.series,
                    "entity_id": numbered.entities,
                    "observed_us": nullable_times(numbered.observed),
                    "number": rows["number"],
                    "text": rows["text"],
                    "body": rows["body"],
                    "unit_id": _numbers(rows["unit"], self._units.known),
                    "quality": rows["quality"],
                    "source_id": numbered.sources,
                    "batch_id": work.batch_ids[batch_no],
                    "committed_us": np.full(count, work.now_us),
                    "change": rows["change"],
                    "revision": np.zeros(count, np.int64) if revision is None else revision,
                    "kind": rows["kind"],
                }
            ),
        )
        places = seq, numbered.series, numbered.observed
        _note(work, places, batch_no, lambda: numbered, revision)

    def append_block(
        self, block: Block, change: int, series: Ints, revision: Ints, work: Work
    ) -> None:
        """The same as `append` for rows that arrived as tuples.

        Args:
            block: n rows.
            change: of all of them.
            series: number of the series of each.
            revision: of each.
        """
        count, units = len(block), self._units.known
        seq = np.arange(work.next_seq, work.next_seq + count)
        work.next_seq += count
        self._connection.run(
            _INSERT_LOG,
            pa.record_batch(
                {
                    "seq": seq,
                    "attribute_id": series,
                    "entity_id": block.entities,
                    "observed_us": nullable_times(block.observed),
                    "number": block.number,
                    "text": block.text,
                    "body": block.body,
                    "unit_id": np.array([units.get(u or "", 0) for u in block.units], np.int64),
                    "quality": block.quality,
                    "source_id": block.sources,
                    "batch_id": work.batch_ids[block.batch_no],
                    "committed_us": np.full(count, work.now_us),
                    "change": np.full(count, change, np.uint8),
                    "revision": revision,
                    "kind": block.kind,
                }
            ),
        )
        places = seq, series, block.observed
        _note(work, places, block.batch_no, lambda: block.numbered(series), revision)
        self._tally(block.sources, block.observed, block.batch_no, work, is_duplicate=False)

    @property
    def sources(self) -> Mapping[str, int]:
        """Name -> number."""
        return self._sources.known

    def tally(self, numbered: Numbered, work: Work, *, is_duplicate: bool) -> None:
        """Note rows for the receipts."""
        keys = (numbered.sources, numbered.observed, numbered.batch_no)
        self._tally(*keys, work, is_duplicate=is_duplicate)

    def _tally(
        self,
        sources: Ints,
        observed: Ints,
        batch_no: Ints | npt.NDArray[np.int32],
        work: Work,
        *,
        is_duplicate: bool,
    ) -> None:
        counts = np.bincount(batch_no, minlength=len(work.stored))
        if is_duplicate:
            work.duplicates += counts
        else:
            work.stored += counts
        work.tallies.append(
            Tally(
                sources,
                work.received_us[batch_no],
                observed,
                np.full(len(sources), int(is_duplicate)),
            )
        )

    def name_sources(self, rows: pa.Table, group: Group, fate: Fate) -> None:
        """Give sources and units that are seen for the first time a number."""
        names, at = codes(rows["source"])
        seen = {names[i] or "" for i in used(names, at)}
        seen |= {
            r.source for n, found in enumerate(group.rejected) if fate.applies(n) for r in found
        }
        units, at = codes(rows["unit"])
        self.name(seen, {units[i] or "" for i in used(units, at)})

    def name(self, seen: set[str], units: set[str]) -> None:
        """The same for names of sources, and for units, among which there may be none ("")."""
        missing = sorted(seen - self._sources.known.keys())
        if missing:
            self._sources.refresh()  # one may have been registered beside us
            missing = sorted(seen - self._sources.known.keys())
        if missing:
            now_us = int(datetime.now(UTC).timestamp() * 1e6)
            self._connection.run(
                "INSERT INTO source (name_id, name, kind, created_us) VALUES (?1, ?1, 'auto', ?2)",
                pa.table({"n": texts(missing), "t": ints([now_us] * len(missing))}),
            )
            self._sources.refresh()
        fresh = units - self._units.known.keys() - {""}
        if fresh:
            self._connection.run(
                "INSERT INTO unit (code) VALUES (?)", pa.table({"c": texts(sorted(fresh))})
            )
            self._units.refresh()

    def write_receipts(self, fate: Fate, work: Work) -> None:
        tally = Tally(
            *(
                np.concatenate([getattr(t, name) for t in work.tallies] or [np.empty(0, np.int64)])
                for name in ("source", "received_us", "observed", "duplicate")
            )
        )
        rejected = [
            (self._sources.known[r.source], int(work.received_us[n]), r)
            for n, found in enumerate(work.rejected)
            if fate.applies(n)
            for r in found
        ]
        self._receipts.write(tally, rejected)

    def write_batches(self, group: Group | CellGroup, fate: Fate, work: Work) -> None:
        applied = [n for n in range(len(group.batches)) if fate.applies(n)]
        rejected = np.array([sum(r.count for r in work.rejected[n]) for n in applied], np.int64)
        stored, duplicates = work.stored[applied], work.duplicates[applied]
        columns = (
            work.batch_ids[applied],
            stored + duplicates + rejected,
            stored,
            duplicates,
            rejected,
            work.first_seq[applied],
            work.last_seq[applied],
        )
        names = [group.batches[n].id for n in applied]
        rows = zip(names, *(column.tolist() for column in columns), strict=True)
        self._connection.put(_INSERT_BATCH, [(*row, work.now_us) for row in rows], _BATCH)


def _note(
    work: Work,
    rows: tuple[Ints, Ints, Ints],
    batch_no: Ints,
    numbered: Callable[[], Numbered],
    revision: Ints | None,
) -> None:
    """Rows (seq, series, observed) went into the log."""
    seq = rows[0]
    work.indexed.append(rows)
    work.fresh.append(fresh_of(int(seq[0]), len(seq), numbered, revision, work.committed))
    work.last_seq[batch_no] = seq
    first = np.zeros_like(work.first_seq)
    first[batch_no[::-1]] = seq[::-1]
    work.first_seq = np.where(work.first_seq == 0, first, work.first_seq)


def _numbers(column: pa.ChunkedArray, known: dict[str, int]) -> Ints:
    names, at = codes(column)
    ids = np.array([known.get(name or "", 0) for name in names], np.int64)
    numbers: Ints = ids[at]
    return numbers
