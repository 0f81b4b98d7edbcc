"""Entities as the writer makes, changes and deletes them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.fold import fold
from dothi.model.row import TIMESTAMP, Change
from dothi.pipeline.geometry import bounds
from dothi.storage.relational.columns import Ints, codes, ints, nullable_times, texts, times, used
from dothi.storage.relational.entity_body import EntityBody, read_body, stored_bodies
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

_NAME_BY_LEADING = (
    "UPDATE entity SET name = ?5, search = ?6 || ' ' || uri WHERE id = ?3 AND "
    + _IS_LEADING.format("name")
)
_PLACE_BY_LEADING = (
    "UPDATE entity SET min_lon = ?5, min_lat = ?6, max_lon = ?7, max_lat = ?8 "
    "WHERE id = ?3 AND " + _IS_LEADING.format("location")
)
_CLEAR_TYPES = (
    "DELETE FROM entity_type WHERE entity_id = ?1 AND type IN "
    "(SELECT value FROM json_each((SELECT types FROM entity WHERE id = ?1)))"
)
_EXPIRES = "CAST(unixepoch({}, 'subsec') * 1000000 AS INTEGER)"
_INSERT = f"""
INSERT INTO entity (id, uri, types, scope, name, search, min_lon, min_lat, max_lon, max_lat,
    created_us, modified_us, expires_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, {_EXPIRES.format("?12")})
ON CONFLICT (id) DO UPDATE SET types = excluded.types, scope = excluded.scope,
    name = excluded.name, search = excluded.search, min_lon = excluded.min_lon,
    min_lat = excluded.min_lat, max_lon = excluded.max_lon, max_lat = excluded.max_lat,
    expires_us = excluded.expires_us, created_us = excluded.created_us,
    modified_us = excluded.modified_us, deleted_us = NULL
