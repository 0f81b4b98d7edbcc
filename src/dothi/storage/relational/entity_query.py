"""ports.entity_query on SQLite: searches that start from the narrowest index, entities by id."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, text

from dothi.model.condition import AllOf, HasType
from dothi.model.row import Kind
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.entity_query import EntitySearch, StoredAttribute, StoredEntity
from dothi.storage.relational.entity_query_rows import Decidable, decide, match_pattern
from dothi.storage.relational.entity_query_sql import Compiler
from dothi.storage.relational.entity_query_values import LIVE_ATTRIBUTE

_SELECTIVE = 2_000
"""A start that gives at most so many rows beats reading entities in order."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIVE_ENTITY = "e.deleted_us IS NULL AND (e.expires_us IS NULL OR e.expires_us > :now)"
_LOAD = f"""
SELECT e.uri, e.types, e.scope, e.created_us, e.modified_us, e.expires_us,
    (SELECT max(m.modified_us) FROM attribute m WHERE m.entity_id = e.id) AS touched_us,
    a.name, a.dataset, a.kind, a.number, a.text, a.body, a.unit, a.observed_us,
    a.created_us AS a_created_us, a.modified_us AS a_modified_us
FROM json_each(:ids) w CROSS JOIN entity e ON e.uri = w.value
LEFT JOIN attribute a ON a.entity_id = e.id AND {LIVE_ATTRIBUTE}{{names}}
WHERE {_LIVE_ENTITY} ORDER BY w.id, a.name, a.dataset
"""
_OF_NAMES = " AND a.name IN (SELECT value FROM json_each(:names))"
_HEAD = 7
"""Columns of _LOAD that describe the entity."""


@dataclass(slots=True)
class _Plan:
    """A search on its way to SQL."""

    connection: Connection
    compiler: Compiler = field(default_factory=Compiler)
    condition: Decidable | None = None

    def fetch(self, sql: str, parameters: dict[str, object]) -> Sequence[Any]:
        return self.connection.execute(text(sql), parameters).all()


class SqliteEntities:
    """Any thread; connections come from the engine's pool."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def find(self, search: EntitySearch) -> list[str]:
        """See ports.entity_query.Entities."""
        with self._engine.connect() as connection:
            plan = _Plan(connection)
            where = self._where(search, plan)
            source, order = _source(search, plan)
            limit = plan.compiler.bind(-1 if search.limit is None else search.limit)
            offset = plan.compiler.bind(search.offset)
            sql = (
                f"SELECT e.uri FROM {source} WHERE {where} ORDER BY {order} "
                f"LIMIT {limit} OFFSET {offset}"
            )
            return [row[0] for row in plan.fetch(sql, plan.compiler.parameters)]

    def count(self, search: EntitySearch) -> int:
        """See ports.entity_query.Entities."""
        with self._engine.connect() as connection:
            plan = _Plan(connection)
            where = self._where(search, plan)
            source, _ = _source(search, plan)
            sql = f"SELECT count(*) FROM {source} WHERE {where}"
            return int(plan.fetch(sql, plan.compiler.parameters)[0][0])

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """See ports.entity_query.Entities."""
        if not ids:
            return []
        unique = list(dict.fromkeys(ids))
        parameters = {"ids": _json(unique), "now": self._now_us()}
        if names:
            parameters["names"] = _json(names)
        with self._engine.connect() as connection:
            rows = connection.execute(
                text(_LOAD.format(names=_OF_NAMES if names else "")), parameters
            ).all()
        return [_entity(list(group)) for _, group in groupby(rows, key=lambda row: row[0])]

    def _where(self, search: EntitySearch, plan: _Plan) -> str:
        terms = [_LIVE_ENTITY]
        compiler = plan.compiler
        compiler.parameters["now"] = self._now_us()
        if search.ids:
            ids = compiler.bind(_json(search.ids))
            terms.append(f"e.uri IN (SELECT value FROM json_each({ids}))")
        if search.attributes:
            names = compiler.bind(_json(search.attributes))
            terms.append(
                "EXISTS (SELECT 1 FROM attribute a WHERE a.entity_id = e.id AND "
                f"a.name IN (SELECT value FROM json_each({names})) AND {LIVE_ATTRIBUTE})"
            )
        if search.condition is not None:
            plan.condition = decide(search.condition, plan.fetch)
            terms.append(compiler.predicate(plan.condition))
        if search.id_pattern:
            source, _ = _source(search, plan)
            sql = f"SELECT e.id, e.uri FROM {source} WHERE {' AND '.join(terms)}"
            matching = match_pattern(search.id_pattern, plan.fetch(sql, compiler.parameters))
            terms.append(f"e.id IN (SELECT value FROM json_each({compiler.bind(matching)}))")
        return " AND ".join(terms)

    def _now_us(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000)


def _source(search: EntitySearch, plan: _Plan) -> tuple[str, str]:
    """FROM clause and order that touch the fewest entities."""
    if search.ids or plan.condition is None:
        return "entity e", "e.id"
    compiler = plan.compiler
    counted = []
    for start in compiler.starts(plan.condition):
        probe = f"SELECT count(*) FROM (SELECT 1 FROM ({start}) LIMIT {_SELECTIVE + 1})"
        counted.append((int(plan.fetch(probe, compiler.parameters)[0][0]), start))
    rows, start = min(counted, default=(_SELECTIVE + 1, ""))
    if rows <= _SELECTIVE:
        distinct = f"(SELECT DISTINCT entity_id FROM ({start})) c"
        return f"{distinct} CROSS JOIN entity e ON e.id = c.entity_id", "e.id"
    only_type = _required_type(plan.condition)
    if only_type:
        # The index on (type, entity_id) gives entities in order, so a page stops early.
        wanted = compiler.bind(only_type)
        joined = "entity_type s CROSS JOIN entity e ON e.id = s.entity_id"
        return f"{joined} AND s.type = {wanted}", "s.entity_id"
    return "entity e", "e.id"


def _required_type(condition: Decidable) -> str:
    """A type that every match has; empty when there is none."""
    if isinstance(condition, HasType):
        return condition.type
    if isinstance(condition, AllOf):
        return next((t for part in condition.parts if (t := _required_type(part))), "")
    return ""


def _json(values: Sequence[Any]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _at(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _entity(rows: list[Any]) -> StoredEntity:
    uri, types, scope, created_us, modified_us, expires_us, touched_us = rows[0][:_HEAD]
    return StoredEntity(
        uri,
        tuple(msgspec.json.decode(types)),
        tuple(msgspec.json.decode(scope)),
        _at(created_us),
        _at(max(modified_us, touched_us or 0)),
        None if expires_us is None else _at(expires_us),
        tuple(_attribute(row[_HEAD:]) for row in rows if row[_HEAD] is not None),
    )


def _attribute(row: Any) -> StoredAttribute:
    name, dataset, kind, number, content, body, unit, observed_us, created_us, modified_us = row
    return StoredAttribute(
        name,
        dataset,
        Kind(kind),
        number,
        content,
        body,
        unit or None,
        None if observed_us is None else _at(observed_us),
        _at(created_us),
        _at(modified_us),
    )
