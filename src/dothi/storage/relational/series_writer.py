"""Series (attribute rows): resolving names to ids, and merging the newest values into the state."""

from typing import Any

import numpy as np
import pyarrow as pa

from dothi.model.row import Change
from dothi.storage.relational.cell_block import Block
from dothi.storage.relational.columns import (
    NO_TIME,
    Ints,
    codes,
    distinct,
    ints,
    nullable_times,
    texts,
)
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.numbered import Numbered
from dothi.storage.relational.series_registry import NOBODY, SCOPE, Registry, SeriesName

_STAGE = """
CREATE TEMP TABLE newest_value (
    id INTEGER PRIMARY KEY, kind INTEGER, number REAL, text TEXT, body TEXT, unit TEXT,
    observed_us INTEGER, newest_us INTEGER, newest_revision INTEGER, quality INTEGER,
    source_id INTEGER, forced INTEGER)
"""
# The plus keeps SQLite from going through all attributes for the few that change.
_MERGE = """
UPDATE attribute SET kind = s.kind, number = s.number, text = s.text, body = s.body,
    unit = s.unit, observed_us = s.observed_us, quality = s.quality, source_id = s.source_id,
    newest_us = coalesce(max(attribute.newest_us, s.newest_us), attribute.newest_us, s.newest_us),
    newest_revision = s.newest_revision, modified_us = ?1
FROM temp.newest_value s
WHERE attribute.id = +s.id AND (
    s.forced OR attribute.observed_us IS NULL OR s.observed_us >= attribute.observed_us)
"""


_INSERT_STAGE = "INSERT INTO temp.newest_value VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_FRESH = """
INSERT INTO attribute (id, kind, number, text, body, unit, observed_us, newest_us,
    newest_revision, quality, source_id, entity_id, name, dataset, owner_id, created_us,
    modified_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16)
"""
_INSERT_ASSIGNED = """
INSERT INTO attribute (id, kind, number, text, body, unit, observed_us, newest_us,
    newest_revision, quality, source_id, created_us, modified_us, entity_id, name, dataset,
    owner_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13, ?14, ?15, ?16)
"""
_ASSIGN = """
UPDATE attribute SET kind = ?2, number = ?3, text = ?4, body = ?5, unit = ?6, observed_us = ?7,
    newest_us = ?8, newest_revision = ?9, quality = ?10, source_id = ?11, modified_us = ?12
