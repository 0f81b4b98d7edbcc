"""Writes that concern the past alone: values that never become current, and forgetting.

The current state does not see any of it: series and entities that are made here are marked as
gone from the start, and the writers of the state bring them to life when they are written there.
"""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct, field

from dothi.model.fold import fold
from dothi.model.row import Change
from dothi.storage.relational.columns import NO_TIME, Ints, ints, texts
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.numbered import Numbered
from dothi.storage.relational.series_registry import UNKNOWN, Registry, SeriesName

_EVER = 0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TypesBody(msgspec.Struct, frozen=True):
    """Body of a RECORD_ENTITY row."""

    types: list[str] = []


class ForgetBody(msgspec.Struct, frozen=True):
    """Body of a FORGET row that is about one instance."""

    seq: int | None = None
    stood_at: datetime | None = None
    moved_at: datetime | None = None
    is_moved: bool = False
    """It stands under the time of this commit from now on."""


class _Forgotten(Struct):
    """Rows of table forgotten that one run of rows makes."""

    entity: list[int] = field(default_factory=list)
    series: list[int] = field(default_factory=list)
    from_seq: list[int] = field(default_factory=list)
    up_to_seq: list[int] = field(default_factory=list)
    observed: list[int | None] = field(default_factory=list)
    stood: list[int | None] = field(default_factory=list)
    moved: list[int | None] = field(default_factory=list)

    def add(
        self,
        key: tuple[int, int],
        span: tuple[int, int],
        observed: int | None = None,
        way: tuple[int | None, int | None] = (None, None),
    ) -> None:
        self.entity.append(key[0])
        self.series.append(key[1])
        self.from_seq.append(span[0])
        self.up_to_seq.append(span[1])
        self.observed.append(observed)
        self.stood.append(way[0])
        self.moved.append(way[1])


