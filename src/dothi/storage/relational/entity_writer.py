"""Entities as the writer makes, changes and deletes them."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.fold import fold
from dothi.model.row import TIMESTAMP, Change
from dothi.pipeline.geometry import bounds
from dothi.storage.relational.columns import Ints, codes, ints, nullable_times, texts, times, used
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.numbered import Numbered
from dothi.storage.relational.series_registry import SCOPE, Registry

DEFAULT_TYPE = "Thing"

# Made once: Arrow takes 130 µs to guess the type of a Python value.
_NAME = pa.scalar("name", pa.string())
_LOCATION = pa.scalar("location", pa.string())
_SCOPE = pa.scalar(SCOPE, pa.string())
_UPSERT_ENTITY = pa.scalar(int(Change.UPSERT_ENTITY), pa.uint8())


_IS_LEADING = """
(?1 = '' OR NOT EXISTS (SELECT 1 FROM attribute a WHERE a.entity_id = entity.id AND a.name = '{}'
 AND a.deleted_us IS NULL AND (a.dataset = '' OR a.id < ?2)))
AND (SELECT a.observed_us FROM attribute a WHERE a.id = ?2) IS ?4
"""
"""Of several instances of an attribute the default one describes the entity, else the oldest: a
further instance, which anybody may add, neither moves nor renames it. Nor does a value that came
too late to be the current one."""

_EXPIRES = "CAST(unixepoch({}, 'subsec') * 1000000 AS INTEGER)"
_NAMELESS = "UPDATE entity SET name = '', search = lower(uri) WHERE id = ?1"
_PLACELESS = (
    "UPDATE entity SET min_lon = NULL, min_lat = NULL, max_lon = NULL, max_lat = NULL WHERE id = ?1"
)


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
        self._made: dict[int, EntityBody] = {}
        """Entities that the latest `resolve` made."""
        self.retyped: list[int] = []
        """Entities whose types were written since the list was last emptied."""

    def resolve(self, rows: pa.Table, now_us: int) -> Ints:
        """Entity id of every row; entities that are not there (or were deleted) are made."""
        names, at = codes(rows["entity"])
        present = used(names, at)
        uris = [names[i] or "" for i in present]
        found = self._registry.look_up_entities(uris)
        missing = [u for u in uris if u not in found or not found[u][1]]
        self._made = {}
        self._registry.first_new_entity = self._registry.next_entity
        if missing:
            self._make(missing, {u: found[u][0] for u in missing if u in found}, rows, now_us)
        ids = np.zeros(len(names), np.int64)
        ids[present] = [self._registry.entities[u] for u in uris]
        resolved: Ints = ids[at]
        return resolved

    def _make(self, uris: list[str], dead: dict[str, int], rows: pa.Table, now_us: int) -> None:
        """Insert new entities and revive deleted ones."""
        bodies = _bodies(rows, uris)
        first = self._registry.next_entity
        fresh = [u for u in uris if u not in dead]
        ids = dict(zip(fresh, range(first, first + len(fresh)), strict=True)) | dead
        self._registry.next_entity += len(fresh)
        table = pa.table(
            {
                "id": ints(ids[u] for u in uris),
                "uri": texts(uris),
                "types": texts(_json(bodies[u].types) for u in uris),
                "search": texts(map(fold, uris)),
                "created_us": ints([now_us] * len(uris)),
                "scope": texts(_json(bodies[u].scope) for u in uris),
                "expires": pa.array([bodies[u].expires_at for u in uris], pa.string()),
            }
        )
        self._connection.run(
            "INSERT INTO entity (id, uri, types, scope, name, search, created_us, modified_us, "
            f"expires_us) VALUES (?1, ?2, ?3, ?6, '', ?4, ?5, ?5, {_EXPIRES.format('?7')}) "
            "ON CONFLICT (id) DO UPDATE SET "
            "types = excluded.types, scope = excluded.scope, name = '', search = excluded.search, "
            "min_lon = NULL, min_lat = NULL, max_lon = NULL, max_lat = NULL, "
            "expires_us = excluded.expires_us, created_us = excluded.created_us, "
            "modified_us = excluded.modified_us, deleted_us = NULL",
            table,
        )
        self._made = {ids[u]: bodies[u] for u in uris}
        self._add_types([(i, body.types) for i, body in self._made.items()])
        self._registry.is_reshaped = True
        self._registry.entities.update(ids)
        self._registry.absent.difference_update(ids)

    def upsert(self, rows: pa.Table, ids: Ints, now_us: int) -> Ints:
        """Apply UPSERT_ENTITY rows: types, scope and expiry; the last of an entity wins.

        Entities that were just made have theirs. Gives the indexes of the rows that change a scope.
        """
        last = {entity: n for n, entity in enumerate(ids.tolist())}
        scoped = [last[i] for i, body in self._made.items() if body.scope and i in last]
        last = {i: n for i, n in last.items() if i not in self._made}
        if last:
            scoped += self._rewrite(rows["body"].to_pylist(), last, now_us)
        return np.array(sorted(scoped), np.int64)

    def _rewrite(self, texts_of: list[str | None], last: dict[int, int], now_us: int) -> list[int]:
        bodies = {
            i: msgspec.json.decode(texts_of[n] or "{}", type=EntityBody) for i, n in last.items()
        }
        scopes = self._scopes(list(bodies))
        scoped = [n for i, n in last.items() if bodies[i].scope != scopes[i]]
        self._clear_types(ints(bodies))
        self._connection.run(
            "UPDATE entity SET types = ?2, scope = ?3, modified_us = ?4, "
            f"expires_us = {_EXPIRES.format('?5')} WHERE id = ?1",
            pa.table(
                {
                    "id": ints(bodies),
                    "types": texts(_json(b.types) for b in bodies.values()),
                    "scope": texts(_json(b.scope) for b in bodies.values()),
                    "now": ints([now_us] * len(bodies)),
                    "expires": pa.array([b.expires_at for b in bodies.values()], pa.string()),
                }
            ),
        )
        self._add_types([(i, b.types) for i, b in bodies.items()])
        self._registry.is_reshaped = True
        return scoped

    def _scopes(self, ids: list[int]) -> dict[int, list[str]]:
        listed = ", ".join(map(str, ids))
        found = self._connection.query(f"SELECT id, scope FROM entity WHERE id IN ({listed})")
        return {
            i: msgspec.json.decode(scope, type=list[str])
            for i, scope in zip(*(c.to_pylist() for c in found.columns), strict=True)
        }

    def delete(self, ids: Ints, uris: list[str], now_us: int) -> None:
        """Mark entities and their attributes as gone; their history stays."""
        gone = pa.table({"now": np.full(len(ids), now_us), "id": ids})
        self._connection.run("UPDATE entity SET deleted_us = ?1 WHERE id = ?2", gone)
        self._connection.run(
            "UPDATE attribute SET deleted_us = ?1, owner_id = NULL "
            "WHERE entity_id = ?2 AND deleted_us IS NULL",
            gone,
        )
        self._connection.run(
            "INSERT OR IGNORE INTO evolution_type (type, entity_id) "
            "SELECT t.value, e.id FROM entity e, json_each(e.types) t WHERE e.id = ?",
            gone.select(["id"]),
        )
        self._clear_types(gone["id"])
        self._registry.is_reshaped = True
        self._registry.forget_entities(uris, ids)

    def describe(self, numbered: Numbered) -> None:
        """Keep name, search text and bounds in step with the attributes `name` and `location`."""
        rows = numbered.rows
        attribute = rows["attribute"].cast(pa.string())
        named = pc.equal(attribute, _NAME)
        located = pc.and_(pc.equal(attribute, _LOCATION), pc.is_valid(rows["body"]))
        at = np.flatnonzero(named.to_numpy())
        if len(at):
            columns = _instance(numbered, at)
            # A name that is no text (a number, a text in many languages) is none here.
            held = rows["text"].take(pa.array(at)).cast(pa.string()).to_pylist()
            names = [text or "" for text in held]
            columns |= {"n": texts(names), "s": texts(map(fold, names))}
            self._connection.run(
                "UPDATE entity SET name = ?5, search = ?6 || ' ' || uri WHERE id = ?3 AND "
                + _IS_LEADING.format("name"),
                pa.table(columns),
            )
        at = np.flatnonzero(located.to_numpy())
        if len(at):
            box = bounds(rows["body"].take(pa.array(at)).cast(pa.string()).to_pylist())
            columns = _instance(numbered, at)
            columns |= {f"c{i}": pa.array(box[:, i], from_pandas=True) for i in range(4)}
            self._connection.run(
                "UPDATE entity SET min_lon = ?5, min_lat = ?6, max_lon = ?7, max_lat = ?8 "
                "WHERE id = ?3 AND " + _IS_LEADING.format("location"),
                pa.table(columns),
            )

    def describe_anew(self, rows: pa.Table, entity_ids: Ints) -> None:
        """What the attributes that are left say, after deletions of `name` or `location`."""
        attribute = rows["attribute"].cast(pa.string())
        for name, of_nothing in ((_NAME, _NAMELESS), (_LOCATION, _PLACELESS)):
            at = np.flatnonzero(pc.equal(attribute, name).to_numpy())
            if len(at):
                ids = np.unique(entity_ids[at])
                self._connection.run_rarely(of_nothing, pa.table({"id": ids}))
                self._describe_by(name.as_py(), ids)

    def _describe_by(self, name: str, entity_ids: Ints) -> None:
        """Describe entities by their leading instance of an attribute, where they have one."""
        listed = ", ".join(map(str, entity_ids.tolist()))
        left = self._connection.query(
            "SELECT entity_id, dataset, id, text, body, observed_us FROM attribute "
            f"WHERE name = '{name}' AND entity_id IN ({listed}) AND deleted_us IS NULL"
        )
        if not left.num_rows:
            return
        held = {column: left[column].cast(pa.string()) for column in ("dataset", "text", "body")}
        rows = pa.table({"attribute": pa.repeat(pa.scalar(name), left.num_rows), **held})
        entities, series = (left[key].cast(pa.int64()).to_numpy() for key in ("entity_id", "id"))
        observed = times(left["observed_us"])
        self.describe(Numbered(rows, np.zeros_like(series), entities, series, observed))

    def touch(self, entity_ids: Ints, now_us: int) -> None:
        """Stamp `modified_us` on entities (NGSI-LD writes; telemetry leaves it to attributes)."""
        ids = np.unique(entity_ids)
        self._connection.run(
            "UPDATE entity SET modified_us = ?1 WHERE id = ?2",
            pa.table({"now": np.full(len(ids), now_us), "id": ids}),
        )

    def _clear_types(self, entity_ids: pa.Array) -> None:
        """To be called before `entity.types` changes: it tells the keys of the rows."""
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
            pa.table({"type": texts(t for t, _ in pairs), "id": ints(i for _, i in pairs)}),
        )


def scope_rows(rows: pa.Table, now_us: int) -> pa.Table:
    """UPSERT_ENTITY rows as rows of the history of the scope, which begins or ends now."""
    count = rows.num_rows
    bodies = [
        msgspec.json.decode(body or "{}", type=EntityBody).scope
        for body in rows["body"].cast(pa.string()).to_pylist()
    ]
    at = pa.array([now_us if scope else None for scope in bodies], pa.int64())
    columns = {
        "attribute": pa.repeat(_SCOPE, count).dictionary_encode(),
        "observed_at": at.cast(TIMESTAMP),
        "body": pa.array(
            [msgspec.json.encode({"value": s}).decode() if s else None for s in bodies], pa.string()
        ),
        "change": pa.array(
            [Change.RECORD if scope else Change.DELETE_ATTRIBUTE for scope in bodies], pa.uint8()
        ),
    }
    for name, column in columns.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return rows


def _instance(numbered: Numbered, at: Ints) -> dict[str, Any]:
    """The first four columns of an update by _IS_LEADING."""
    return {
        "dataset": numbered.rows["dataset"].take(pa.array(at)).cast(pa.string()),
        "series": numbered.series[at],
        "id": numbered.entities[at],
        "observed": nullable_times(numbered.observed[at]),
    }


def _json(names: list[str]) -> str:
    return msgspec.json.encode(names).decode()


def _bodies(rows: pa.Table, uris: list[str]) -> dict[str, EntityBody]:
    """What the rows say of each of these entities, which are to be made."""
    at = np.flatnonzero(rows["change"].to_numpy() == Change.UPSERT_ENTITY)
    chosen = rows.select(["entity", "body"]).take(pa.array(at)).to_pydict() if len(at) else {}
    told = dict(zip(chosen["entity"], chosen["body"], strict=True)) if chosen else {}
    found = {u: msgspec.json.decode(told[u] or "{}", type=EntityBody) for u in uris if u in told}
    left = [u for u in uris if u not in found]
    if left:
        found |= {u: EntityBody([type_]) for u, type_ in _first_types(rows, left).items()}
    return found


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
