"""The commit: log append, state merge and receipts in one durable SQLite transaction."""

import threading
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from dothi.model.batch import CellGroup, CommitResult, Group
from dothi.model.problem import StoreUnavailable
from dothi.model.row import Change
from dothi.pipeline.admit_cells import in_columns
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.history import SealedKeys
from dothi.storage.relational.cell_writer import CellWriter, Steps
from dothi.storage.relational.checkpoints import Checkpoints
from dothi.storage.relational.columns import Ints
from dothi.storage.relational.entity_writer import EntityWriter
from dothi.storage.relational.guard_check import Fate, check_guards, replays, touched
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.log_append import LogAppender, Work
from dothi.storage.relational.numbered import Numbered
from dothi.storage.relational.owner_check import OwnerCheck, WholeRefused
from dothi.storage.relational.past_log import PastLog
from dothi.storage.relational.past_writer import PastWriter
from dothi.storage.relational.series_registry import Registry
from dothi.storage.relational.series_writer import SeriesWriter
from dothi.storage.relational.shape import SHAPE_CHANGED
from dothi.storage.relational.twin_lookup import TwinLookup

_WRITE, _DELETE, _RECORD, _FORGET = range(4)
_RUN_OF = np.zeros(256, np.int8)
"""By change: in which kind of run a row is applied."""
_RUN_OF[[Change.DELETE_ATTRIBUTE, Change.DELETE_ENTITY]] = _DELETE
_RUN_OF[[Change.RECORD, Change.RECORD_ENTITY]] = _RECORD
_RUN_OF[[Change.FORGET, Change.FORGET_ENTITY]] = _FORGET


