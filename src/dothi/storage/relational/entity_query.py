"""ports.entity_query on SQLite: searches that start from the narrowest index, entities by id."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from dothi.model.condition import AllOf, Condition, HasType
from dothi.model.row import Kind
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.entity_query import EntitySearch, StoredAttribute, StoredEntity
from dothi.storage.relational.entity_query_sql import LIVE_ATTRIBUTE, Compiler

_SELECTIVE = 2_000
"""A start that gives at most so many rows beats reading entities in order."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIVE_ENTITY = "e.deleted_us IS NULL AND (e.expires_us IS NULL OR e.expires_us > :now)"
_ENTITIES = f"""
SELECT e.id, e.uri, e.types, e.scope, e.created_us, e.modified_us, e.expires_us,
    (SELECT max(a.modified_us) FROM attribute a WHERE a.entity_id = e.id)
FROM entity e WHERE e.uri IN (SELECT value FROM json_each(:ids)) AND {_LIVE_ENTITY}
"""
_ATTRIBUTES = f"""
SELECT a.entity_id, a.name, a.dataset, a.kind, a.number, a.text, a.body, a.unit, a.observed_us,
    a.created_us, a.modified_us
FROM attribute a WHERE a.entity_id IN (SELECT value FROM json_each(:ids)) AND {LIVE_ATTRIBUTE}
"""
_OF_NAMES = " AND a.name IN (SELECT value FROM json_each(:names))"


class SqliteEntities:
    """Any thread; connections come from the engine's pool."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def find(self, search: EntitySearch) -> list[str]:
        """See ports.entity_query.Entities."""
        compiler = Compiler()
        where = self._where(search, compiler)
        with self._connection(compiler) as connection:
            source, order = self._source(search, compiler, connection)
            limit = compiler.bind(-1 if search.limit is None else search.limit)
            offset = compiler.bind(search.offset)
            sql = (
                f"SELECT e.uri FROM {source} WHERE {where} ORDER BY {order} "
                f"LIMIT {limit} OFFSET {offset}"
            )
            return [row[0] for row in connection.execute(sql, compiler.parameters)]

    def count(self, search: EntitySearch) -> int:
        """See ports.entity_query.Entities."""
        compiler = Compiler()
        where = self._where(search, compiler)
        with self._connection(compiler) as connection:
            source, _ = self._source(search, compiler, connection)
            sql = f"SELECT count(*) FROM {source} WHERE {where}"
            return int(connection.execute(sql, compiler.parameters).fetchone()[0])

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """See ports.entity_query.Entities."""
        if not ids:
            return []
        with self._connection(Compiler()) as connection:
            connection.execute("BEGIN")
            heads = connection.execute(
                _ENTITIES, {"ids": _json(ids), "now": self._now_us()}
            ).fetchall()
            sql = _ATTRIBUTES + (_OF_NAMES if names else "")
            rows = connection.execute(
                sql + " ORDER BY a.entity_id, a.name, a.dataset",
                {"ids": _json([head[0] for head in heads]), "names": _json(names)},
            ).fetchall()
            connection.rollback()
        attributes: dict[int, list[StoredAttribute]] = {}
        for row in rows:
            attributes.setdefault(row[0], []).append(_attribute(row))
        found = {head[1]: _entity(head, attributes.get(head[0], [])) for head in heads}
        return [found[uri] for uri in dict.fromkeys(ids) if uri in found]

    def _where(self, search: EntitySearch, compiler: Compiler) -> str:
        terms = [_LIVE_ENTITY]
        compiler.parameters["now"] = self._now_us()
        if search.ids:
            terms.append(
                f"e.uri IN (SELECT value FROM json_each({compiler.bind(_json(search.ids))}))"
            )
        if search.id_pattern:
            terms.append(f"re2_match({compiler.bind(search.id_pattern)}, e.uri)")
        if search.attributes:
            names = compiler.bind(_json(search.attributes))
            terms.append(
                "EXISTS (SELECT 1 FROM attribute a WHERE a.entity_id = e.id AND "
                f"a.name IN (SELECT value FROM json_each({names})) AND {LIVE_ATTRIBUTE})"
            )
        if search.condition is not None:
            terms.append(compiler.predicate(search.condition))
        return " AND ".join(terms)

    def _source(
        self, search: EntitySearch, compiler: Compiler, connection: sqlite3.Connection
    ) -> tuple[str, str]:
        """FROM clause and order that touch the fewest entities."""
        if search.ids or search.condition is None:
            return "entity e", "e.id"
        counted = []
        for start in compiler.starts(search.condition):
            probe = f"SELECT count(*) FROM (SELECT 1 FROM ({start}) LIMIT {_SELECTIVE + 1})"
            rows = int(connection.execute(probe, compiler.parameters).fetchone()[0])
            counted.append((rows, start))
        rows, start = min(counted, default=(_SELECTIVE + 1, ""))
        if rows <= _SELECTIVE:
            distinct = f"(SELECT DISTINCT entity_id FROM ({start})) c"
            return f"{distinct} CROSS JOIN entity e ON e.id = c.entity_id", "e.id"
        only_type = _required_type(search.condition)
        if only_type:
            # The index on (type, entity_id) gives entities in order, so a page stops early.
            wanted = compiler.bind(only_type)
            joined = "entity_type s CROSS JOIN entity e ON e.id = s.entity_id"
            return f"{joined} AND s.type = {wanted}", "s.entity_id"
        return "entity e", "e.id"

    @contextmanager
    def _connection(self, compiler: Compiler) -> Iterator[sqlite3.Connection]:
        pooled = self._engine.raw_connection()
        try:
            connection = pooled.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            connection.create_function("re2_match", 2, _re2_match, deterministic=True)
            connection.create_function(
                "geo_holds", 2, lambda number, body: compiler.geo_tests[number](body)
            )
            yield connection
        finally:
            pooled.close()

    def _now_us(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000)


def _required_type(condition: Condition) -> str:
    """A type that every match has; empty when there is none."""
    if isinstance(condition, HasType):
        return condition.type
    if isinstance(condition, AllOf):
        return next((t for part in condition.parts if (t := _required_type(part))), "")
    return ""


def _re2_match(pattern: str, text: str | None) -> bool:
    """RE2 takes time linear in the text, whatever the pattern."""
    if text is None:
        return False
    return bool(pc.match_substring_regex(pa.scalar(text), pattern=pattern).as_py())


def _json(values: Sequence[Any]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _at(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _entity(head: tuple[Any, ...], attributes: list[StoredAttribute]) -> StoredEntity:
    _, uri, types, scope, created_us, modified_us, expires_us, touched_us = head
    return StoredEntity(
        uri,
        tuple(msgspec.json.decode(types)),
        tuple(msgspec.json.decode(scope)),
        _at(created_us),
        _at(max(modified_us, touched_us or 0)),
        None if expires_us is None else _at(expires_us),
        tuple(attributes),
    )


def _attribute(row: tuple[Any, ...]) -> StoredAttribute:
    return StoredAttribute(
        row[1],
        row[2],
        Kind(row[3]),
        row[4],
        row[5],
        row[6],
        row[7] or None,
        None if row[8] is None else _at(row[8]),
        _at(row[9]),
        _at(row[10]),
    )
