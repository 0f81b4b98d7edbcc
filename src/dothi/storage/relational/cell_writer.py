"""Explicit writes that arrived as tuples, applied without a Group (see pipeline/admit_cells.py).

The steps are those of hot_log.py for rows that change only what is current: every row is the
current value of its series whatever its time, and none is refused or a duplicate.
"""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
from msgspec import Struct

from dothi.model.batch import Batch, CellGroup
from dothi.model.row import Cells, Change, Row
from dothi.storage.relational.cell_block import Block, Bytes, block_of
from dothi.storage.relational.columns import NO_TIME, Ints
from dothi.storage.relational.entity_body import read_body
from dothi.storage.relational.entity_writer import (
    DEFAULT_TYPE,
    NOWHERE,
    Box,
    Draft,
    EntityWriter,
    boxes_of,
)
from dothi.storage.relational.guard_check import Fate, Touched, check_guards
from dothi.storage.relational.log_append import LogAppender, Work
from dothi.storage.relational.owner_check import OwnerCheck
from dothi.storage.relational.past_log import PastLog
from dothi.storage.relational.series_registry import UNKNOWN, Registry
from dothi.storage.relational.series_writer import SeriesWriter
from dothi.storage.relational.twin_lookup import TwinLookup

_UPSERT_ENTITY = int(Change.UPSERT_ENTITY)
_ASSIGN = int(Change.ASSIGN)
_DESCRIBING = frozenset({"name", "location"})
_MOST_REVISION = 255


class Steps(Struct, frozen=True):
    """What a commit consists of."""

    registry: Registry
    log: LogAppender
    entities: EntityWriter
    series: SeriesWriter
    owners: OwnerCheck
    twins: TwinLookup
    past: PastLog


class _Looks(Struct, frozen=True):
    """What default instances say of entities: URI -> the last name, and the last place."""

    names: dict[str, str]
    boxes: dict[str, Box]