"""
_INSERTED = pa.struct(
    [
        ("id", pa.int64()),
        ("uri", pa.string()),
        ("types", pa.string()),
        ("scope", pa.string()),
        ("name", pa.string()),
        ("search", pa.string()),
        *((edge, pa.float64()) for edge in ("west", "south", "east", "north")),
        ("now", pa.int64()),
        ("expires", pa.string()),
    ]
)
_NAME_IT = "UPDATE entity SET name = ?2, search = ?3 || ' ' || uri WHERE id = ?1"
_NAMED = pa.struct([("id", pa.int64()), ("name", pa.string()), ("search", pa.string())])
_PLACE_IT = "UPDATE entity SET min_lon = ?2, min_lat = ?3, max_lon = ?4, max_lat = ?5 WHERE id = ?1"
_PLACED = pa.struct([_INSERTED.field("id"), *(_INSERTED.field(n) for n in range(6, 10))])
_TOUCH = "UPDATE entity SET modified_us = ?1 WHERE id = ?2"
_TOUCHED = pa.struct([("now", pa.int64()), ("id", pa.int64())])
_NAMELESS = "UPDATE entity SET name = '', search = lower(uri) WHERE id = ?1"
_PLACELESS = (
    "UPDATE entity SET min_lon = NULL, min_lat = NULL, max_lon = NULL, max_lat = NULL WHERE id = ?1"
)


Box = tuple[float | None, float | None, float | None, float | None]
"""West, south, east, north."""
NOWHERE: Box = (None, None, None, None)


class Draft(NamedTuple):
    """What is written of an entity that is not there."""

    body: EntityBody
    name: str | None = None
    box: Box = NOWHERE


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
        self.find_or_make(uris, lambda missing: _drafts(rows, missing), now_us)
        ids = np.zeros(len(names), np.int64)
        ids[present] = [self._registry.entities[u] for u in uris]
        resolved: Ints = ids[at]
        return resolved

    def find_or_make(
        self, uris: list[str], drafts: Callable[[list[str]], dict[str, Draft]], now_us: int
    ) -> None:
        """Have the registry know the entities.

        Args:
            drafts: what there is to write of those that are not there (or were deleted).
        """
        found = self._registry.look_up_entities(uris)
        missing = [u for u in uris if u not in found or not found[u][1]]
        self._made = {}
        self._registry.first_new_entity = self._registry.next_entity
        if missing:
            dead = {u: found[u][0] for u in missing if u in found}
            self._make(drafts(missing), dead, now_us)

    def _make(self, drafts: dict[str, Draft], dead: dict[str, int], now_us: int) -> None:
        """Insert new entities and revive deleted ones."""
        first = self._registry.next_entity
        fresh = [u for u in drafts if u not in dead]
        ids = dict(zip(fresh, range(first, first + len(fresh)), strict=True)) | dead
        self._registry.next_entity += len(fresh)
        made = [
            (
                *(ids[uri], uri, _json(body.types), _json(body.scope), name or ""),
                *(fold(uri) if name is None else _search(name, uri), *box),
                *(now_us, body.expires_at),
            )
            for uri, (body, name, box) in drafts.items()
        ]
        self._connection.put(_INSERT, made, _INSERTED)
        self._made = {ids[u]: draft.body for u, draft in drafts.items()}
        self._add_types([(i, body.types) for i, body in self._made.items()])
        self._registry.is_reshaped = True
        self._registry.entities.update(ids)
        self._registry.absent.difference_update(ids)

    def upsert(self, rows: pa.Table, ids: Ints, now_us: int) -> Ints:
        """Apply UPSERT_ENTITY rows: types, scope and expiry; the last of an entity wins.

        Entities that were just made have theirs. Gives the indexes of the rows that change a scope.
        """
        return np.array(
            self.upsert_bodies(rows["body"].to_pylist(), ids.tolist(), now_us), np.int64
        )

    def upsert_bodies(self, bodies: list[str | None], ids: list[int], now_us: int) -> list[int]:
        """The same for the bodies of such rows."""
        last = {entity: n for n, entity in enumerate(ids)}
        scoped = [last[i] for i, body in self._made.items() if body.scope and i in last]
        last = {i: n for i, n in last.items() if i not in self._made}
        if last:
            scoped += self._rewrite(bodies, last, now_us)
        return sorted(scoped)

    def _rewrite(self, texts_of: list[str | None], last: dict[int, int], now_us: int) -> list[int]:
        bodies = {i: read_body(texts_of[n] or "{}") for i, n in last.items()}
        before = stored_bodies(self._connection, list(bodies))
        scoped = [n for i, n in last.items() if bodies[i].scope != before[i].scope]
        # What is written whole again and again mostly stays what it is.
        others = {i: body for i, body in bodies.items() if body != before[i]}
        self._clear_types(ints(others))
        self._connection.run(
            "UPDATE entity SET types = ?2, scope = ?3, modified_us = ?4, "
            f"expires_us = {_EXPIRES.format('?5')} WHERE id = ?1",
            pa.table(
                {
                    "id": ints(others),
                    "types": texts(_json(b.types) for b in others.values()),
                    "scope": texts(_json(b.scope) for b in others.values()),
                    "now": ints([now_us] * len(others)),
                    "expires": pa.array([b.expires_at for b in others.values()], pa.string()),
                }
            ),
        )
        self._add_types([(i, b.types) for i, b in others.items()])
        self._registry.is_reshaped |= bool(others)
        self._connection.put(_TOUCH, [(now_us, i) for i in bodies.keys() - others], _TOUCHED)
        return scoped

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
            names = rows["text"].take(pa.array(at)).cast(pa.string()).fill_null("").to_pylist()
            columns |= {"n": texts(names), "s": texts(map(fold, names))}
            self._connection.run(_NAME_BY_LEADING, pa.table(columns))
        at = np.flatnonzero(located.to_numpy())
        if len(at):
            box = bounds(rows["body"].take(pa.array(at)).cast(pa.string()).to_pylist())
            columns = _instance(numbered, at)
            columns |= {f"c{i}": pa.array(box[:, i], from_pandas=True) for i in range(4)}
            self._connection.run(_PLACE_BY_LEADING, pa.table(columns))

    def describe_by_default(self, names: dict[int, str], boxes: dict[int, Box]) -> None:
        """The same for values of default instances that are current for certain.

        Args:
            names: entity -> its name.
            boxes: entity -> its bounds.
        """
        named = [(i, name, fold(name)) for i, name in names.items() if i not in self._made]
        placed = [(i, *box) for i, box in boxes.items() if i not in self._made]
        self._connection.put(_NAME_IT, named, _NAMED)
        self._connection.put(_PLACE_IT, placed, _PLACED)

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
        """Stamp `modified_us` on entities that lost attributes; what has one stamps it itself."""
        rows = [(now_us, i) for i in np.unique(entity_ids).tolist()]
        self._connection.put(_TOUCH, rows, _TOUCHED)

    def _clear_types(self, entity_ids: pa.Array) -> None:
        """To be called before `entity.types` changes: it tells the keys of the rows."""
        self._connection.run(_CLEAR_TYPES, pa.table({"id": entity_ids}))

    def _add_types(self, types: list[tuple[int, list[str]]]) -> None:
        self.retyped += [entity for entity, _ in types]
        pairs = [(t, i) for i, of in types for t in of]
        self._connection.run(
            "INSERT OR IGNORE INTO entity_type (type, entity_id) VALUES (?, ?)",
            pa.table({"type": texts(t for t, _ in pairs), "id": ints(i for _, i in pairs)}),
        )


def boxes_of(bodies: list[str]) -> list[Box]:
    """Bounds of geometries, NOWHERE for what is none."""
    edges = bounds(bodies).tolist() if bodies else []
    return [NOWHERE if w != w else (w, s, e, n) for w, s, e, n in edges]


def scope_rows(rows: pa.Table, now_us: int) -> pa.Table:
    """UPSERT_ENTITY rows as rows of the history of the scope, which begins or ends now."""
    count = rows.num_rows
    bodies = [read_body(body or "{}").scope for body in rows["body"].cast(pa.string()).to_pylist()]
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


def _search(name: str, uri: str) -> str:
    return f"{fold(name)} {uri}"


def _json(names: list[str]) -> str:
    return msgspec.json.encode(names).decode()


def _drafts(rows: pa.Table, uris: list[str]) -> dict[str, Draft]:
    """What the rows say of each of these entities, which are to be made."""
    at = np.flatnonzero(rows["change"].to_numpy() == Change.UPSERT_ENTITY)
    chosen = rows.select(["entity", "body"]).take(pa.array(at)).to_pydict() if len(at) else {}
    told = dict(zip(chosen["entity"], chosen["body"], strict=True)) if chosen else {}
    found = {u: read_body(told[u] or "{}") for u in uris if u in told}
    left = [u for u in uris if u not in found]
    if left:
        found |= {u: EntityBody([type_]) for u, type_ in _first_types(rows, left).items()}
    return {uri: Draft(found[uri]) for uri in uris}


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
