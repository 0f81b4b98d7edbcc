"""ports.state on the relational store: Arrow columns straight from SQLite."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from dothi.model.fold import fold
from dothi.ports.state import ATTRIBUTE_COLUMNS, ENTITY_COLUMNS, EntityQuery
from dothi.storage.relational.hot_connection import HotConnection

_ENTITY_SQL = """
SELECT e.uri AS id, e.types, e.scope, e.name, (e.min_lon + e.max_lon) / 2 AS lon,
    (e.min_lat + e.max_lat) / 2 AS lat, e.created_us AS created_at,
    (SELECT max(coalesce(max(a.modified_us), 0), e.modified_us) FROM attribute a
     WHERE a.entity_id = e.id) AS modified_at,
    e.expires_us AS expires_at
FROM entity e WHERE {where} ORDER BY e.uri LIMIT {limit}
"""
_ENTITY_TYPES = pa.schema(
    [
        (f.name, pa.string() if pa.types.is_list(f.type) else _plain)
        for f in ENTITY_COLUMNS
        for _plain in [pa.int64() if pa.types.is_timestamp(f.type) else f.type]
    ]
)
_ATTRIBUTE_SQL = """
SELECT e.uri AS entity, a.name AS attribute, a.dataset, a.kind, a.number, a.text, a.body,
    nullif(a.unit, '') AS unit, a.observed_us AS observed_at, a.quality,
    coalesce(s.name_id, '') AS source, a.created_us AS created_at, a.modified_us AS modified_at
FROM temp.wanted_uri w JOIN entity e ON e.uri = w.uri
JOIN attribute a ON a.entity_id = e.id LEFT JOIN source s ON s.id = a.source_id
WHERE e.deleted_us IS NULL AND a.deleted_us IS NULL AND a.quality IS NOT NULL {names}
ORDER BY e.uri, a.name, a.dataset
"""
_ATTRIBUTE_TYPES = pa.schema(
    [
        (f.name, pa.int64() if not (pa.types.is_string(f.type) or f.name == "number") else f.type)
        for f in ATTRIBUTE_COLUMNS
    ]
)


class SqliteState:
    """Any thread; one connection behind a lock."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = HotConnection(path, cache_mb=16)
        self._connection.run("CREATE TEMP TABLE wanted_uri (uri TEXT PRIMARY KEY) WITHOUT ROWID")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def entities(self, query: EntityQuery) -> pa.Table:
        """See ports.state.State."""
        sql = _ENTITY_SQL.format(where=_where(query), limit=int(query.limit))
        with self._lock:
            found = self._connection.typed(_ENTITY_TYPES, sql)
        columns: list[Any] = []
        for field in ENTITY_COLUMNS:
            column = found[field.name]
            if pa.types.is_list(field.type):
                columns.append(_json_lists(column))
            else:
                columns.append(column.cast(field.type))
        return pa.table(columns, schema=ENTITY_COLUMNS)

    def attributes(self, entities: Sequence[str], names: Sequence[str] = ()) -> pa.Table:
        """See ports.state.State."""
        condition = f"AND a.name IN ({_list(names)})" if names else ""
        with self._lock:
            self._connection.run("DELETE FROM temp.wanted_uri")
            self._connection.run(
                "INSERT OR IGNORE INTO temp.wanted_uri VALUES (?)",
                pa.table({"uri": pa.array(entities, pa.string())}),
            )
            found = self._connection.typed(_ATTRIBUTE_TYPES, _ATTRIBUTE_SQL.format(names=condition))
        return found.cast(ATTRIBUTE_COLUMNS)

    def count(self, query: EntityQuery) -> int:
        """See ports.state.State."""
        sql = f"SELECT count(*) FROM entity e WHERE {_where(query, paging=False)}"
        with self._lock:
            return self._connection.number(sql)

    def types(self) -> dict[str, int]:
        """See ports.state.State."""
        with self._lock:
            found = self._connection.typed(
                pa.schema([("type", pa.string()), ("n", pa.int64())]),
                "SELECT type, count(*) AS n FROM entity_type GROUP BY type ORDER BY type",
            )
        return dict(zip(found["type"].to_pylist(), found["n"].to_pylist(), strict=True))


def _where(query: EntityQuery, *, paging: bool = True) -> str:
    terms = ["e.deleted_us IS NULL"]
    if query.ids:
        terms.append(f"e.uri IN ({_list(query.ids)})")
    if query.types:
        terms.append(
            f"e.id IN (SELECT entity_id FROM entity_type WHERE type IN ({_list(query.types)}))"
        )
    if query.attributes:
        terms.append(
            "EXISTS (SELECT 1 FROM attribute a WHERE a.entity_id = e.id AND "
            f"a.deleted_us IS NULL AND a.name IN ({_list(query.attributes)}))"
        )
    terms += [
        f"e.search LIKE {quoted('%' + _like(fold(word)) + '%')} ESCAPE '!'"
        for word in query.text.split()
    ]
    if query.bbox is not None:
        west, south, east, north = (float(x) for x in query.bbox)
        terms.append(
            f"e.max_lon >= {west} AND e.min_lon <= {east} "
            f"AND e.max_lat >= {south} AND e.min_lat <= {north}"
        )
    if query.source:
        terms.append(
            "e.id IN (SELECT a.entity_id FROM attribute a JOIN source s ON s.id = a.source_id "
            f"WHERE s.name_id = {quoted(query.source)})"
        )
    if query.modified_after is not None:
        since = int(query.modified_after.timestamp() * 1e6)
        terms.append(
            f"(e.modified_us > {since} OR EXISTS (SELECT 1 FROM attribute a "
            f"WHERE a.entity_id = e.id AND a.modified_us > {since}))"
        )
    if paging and query.after_id:
        terms.append(f"e.uri > {quoted(query.after_id)}")
    return " AND ".join(terms)


def quoted(text: str) -> str:
    """An SQL string literal; NUL cannot stand in one and is dropped."""
    return "'" + text.replace("\x00", "").replace("'", "''") + "'"


def _list(texts: Sequence[str]) -> str:
    return ", ".join(quoted(t) for t in texts)


def _like(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _json_lists(column: pa.ChunkedArray) -> pa.Array:
    lists = [msgspec.json.decode(text, type=list[str]) for text in column.to_pylist()]
    return pa.array(lists, pa.list_(pa.string()))