class CellWriter:
    """Within the writer's transaction."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    @staticmethod
    def takes(group: CellGroup) -> bool:
        """Whether no row can be refused, nor a batch be known."""
        return all(batch.is_trusted and batch.is_single for batch in group.batches)

    def apply(self, group: CellGroup, work: Work) -> Fate:
        """Write entities, log and state; the books are left to the caller."""
        steps, fate = self._steps, Fate({})
        check_guards(steps.registry, group.batches, partial(_touched, group.batches), fate)
        rows, counts = group.rows, [batch.rows.num_rows for batch in group.batches]
        batch_no = np.repeat(np.arange(len(counts)), counts)
        quality = np.frombuffer(bytes(group.quality), np.uint8)
        if fate.results:
            applies = np.array([fate.applies(n) for n in range(len(counts))], np.bool_)
            rows, batch_no, quality = _at(
                np.flatnonzero(applies[batch_no]), rows, batch_no, quality
            )
        if not rows:
            return fate
        steps.log.name({row[0] for row in rows}, {row[9] or "" for row in rows})
        is_head = np.frombuffer(bytes([row[12] for row in rows]), np.uint8) == _UPSERT_ENTITY
        heads = _at(np.flatnonzero(is_head), rows, batch_no, quality)
        values = (
            _at(np.flatnonzero(~is_head), rows, batch_no, quality)
            if heads[0]
            else (rows, batch_no, quality)
        )
        looks = _looks(values[0])
        uris = list(dict.fromkeys([row[1] for row in rows]))
        steps.entities.find_or_make(uris, partial(_drafts, heads[0], looks), work.now_us)
        if heads[0]:
            self._write_heads(self._block(*heads), work)
        if values[0]:
            self._write_values(self._block(*values), looks, work)
        return fate

    def _block(self, rows: Sequence[Row], batch_no: Ints, quality: Bytes) -> Block:
        known = self._steps.registry.entities
        return block_of(rows, batch_no, quality, self._steps.log.sources, known)

    def _write_heads(self, heads: Block, work: Work) -> None:
        steps, none = self._steps, np.zeros(len(heads), np.int64)
        bodies = [row[8] for row in heads.rows]
        scoped = steps.entities.upsert_bodies(bodies, heads.entities.tolist(), work.now_us)
        steps.log.append_block(heads, _UPSERT_ENTITY, none, none, work)
        if scoped:
            steps.past.log_scopes(heads.numbered(none).take(np.array(scoped)), work)

    def _write_values(self, values: Block, looks: _Looks, work: Work) -> None:
        steps = self._steps
        names = list(zip(values.entities.tolist(), values.names, values.datasets, strict=True))
        series = np.array(steps.series.find_or_make(names, work.now_us), np.int64)
        steps.owners.claim(values.sources, series)
        is_plain = bool((np.diff(series) > 0).all()) or len(set(series.tolist())) == len(series)
        revision = self._revision(values, series, is_plain=is_plain)
        steps.log.append_block(values, _ASSIGN, series, revision, work)
        steps.registry.note_later(series, values.observed)
        steps.registry.note(series, values.observed, revision)
        steps.series.assign(
            values, series, None if is_plain else _last_of_each(series), work.now_us
        )
        self._describe(values, series, looks)

    def _describe(self, values: Block, series: Ints, looks: _Looks) -> None:
        """Keep names and bounds of entities in step with their attributes."""
        entities, known = self._steps.entities, self._steps.registry.entities
        entities.describe_by_default(
            {known[uri]: name for uri, name in looks.names.items()},
            {known[uri]: box for uri, box in looks.boxes.items()},
        )
        if any(values.datasets):
            further = {
                int(series[at]): at
                for at, row in enumerate(values.rows)
                if row[4] and row[3] in _DESCRIBING
            }
            if further:
                entities.describe(values.numbered(series).take(np.array(list(further.values()))))

    def _revision(self, values: Block, series: Ints, *, is_plain: bool) -> Ints:
        """Of each row: 0 for the first value of a key, n for its n-th correction.

        `is_plain`: every row is of a series of its own.
        """
        registry, observed = self._steps.registry, values.observed
        newest, known = registry.newest[series], registry.revision[series]
        late = (observed != NO_TIME) & (observed <= newest)
        counted = late & (observed == newest) & (known != UNKNOWN)
        if (late & ~counted).any() or not is_plain:
            return self._steps.twins.judge(values.numbered(series)).revision
        revision: Ints = np.where(counted, np.minimum(known + 1, _MOST_REVISION), 0)
        return revision


def _at(
    at: Ints, rows: Sequence[Row], batch_no: Ints, quality: Bytes
) -> tuple[list[Row], Ints, Bytes]:
    """Some of the rows, with their batches and qualities."""
    return [rows[n] for n in at.tolist()], batch_no[at], quality[at]


def _last_of_each(series: Ints) -> Ints:
    """Indexes of the last row of each series, in the order of their first ones."""
    return np.array(list({one: at for at, one in enumerate(series.tolist())}.values()), np.int64)


def _touched(batches: Sequence[Batch], ids: set[str]) -> Touched:
    """Which of these entities the batches write; for the first nobody asks."""
    if len(batches) == 1:
        return {}
    return {
        number: [(uri, _ASSIGN) for uri in ids.intersection([row[1] for row in _rows_of(batch)])]
        for number, batch in enumerate(batches)
    }


def _rows_of(batch: Batch) -> Iterable[Row]:
    assert isinstance(batch.rows, Cells)
    return batch.rows.rows


def _looks(values: Sequence[Row]) -> _Looks:
    names: dict[str, str] = {}
    bodies: dict[str, str] = {}
    for row in values:
        if row[3] not in _DESCRIBING or row[4]:
            continue
        if row[3] == "name":
            # A name that is no text (a number, a text in many languages) is none here.
            names[row[1]] = row[7] or ""
        elif row[8] is not None:
            bodies[row[1]] = row[8]
    return _Looks(names, dict(zip(bodies, boxes_of(list(bodies.values())), strict=True)))


def _drafts(heads: Sequence[Row], looks: _Looks, uris: list[str]) -> dict[str, Draft]:
    """What the rows say of each of these entities, which are to be made."""
    told = {row[1]: row[8] for row in heads}
    return {
        uri: Draft(
            read_body(told[uri]) if uri in told else read_body(None, DEFAULT_TYPE),
            looks.names.get(uri),
            looks.boxes.get(uri, NOWHERE),
        )
        for uri in uris
    }