class PastWriter:
    """Within the writer's transaction."""

    def __init__(self, connection: HotConnection, registry: Registry) -> None:
        self._connection = connection
        self._registry = registry
        self.retyped: list[int] = []
        """Entities whose types were written since the list was last emptied."""

    def entities(self, rows: pa.Table, now_us: int) -> Ints:
        """Entity id of every row; entities that nobody knows are made, as gone ones."""
        uris = rows["entity"].cast(pa.string()).to_pylist()
        distinct = list(dict.fromkeys(uris))
        found = self._registry.look_up_entities(distinct)
        fresh = [uri for uri in distinct if uri not in found]
        first = self._registry.next_entity
        ids = {uri: id_ for uri, (id_, _) in found.items()}
        ids |= zip(fresh, range(first, first + len(fresh)), strict=True)
        self._registry.next_entity += len(fresh)
        self._registry.absent.difference_update(fresh)
        self._connection.run(
            "INSERT INTO entity (id, uri, types, scope, name, search, created_us, modified_us, "
            "deleted_us) VALUES (?1, ?2, '[]', '[]', '', ?3, ?4, ?4, ?4)",
            pa.table(
                {
                    "id": ints(ids[uri] for uri in fresh),
                    "uri": texts(fresh),
                    "search": texts(map(fold, fresh)),
                    "now": ints([now_us] * len(fresh)),
                }
            ),
        )
        return np.array([ids[uri] for uri in uris], np.int64)

    def add_types(self, rows: pa.Table, entities: Ints) -> None:
        """Apply RECORD_ENTITY rows: types join those of the evolution."""
        bodies = rows["body"].cast(pa.string()).to_pylist()
        pairs = {
            (name, entity): None
            for entity, body in zip(entities.tolist(), bodies, strict=True)
            for name in msgspec.json.decode(body or "{}", type=TypesBody).types
        }
        table = pa.table({"t": texts(t for t, _ in pairs), "e": ints(e for _, e in pairs)})
        self._connection.run(
            "INSERT OR IGNORE INTO evolution_type (type, entity_id) VALUES (?, ?)", table
        )
        # The types of an entity that is not current are those of its evolution.
        self._connection.run(
            "UPDATE entity SET types = json_insert(types, '$[#]', ?1) WHERE id = ?2 AND "
            "deleted_us IS NOT NULL AND ?1 NOT IN (SELECT value FROM json_each(types))",
            table,
        )
        self.retyped += {entity for _, entity in pairs}

    def series(self, rows: pa.Table, entities: Ints, now_us: int) -> Ints:
        """Series of every row; those that nobody knows are made, as gone ones."""
        keys = _keys(rows, entities)
        distinct = list(dict.fromkeys(keys))
        found = self._registry.look_up_series(distinct)
        fresh = [key for key in distinct if key not in found]
        first = self._registry.next_attribute
        ids = {key: id_ for key, (id_, _) in found.items()}
        ids |= zip(fresh, range(first, first + len(fresh)), strict=True)
        self._registry.next_attribute += len(fresh)
        self._registry.grow(self._registry.next_attribute)
        self._connection.run(
            "INSERT INTO attribute (id, entity_id, name, dataset, kind, created_us, modified_us, "
            "deleted_us) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?5)",
            pa.table(
                {
                    "id": ints(ids[key] for key in fresh),
                    "entity": ints(entity for entity, _, _ in fresh),
                    "name": texts(name for _, name, _ in fresh),
                    "dataset": texts(dataset for _, _, dataset in fresh),
                    "now": ints([now_us] * len(fresh)),
                }
            ),
        )
        kinds = dict(zip(keys, rows["kind"].to_pylist(), strict=True))
        self._connection.run(
            "UPDATE attribute SET kind = ?2 WHERE id = ?1 AND quality IS NULL",
            pa.table(
                {"id": ints(ids[key] for key in kinds), "kind": ints(map(int, kinds.values()))}
            ),
        )
        return np.array([ids[key] for key in keys], np.int64)

    def note_newest(self, numbered: Numbered) -> None:
        """Remember the latest time of each series, by which twins are looked for."""
        observed = numbered.observed
        timed = observed != NO_TIME
        if not timed.any():
            return
        series, newest = numbered.series[timed], observed[timed]
        np.maximum.at(self._registry.newest, series, newest)
        self._registry.revision[series] = UNKNOWN
        ids = np.unique(series)
        self._connection.run(
            "UPDATE attribute SET newest_us = ?2, newest_revision = NULL WHERE id = ?1",
            pa.table({"id": ids, "newest": self._registry.newest[ids]}),
        )

    def find(self, rows: pa.Table) -> tuple[Ints, Ints]:
        """Entity id and series of FORGET and FORGET_ENTITY rows; 0 where there is none."""
        uris = rows["entity"].cast(pa.string()).to_pylist()
        known = self._registry.look_up_entities(list(dict.fromkeys(uris)))
        entities = np.array([known[u][0] if u in known else 0 for u in uris], np.int64)
        keys = _keys(rows, entities)
        found = self._registry.look_up_series(list(dict.fromkeys(keys)))
        return entities, np.array([found[k][0] if k in found else 0 for k in keys], np.int64)

    def forget(self, numbered: Numbered, first_seq: int, now_us: int) -> list[int]:
        """Apply rows whose first one gets `first_seq` in the log; gives the series concerned."""
        rows = numbered.rows
        is_whole = (rows["change"].to_numpy() == Change.FORGET_ENTITY).tolist()
        bodies = rows["body"].cast(pa.string()).to_pylist()
        observed = numbered.observed.tolist()
        made = _Forgotten()
        for n, (entity, series) in enumerate(
            zip(numbered.entities.tolist(), numbered.series.tolist(), strict=True)
        ):
            up_to = first_seq + n - 1
            if is_whole[n] and entity:
                self._forget_entity(made, entity, up_to)
            elif series and bodies[n] is None:
                self._drop("attribute_id", series)
                made.add((entity, series), (_EVER, up_to))
            elif series:
                body = msgspec.json.decode(bodies[n], type=ForgetBody)
                moved = now_us if body.is_moved else _us(body.moved_at)
                if observed[n] != NO_TIME:
                    way = (observed[n], moved)
                    made.add((entity, series), (_EVER, up_to), observed[n], way)
                elif body.seq is not None:
                    way = (_us(body.stood_at), moved)
                    made.add((entity, series), (body.seq, body.seq), None, way)
        self._insert(made, now_us)
        return made.series

    def _forget_entity(self, made: _Forgotten, entity: int, up_to: int) -> None:
        self._drop("entity_id", entity)
        made.add((entity, 0), (_EVER, up_to))
        for series in self._connection.query(
            f"SELECT id FROM attribute WHERE entity_id = {entity}"
        )["id"].to_pylist():
            made.add((entity, series), (_EVER, up_to))
        id_ = pa.table({"id": ints([entity])})
        self._connection.run("DELETE FROM evolution_type WHERE entity_id = ?", id_)
        self._connection.run(
            "UPDATE entity SET types = '[]' WHERE id = ? AND deleted_us IS NOT NULL", id_
        )
        self.retyped.append(entity)

    def _drop(self, column: str, number: int) -> None:
        """What was forgotten before is part of what is forgotten now."""
        self._connection.run(
            f"DELETE FROM forgotten WHERE {column} = ?", pa.table({"id": ints([number])})
        )

    def _insert(self, made: _Forgotten, now_us: int) -> None:
        self._connection.run(
            "INSERT INTO forgotten (entity_id, attribute_id, from_seq, up_to_seq, observed_us, "
            "stood_us, moved_us, forgotten_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            pa.table(
                {
                    "entity": ints(made.entity),
                    "series": ints(made.series),
                    "from": ints(made.from_seq),
                    "to": ints(made.up_to_seq),
                    "observed": pa.array(made.observed, pa.int64()),
                    "stood": pa.array(made.stood, pa.int64()),
                    "moved": pa.array(made.moved, pa.int64()),
                    "now": ints([now_us] * len(made.series)),
                }
            ),
        )


def _keys(rows: pa.Table, entities: Ints) -> list[SeriesName]:
    names = (rows[name].cast(pa.string()).to_pylist() for name in ("attribute", "dataset"))
    return list(zip(entities.tolist(), *names, strict=True))


def _us(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // timedelta(microseconds=1)