class SqliteLogWriter:
    """ports.log.LogWriter on SQLite, lane 0. One thread; readers have their own connections."""

    def __init__(
        self,
        path: Path,
        index: HotIndex,
        sealed: SealedKeys | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._connection = HotConnection(path)
        self._checkpoints = Checkpoints(path, self._connection)
        self._clock = clock or SystemClock()
        self._index = index
        self._lock = threading.Lock()
        self._log = LogAppender(self._connection)
        self._registry = Registry(self._connection)
        self._entities = EntityWriter(self._connection, self._registry)
        self._series = SeriesWriter(self._connection, self._registry)
        self._owners = OwnerCheck(self._connection, self._registry)
        self._twins = TwinLookup(self._connection, self._registry, index, sealed)
        self._past = PastLog(PastWriter(self._connection, self._registry), self._log, self._news)
        self._cells = CellWriter(
            Steps(
                registry=self._registry,
                log=self._log,
                entities=self._entities,
                series=self._series,
                owners=self._owners,
                twins=self._twins,
                past=self._past,
            )
        )
        self._retyped: Callable[[Iterable[int]], None] = lambda _ids: None
        self._recall()

    def watch_types(self, retyped: Callable[[Iterable[int]], None]) -> None:
        """Call `retyped(entity ids)` after each commit that wrote types. It must not block."""
        self._retyped = retyped

    def close(self) -> None:
        with self._lock:
            self._checkpoints.close()
            self._connection.close()

    def commit(self, group: Group | CellGroup) -> list[CommitResult]:
        """See ports.log.LogWriter."""
        if isinstance(group, CellGroup) and not self._cells.takes(group):
            group = in_columns(group)
        with self._lock:
            while True:
                try:
                    with self._connection.transaction():
                        work, fate = self._apply(group)
                    break
                except WholeRefused as refused:
                    # Begin again without it, as if it had never been in the group.
                    self._recall()
                    assert isinstance(group, Group)
                    group = refused.left_of(group)
                except BaseException:
                    self._recall()
                    raise
            for rows in work.indexed:
                self._index.append(*rows)
            self._index.fresh.add(work.fresh)
            self._index.forgotten.update(work.forgotten)
            self._retyped([*self._entities.retyped, *self._past.writer.retyped])
            self._entities.retyped, self._past.writer.retyped = [], []
            self._next_seq = work.next_seq
            self._next_batch += len(group.batches)
            self._last_us = work.now_us
            self._checkpoints.look()
            return _results(group, work, fate)

    def release(self, source_id: str) -> int:
        """See ports.owners.SeriesOwners."""
        with self._lock:
            with self._connection.transaction():
                owner, count = self._owners.release(source_id)
            self._registry.forget_owner(owner)
            return count

    def _recall(self) -> None:
        """Read the next numbers from the tables: at start, and after a rollback."""
        try:
            self._registry.forget()
            self._log.refresh()
            number = self._connection.number
            sealed = number("SELECT max(value) FROM watermark WHERE name = 'sealed'")
            self._next_seq = max(sealed, number("SELECT max(seq) FROM log")) + 1
            self._next_batch = number("SELECT max(id) FROM batch") + 1
            self._last_us = number("SELECT max(committed_us) FROM batch")
        except Exception as error:
            raise StoreUnavailable(f"the database cannot be read: {error}") from error

    def _apply(self, group: Group | CellGroup) -> tuple[Work, Fate]:
        self._registry.begin()
        if isinstance(group, CellGroup):
            work = self._begin(group)
            fate = self._cells.apply(group, work)
        else:
            work, fate = self._apply_columns(group)
        if self._registry.is_reshaped:
            self._connection.run(SHAPE_CHANGED)
            self._registry.is_reshaped = False
        self._log.write_receipts(fate, work)
        self._log.write_batches(group, fate, work)
        return work, fate

    def _apply_columns(self, group: Group) -> tuple[Work, Fate]:
        batches, rows = group.batches, group.rows
        fate = replays(self._connection, batches)
        check_guards(self._registry, batches, partial(touched, rows), fate)
        work = self._begin(group)
        if fate.results:
            keep = np.array([fate.applies(n) for n in range(len(batches))], np.bool_)
            rows = rows.filter(pa.array(keep[rows["batch_no"].to_numpy()]))
        self._log.name_sources(rows, group, fate)
        apply = {_WRITE: self._write, _DELETE: self._delete}
        apply |= {_RECORD: self._past.record, _FORGET: self._past.forget}
        for part, kind in _parts(rows):
            apply[kind](part, work)
        return work, fate

    def _begin(self, group: Group | CellGroup) -> Work:
        # Never before the last commit: a clock that jumps back must not reorder the record.
        now_us = max(int(self._clock.now().timestamp() * 1e6), self._last_us)
        batch_ids = np.arange(self._next_batch, self._next_batch + len(group.batches))
        return Work(group, now_us, self._next_seq, batch_ids)

    def _write(self, rows: pa.Table, work: Work) -> None:
        entity_ids = self._entities.resolve(rows, work.now_us)
        change = rows["change"].to_numpy()
        about_entity = change == Change.UPSERT_ENTITY
        if about_entity.any():
            chosen = self._log.numbered(
                rows.filter(pa.array(about_entity)), entity_ids[about_entity]
            )
            scoped = self._entities.upsert(chosen.rows, chosen.entities, work.now_us)
            self._log.append(chosen, work)
            if len(scoped):
                self._past.log_scopes(chosen.take(scoped), work)
            rows, entity_ids = rows.filter(pa.array(~about_entity)), entity_ids[~about_entity]
        if rows.num_rows:
            series = self._series.resolve(rows, entity_ids, work.now_us)
            self._observe(self._permitted(self._log.numbered(rows, entity_ids, series), work), work)

    def _permitted(self, numbered: Numbered, work: Work) -> Numbered:
        """Without the rows that write a series of another source; those are rejected."""
        refused = self._owners.refused(numbered, work.trusted)
        if not refused.any():
            return numbered
        strangers = numbered.where(refused)
        told = self._owners.rejections(strangers)
        for number, of_rows in told.items():
            if work.whole[number]:
                row_no = strangers.rows["row_no"].to_numpy()[strangers.batch_no == number]
                raise WholeRefused(number, row_no, of_rows)
            work.rejected[number] += of_rows
        return numbered.where(~refused)

    def _observe(self, numbered: Numbered, work: Work) -> None:
        if len(numbered):
            numbered, revision = self._news(numbered, work)
            if len(numbered):
                self._store(numbered, revision, work)

    def _news(self, numbered: Numbered, work: Work) -> tuple[Numbered, Ints]:
        """The rows that are no duplicates, with their revisions."""
        verdict = self._twins.judge(numbered)
        duplicate, revision = verdict.duplicate, verdict.revision
        if duplicate.any():
            self._log.tally(numbered.where(duplicate), work, is_duplicate=True)
            numbered, revision = numbered.where(~duplicate), revision[~duplicate]
        return numbered, revision

    def _store(self, numbered: Numbered, revision: Ints, work: Work) -> None:
        self._log.append(numbered, work, revision)
        winners = self._series.merge(numbered, revision, work.now_us)
        self._entities.describe(numbered.take(winners))

    def _delete(self, rows: pa.Table, work: Work) -> None:
        uris = rows["entity"].cast(pa.string()).to_pylist()
        found = self._registry.look_up_entities(uris)
        ids = np.array([found[u][0] if u in found else 0 for u in uris], np.int64)
        whole = rows["change"].to_numpy() == Change.DELETE_ENTITY
        if whole.any():
            gone = [u for u, w in zip(uris, whole, strict=True) if w]
            self._entities.delete(ids[whole], gone, work.now_us)
        series = np.zeros(len(uris), np.int64)
        if not whole.all():
            parts = ~whole
            series[parts] = self._series.delete(
                rows.filter(pa.array(parts)), ids[parts], work.now_us
            )
            self._entities.describe_anew(rows.filter(pa.array(parts)), ids[parts])
            self._entities.touch(ids[parts], work.now_us)
        self._log.append(self._log.numbered(rows, ids, series), work)


def _parts(rows: pa.Table) -> list[tuple[pa.Table, int]]:
    """Runs of rows that are applied together, in order: writes among themselves commute, deletes
    and forgetting do not."""
    if not rows.num_rows:
        return []
    kind = _RUN_OF[rows["change"].to_numpy()]
    edges = [0, *(np.flatnonzero(np.diff(kind)) + 1).tolist(), rows.num_rows]
    return [(rows.slice(start, end - start), int(kind[start])) for start, end in pairwise(edges)]


def _results(group: Group | CellGroup, work: Work, fate: Fate) -> list[CommitResult]:
    found = []
    for number, batch in enumerate(group.batches):
        if not fate.applies(number):
            found.append(fate.results[number])
            continue
        rejected = work.rejected[number]
        stored, duplicates = int(work.stored[number]), int(work.duplicates[number])
        found.append(
            CommitResult(
                batch.id,
                stored + duplicates + sum(r.count for r in rejected),
                stored,
                duplicates,
                rejected,
                first_seq=int(work.first_seq[number]),
                last_seq=int(work.last_seq[number]),
            )
        )
    return found
