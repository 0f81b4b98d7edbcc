"""Entities as the writer makes, changes and deletes them."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.fold import fold
from dothi.model.row import Change
from dothi.pipeline.geometry import bounds
from dothi.storage.relational.columns import Ints, codes, ints, texts, used
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.numbered import Numbered
from dothi.storage.relational.series_registry import Registry

DEFAULT_TYPE = "Thing"

# Made once: Arrow takes 130 µs to guess the type of a Python value.
_NAME = pa.scalar("name", pa.string())
_LOCATION = pa.scalar("location", pa.string())
_UPSERT_ENTITY = pa.scalar(int(Change.UPSERT_ENTITY), pa.uint8())


_IS_LEADING = """
(?1 = '' OR NOT EXISTS (SELECT 1 FROM attribute a WHERE a.entity_id = entity.id AND a.name = '{}'
 AND a.deleted_us IS NULL AND (a.dataset = '' OR a.id < ?2)))
"""
"""Of several instances of an attribute the default one describes the entity, else the oldest: a
further instance, which anybody may add, neither moves nor renames it."""


class EntityBody(msgspec.Struct, frozen=True):
    """Body of an UPSERT_ENTITY row."""

    types: list[str] = []
    scope: list[str] = []
    expires_at: str | None = None


class EntityWriter:
    """Writes tables entity and entity_type within the writer's transaction."""

    def __init__(self, connection: HotConnection, registry: Registry) -> None:
        self._connection = connection
        self._registry = registry
        self.retyped: list[int] = []
        """Entities whose types were written since the list was last emptied."""

    def resolve(self, rows: pa.Table, now_us: int) -> Ints:
        """Entity id of every row; entities that are not there (or were deleted) are made."""
        names, at = codes(rows["entity"])
        present = used(names, at)
        uris = [names[i] or "" for i in present]
        found = self._registry.look_up_entities(uris)
        missing = [u for u in uris if u not in found or not found[u][1]]
        if missing:
            self._make(missing, {u: found[u][0] for u in missing if u in found}, rows, now_us)
        ids = np.zeros(len(names), np.int64)
        ids[present] = [self._registry.entities[u] for u in uris]
        resolved: Ints = ids[at]
        return resolved

    def _make(self, uris: list[str], dead: dict[str, int], rows: pa.Table, now_us: int) -> None:
        """Insert new entities and revive deleted ones."""
        types = _first_types(rows, uris)
        first = self._registry.next_entity
        fresh = [u for u in uris if u not in dead]
        ids = dict(zip(fresh, range(first, first + len(fresh)), strict=True)) | dead
        self._registry.next_entity += len(fresh)
        table = pa.table(
            {
                "id": ints(ids[u] for u in uris),
                "uri": texts(uris),
                "types": texts(msgspec.json.encode([types[u]]).decode() for u in uris),
                "search": texts(map(fold, uris)),
                "created_us": ints([now_us] * len(uris)),
            }
        )
        self._connection.run(
            "INSERT INTO entity (id, uri, types, scope, name, search, created_us, modified_us) "
            "VALUES (?1, ?2, ?3, '[]', '', ?4, ?5, ?5) ON CONFLICT (id) DO UPDATE SET "
            "types = excluded.types, scope = '[]', name = '', search = excluded.search, "
            "min_lon = NULL, min_lat = NULL, max_lon = NULL, max_lat = NULL, expires_us = NULL, "
            "created_us = excluded.created_us, modified_us = excluded.modified_us, "
            "deleted_us = NULL",
            table,
        )
        self._add_types([(ids[u], [types[u]]) for u in uris])
        self._registry.entities.update(ids)

    def upsert(self, rows: pa.Table, ids: Ints, now_us: int) -> None:
        """Apply UPSERT_ENTITY rows: types, scope and expiry; the last of an entity wins."""
        latest = dict(zip(ids.tolist(), rows["body"].to_pylist(), strict=True))
        bodies = {i: msgspec.json.decode(b or "{}", type=EntityBody) for i, b in latest.items()}
        self._clear_types(ints(bodies))
        self._connection.run(
            "UPDATE entity SET types = ?2, scope = ?3, modified_us = ?4, "
            "expires_us = CAST(unixepoch(?5, 'subsec') * 1000000 AS INTEGER) WHERE id = ?1",
            pa.table(
                {
                    "id": ints(bodies),
                    "types": texts(msgspec.json.encode(b.types).decode() for b in bodies.values()),
                    "scope": texts(msgspec.json.encode(b.scope).decode() for b in bodies.values()),
                    "now": ints([now_us] * len(bodies)),
                    "expires": pa.array([b.expires_at for b in bodies.values()], pa.string()),
                }
            ),
        )
        self._add_types([(i, b.types) for i, b in bodies.items()])

    def delete(self, ids: Ints, uris: list[str], now_us: int) -> None:
        """Mark entities and their attributes as gone; their history stays."""
        gone = pa.table({"now": np.full(len(ids), now_us), "id": ids})
        self._connection.run("UPDATE entity SET deleted_us = ?1 WHERE id = ?2", gone)
        self._connection.run(
            "UPDATE attribute SET deleted_us = ?1, owner_id = NULL "
            "WHERE entity_id = ?2 AND deleted_us IS NULL",
            gone,
        )
        self._clear_types(gone["id"])
        for uri in uris:
            self._registry.forget_entity(uri)

    def describe(self, numbered: Numbered) -> None:
        """Keep name, search text and bounds in step with the attributes `name` and `location`."""
        rows = numbered.rows
        attribute = rows["attribute"].cast(pa.string())
        named = pc.and_(pc.equal(attribute, _NAME), pc.is_valid(rows["text"]))
        located = pc.and_(pc.equal(attribute, _LOCATION), pc.is_valid(rows["body"]))
        at = np.flatnonzero(named.to_numpy())
        if len(at):
            columns = _instance(numbered, at)
            names = rows["text"].take(pa.array(at)).cast(pa.string()).to_pylist()
            columns |= {"n": texts(names), "s": texts(map(fold, names))}
            self._connection.run(
                "UPDATE entity SET name = ?4, search = ?5 || ' ' || uri WHERE id = ?3 AND "
                + _IS_LEADING.format("name"),
                pa.table(columns),
            )
        at = np.flatnonzero(located.to_numpy())
        if len(at):
            box = bounds(rows["body"].take(pa.array(at)).cast(pa.string()).to_pylist())
            columns = _instance(numbered, at)
            columns |= {f"c{i}": pa.array(box[:, i], from_pandas=True) for i in range(4)}
            self._connection.run(
                "UPDATE entity SET min_lon = ?4, min_lat = ?5, max_lon = ?6, max_lat = ?7 "
                "WHERE id = ?3 AND " + _IS_LEADING.format("location"),
                pa.table(columns),
            )

    def touch(self, entity_ids: Ints, now_us: int) -> None:
        """Stamp `modified_us` on entities (NGSI-LD writes; telemetry leaves it to attributes)."""
        ids = np.unique(entity_ids)
        self._connection.run(
            "UPDATE entity SET modified_us = ?1 WHERE id = ?2",
            pa.table({"now": np.full(len(ids), now_us), "id": ids}),
        )

    def _clear_types(self, entity_ids: pa.Array) -> None:
        """Before `entity.types` changes: it tells which rows are there; their key begins with it."""
        self._connection.run(
            "DELETE FROM entity_type WHERE entity_id = ?1 AND type IN "
            "(SELECT value FROM json_each((SELECT types FROM entity WHERE id = ?1)))",
            pa.table({"id": entity_ids}),
        )

    def _add_types(self, types: list[tuple[int, list[str]]]) -> None:
        self.retyped += [entity for entity, _ in types]
        pairs = [(t, i) for i, of in types for t in of]
        self._connection.run(
            "INSERT OR IGNORE INTO entity_type (type, entity_id) VALUES (?, ?)",
            pa.table(
                {
                    "type": pa.array([t for t, _ in pairs], pa.string()),
                    "id": pa.array([i for _, i in pairs], pa.int64()),
                }
            ),
        )


def _instance(numbered: Numbered, at: Ints) -> dict[str, Any]:
    """The first three columns of an update by _IS_LEADING."""
    return {
        "dataset": numbered.rows["dataset"].take(pa.array(at)).cast(pa.string()),
        "series": numbered.series[at],
        "id": numbered.entities[at],
    }


def _first_types(rows: pa.Table, uris: list[str]) -> dict[str, str]:
    """The first type that a row of each entity names."""
    entity = rows["entity"].cast(pa.string())
    mask = pc.and_(pc.is_in(entity, pa.array(uris, pa.string())), pc.is_valid(rows["entity_type"]))
    mask = pc.and_(mask, pc.not_equal(rows["change"], _UPSERT_ENTITY))
    chosen = rows.filter(mask)
    firsts = chosen.append_column("at", pa.array(np.arange(chosen.num_rows)))
    firsts = firsts.select(["entity", "at"]).set_column(0, "entity", entity.filter(mask))
    at = firsts.group_by("entity").aggregate([("at", "min")])
    types = chosen["entity_type"].take(at["at_min"]).cast(pa.string()).to_pylist()
    return dict.fromkeys(uris, DEFAULT_TYPE) | dict(
        zip(at["entity"].to_pylist(), types, strict=True)
    )
