"""Explicit writes that arrived as tuples, applied without columns (see pipeline/admit_cells.py).

The steps are those of hot_log.py for rows that change only what is current: every row is the
current value of its series whatever its time, and none is refused or a duplicate.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa
from msgspec import Struct

from dothi.model.batch import CellGroup
from dothi.model.row import TIMESTAMP, Change
from dothi.storage.relational.columns import NO_TIME, Ints, times
from dothi.storage.relational.entity_writer import (
    DEFAULT_TYPE,
    NOWHERE,
    Box,
    Draft,
    EntityWriter,
    boxes_of,
    read_body,
)
from dothi.storage.relational.guard_check import Fate, check_guards, touched_by
from dothi.storage.relational.log_append import (
    Keys,
    LogAppender,
    Sent,
    Work,
    numbered_cells,
)
from dothi.storage.relational.owner_check import OwnerCheck
from dothi.storage.relational.past_log import PastLog
from dothi.storage.relational.series_registry import UNKNOWN, Registry
from dothi.storage.relational.series_writer import SeriesWriter
from dothi.storage.relational.twin_lookup import TwinLookup

_UPSERT_ENTITY = int(Change.UPSERT_ENTITY)
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
        rows = list(zip(group.batch_no, group.rows, group.quality, strict=True))
        touched = partial(touched_by, [(number, row) for number, row, _ in rows])
        check_guards(steps.registry, group.batches, touched, fate)
        if fate.results:
            rows = [row for row in rows if fate.applies(row[0])]
        if not rows:
            return fate
        steps.log.name({row[0] for _, row, _ in rows}, {row[9] or "" for _, row, _ in rows})
        heads = [row for row in rows if row[1][12] == _UPSERT_ENTITY]
        values = [row for row in rows if row[1][12] != _UPSERT_ENTITY] if heads else rows
        looks = _looks(values)
        uris = list(dict.fromkeys(row[1] for _, row, _ in rows))
        steps.entities.find_or_make(uris, partial(_drafts, rows, looks), work.now_us)
        if heads:
            self._write_heads(heads, work)
        if values:
            self._write_values(values, looks, work)
        return fate

    def _write_heads(self, heads: list[Sent], work: Work) -> None:
        steps = self._steps
        keys = self._keys(heads, np.zeros(len(heads), np.int64))
        bodies = [row[8] for _, row, _ in heads]
        scoped = steps.entities.upsert_bodies(bodies, keys.entities.tolist(), work.now_us)
        steps.log.append_cells(heads, keys, np.zeros(len(heads), np.int64), work)
        if scoped:
            steps.past.log_scopes(numbered_cells(heads, keys).take(np.array(scoped)), work)

    def _write_values(self, values: list[Sent], looks: _Looks, work: Work) -> None:
        steps, known = self._steps, self._steps.registry.entities
        names = [(known[row[1]], row[3], row[4]) for _, row, _ in values]
        ids = steps.series.find_or_make(names, work.now_us)
        keys = self._keys(values, np.array(ids, np.int64))
        steps.owners.claim(keys.sources, keys.series)
        revision = self._revision(values, keys)
        steps.log.append_cells(values, keys, revision, work)
        steps.registry.note_later(keys.series, keys.observed)
        steps.registry.note(keys.series, keys.observed, revision)
        times_us = [None if at == NO_TIME else at for at in keys.observed.tolist()]
        current = {
            series: (row[11], *row[6:10], at, quality, source)
            for series, (_, row, quality), at, source in zip(
                ids, values, times_us, keys.sources.tolist(), strict=True
            )
        }
        steps.series.assign(current, work.now_us)
        self._describe(values, keys, looks)

    def _describe(self, values: list[Sent], keys: Keys, looks: _Looks) -> None:
        """Keep names and bounds of entities in step with their attributes."""
        entities, known = self._steps.entities, self._steps.registry.entities
        entities.describe_by_default(
            {known[uri]: name for uri, name in looks.names.items()},
            {known[uri]: box for uri, box in looks.boxes.items()},
        )
        further = {
            series: at
            for at, (series, (_, row, _)) in enumerate(
                zip(keys.series.tolist(), values, strict=True)
            )
            if row[4] and row[3] in {"name", "location"}
        }
        if further:
            entities.describe(numbered_cells(values, keys).take(np.array(list(further.values()))))

    def _keys(self, rows: list[Sent], series: Ints) -> Keys:
        known = self._steps.registry.entities
        at = pa.chunked_array([pa.array([row[5] for _, row, _ in rows], TIMESTAMP)])
        return Keys(
            self._steps.log.source_numbers(row[0] for _, row, _ in rows),
            np.array([known[row[1]] for _, row, _ in rows], np.int64),
            series,
            times(at),
        )

    def _revision(self, values: list[Sent], keys: Keys) -> Ints:
        """Of each row: 0 for the first value of a key, n for its n-th correction."""
        registry = self._steps.registry
        newest, known = registry.newest[keys.series], registry.revision[keys.series]
        late = (keys.observed != NO_TIME) & (keys.observed <= newest)
        counted = late & (keys.observed == newest) & (known != UNKNOWN)
        if (late & ~counted).any() or len(set(keys.series.tolist())) < len(values):
            return self._steps.twins.judge(numbered_cells(values, keys)).revision
        revision: Ints = np.where(counted, np.minimum(known + 1, _MOST_REVISION), 0)
        return revision


def _looks(values: Sequence[Sent]) -> _Looks:
    names: dict[str, str] = {}
    bodies: dict[str, str] = {}
    for _, row, _ in values:
        if row[4]:
            continue
        if row[3] == "name":
            # A name that is no text (a number, a text in many languages) is none here.
            names[row[1]] = row[7] or ""
        elif row[3] == "location" and row[8] is not None:
            bodies[row[1]] = row[8]
    return _Looks(names, dict(zip(bodies, boxes_of(list(bodies.values())), strict=True)))


def _drafts(rows: Sequence[Sent], looks: _Looks, uris: list[str]) -> dict[str, Draft]:
    """What the rows say of each of these entities, which are to be made."""
    told = {row[1]: row[8] for _, row, _ in rows if row[12] == _UPSERT_ENTITY}
    return {
        uri: Draft(
            read_body(told[uri]) if uri in told else read_body(None, DEFAULT_TYPE),
            looks.names.get(uri),
            looks.boxes.get(uri, NOWHERE),
        )
        for uri in uris
    }