WHERE id = ?1
"""


_NONE = pa.record_batch({"id": pa.array([], pa.int64())})


class SeriesWriter:
    """Writes table attribute within the writer's transaction."""

    def __init__(self, connection: HotConnection, registry: Registry) -> None:
        self._connection = connection
        self._registry = registry
        connection.run(_STAGE)

    def resolve(self, rows: pa.Table, entity_ids: Ints, now_us: int) -> Ints:
        """Attribute id of every row; series that are not there (or were deleted) are made."""
        names, name_at = codes(rows["attribute"])
        datasets, dataset_at = codes(rows["dataset"])
        lowest = int(entity_ids.min())
        width = len(names) * len(datasets)
        packed = (entity_ids - lowest) * width + name_at * len(datasets) + dataset_at
        _, first, of_row = distinct(packed, (int(entity_ids.max()) - lowest + 1) * width)
        keys: list[SeriesName] = [
            (e, names[n] or "", datasets[d] or "")
            for e, n, d in zip(
                entity_ids[first].tolist(),
                name_at[first].tolist(),
                dataset_at[first].tolist(),
                strict=True,
            )
        ]
        known = self._registry.series
        missing = [k for k in keys if k not in known]
        if missing:
            self._make(missing, now_us)
            known = self._registry.series
        ids = np.fromiter((known[k] for k in keys), np.int64, len(keys))
        resolved: Ints = ids[of_row]
        return resolved

    def _make(self, missing: list[SeriesName], now_us: int) -> None:
        first_new = self._registry.first_new_entity
        old = [k for k in missing if k[0] < first_new or k[1] == SCOPE]
        found = self._registry.look_up_series(old) if old else {}
        dead = [id_ for id_, is_live in found.values() if not is_live]
        if dead:
            self._connection.run(
                "UPDATE attribute SET deleted_us = NULL, observed_us = NULL, created_us = ?1, "
                "modified_us = ?1 WHERE id = ?2",
                pa.table({"now": ints([now_us] * len(dead)), "id": ints(dead)}),
            )
        fresh = [k for k in missing if k not in found]
        first = self._registry.next_attribute
        ids = range(first, first + len(fresh))
        self._registry.next_attribute += len(fresh)
        self._registry.grow(self._registry.next_attribute)
        self._registry.fresh = dict(zip(ids, fresh, strict=True))
        self._registry.is_reshaped |= bool(dead or fresh)
        self._registry.series.update({k: id_ for k, (id_, _) in found.items()})
        self._registry.series.update(zip(fresh, ids, strict=True))

    def merge(self, numbered: Numbered, revision: Ints, now_us: int) -> Ints:
        """Make the newest row of each series its current value; gives the winners' indexes.

        A row without a time, or an ASSIGN, wins over rows that only carry a time.
        """
        rows, attribute_ids, observed = numbered.rows, numbered.series, numbered.observed
        forced = (observed == NO_TIME) | (rows["change"].to_numpy() == Change.ASSIGN)
        if forced.any():
            order = np.lexsort((np.where(forced, 0, observed), forced, attribute_ids))
        else:
            order = np.lexsort((observed, attribute_ids))
        sorted_ids = attribute_ids[order]
        is_last = np.append(sorted_ids[1:] != sorted_ids[:-1], True)
        winners: Ints = order[is_last]
        starts = np.flatnonzero(np.append(True, sorted_ids[1:] != sorted_ids[:-1]))
        newest = np.maximum.reduceat(observed[order], starts)
        ids = attribute_ids[winners]
        self._registry.newest[ids] = np.maximum(self._registry.newest[ids], newest)
        self._registry.note(attribute_ids, observed, revision)
        chosen = rows.take(pa.array(winners))
        values = pa.table(
            {
                "id": ids,
                "kind": chosen["kind"],
                "number": chosen["number"],
                "text": chosen["text"],
                "body": chosen["body"],
                "unit": chosen["unit"],
                "observed": nullable_times(observed[winners]),
                "newest": nullable_times(newest),
                "revision": self._registry.revision[ids],
                "quality": chosen["quality"],
                "source": numbered.sources[winners],
                "forced": forced[winners],
            }
        )
        fresh = self._registry.fresh
        # Ids rise, and winners are in their order: those without a row stand last.
        known = int(np.searchsorted(ids, self._registry.first_fresh)) if fresh else len(ids)
        if known:
            self._connection.run("DELETE FROM temp.newest_value")
            self._connection.run(_INSERT_STAGE, values.slice(0, known))
            self._connection.run(_MERGE, pa.table({"now": ints([now_us])}))
        if fresh:
            self._insert(values.slice(known), [fresh[i] for i in ids[known:].tolist()], now_us)
            self._registry.fresh = {}
        return winners

    def _insert(self, values: pa.Table, names: list[SeriesName], now_us: int) -> None:
        """Rows of series that had none, with their first value.

        Args:
            values: n rows of the stage.
            names: n names.
        """
        entities, attributes, datasets = zip(*names, strict=True)
        owner = self._registry.owner[values["id"].to_numpy()]
        columns = {
            "entity_id": ints(entities),
            "name": texts(attributes),
            "dataset": texts(datasets),
            "owner_id": pa.array(owner, mask=owner == NOBODY),
            "now": ints([now_us] * len(names)),
        }
        for name, column in columns.items():
            values = values.append_column(name, column)
        self._connection.run(_INSERT_FRESH, values.drop_columns(["forced"]))

    def find_or_make(self, keys: list[SeriesName], now_us: int) -> list[int]:
        """Attribute id of each; series that are not there (or were deleted) are made."""
        known = self._registry.series
        missing = dict.fromkeys([key for key in keys if key not in known])
        if missing:
            self._make(list(missing), now_us)
        return [known[key] for key in keys]

    def assign(self, block: Block, series: Ints, last: Ints | None, now_us: int) -> None:
        """Make values current, whatever their times.

        Args:
            block: n rows.
            series: number of the series of each.
            last: indexes of the last row of each series; None: each is of a series of its own.
            now_us: time of the commit.
        """
        registry, count = self._registry, len(block)
        columns = {
            "id": series,
            "kind": block.kind,
            "number": block.number,
            "text": block.text,
            "body": block.body,
            "unit": pa.array(block.units, pa.string()),
            "observed": nullable_times(block.observed),
            "newest": nullable_times(registry.newest[series]),
            "revision": registry.revision[series],
            "quality": block.quality,
            "source": block.sources,
            "now": np.full(count, now_us),
        }
        rows = np.arange(count) if last is None else last
        if not registry.fresh:
            self._connection.run(_ASSIGN, _some(columns, rows))
            return
        is_fresh = series[rows] >= registry.first_fresh
        self._connection.run(_ASSIGN, _some(columns, rows[~is_fresh]))
        owner = registry.owner[series]
        columns |= {
            "entity": block.entities,
            "name": pa.array(block.names, pa.string()),
            "dataset": pa.array(block.datasets, pa.string()),
            "owner": pa.array(owner, mask=owner == NOBODY),
        }
        self._connection.run(_INSERT_ASSIGNED, _some(columns, rows[is_fresh]))
        registry.fresh = {}

    def delete(self, rows: pa.Table, entity_ids: Ints, now_us: int) -> Ints:
        """Mark attributes as gone; gives the series id of each row, 0 where there is none."""
        keys = list(
            zip(
                entity_ids.tolist(),
                rows["attribute"].cast(pa.string()).to_pylist(),
                rows["dataset"].cast(pa.string()).to_pylist(),
                strict=True,
            )
        )
        found = self._registry.look_up_series(keys)
        ids = [id_ for id_, is_live in found.values() if is_live]
        self._connection.run(
            "UPDATE attribute SET deleted_us = ?1, owner_id = NULL WHERE id = ?2",
            pa.table(
                {
                    "now": pa.array([now_us] * len(ids), pa.int64()),
                    "id": pa.array(ids, pa.int64()),
                }
            ),
        )
        self._registry.is_reshaped = True
        for key in keys:
            self._registry.series.pop(key, None)
        return np.array([found[k][0] if k in found else 0 for k in keys], np.int64)


def _some(columns: dict[str, Any], at: Ints) -> pa.RecordBatch:
    """The rows with these indexes, which rise when there are all of them."""
    if not len(at):
        return _NONE
    rows = pa.record_batch(columns)
    return rows if len(at) == rows.num_rows else rows.take(pa.array(at))
