"""ports.entity_query on SQLite: searches that start from the narrowest index, entities by id."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Engine

from dothi.model.condition import AllOf, HasType
from dothi.model.row import Kind
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.entity_query import EntitySearch, StoredAttribute, StoredEntity
from dothi.storage.relational.entity_query_fetch import fetcher
from dothi.storage.relational.entity_query_rows import Decidable, Fetch, decide, match_pattern
from dothi.storage.relational.entity_query_sql import Compiler
from dothi.storage.relational.entity_query_values import LIVE_ATTRIBUTE

_SELECTIVE = 2_000
"""A start that gives at most so many rows beats reading entities in order."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIVE_ENTITY = "e.deleted_us IS NULL AND (e.expires_us IS NULL OR e.expires_us > :now)"
_LOAD = f"""
SELECT json_array(e.uri, json(e.types), json(e.scope), e.created_us,
        max(e.modified_us, coalesce((SELECT max(m.modified_us) FROM attribute m
            WHERE m.entity_id = e.id), 0)), e.expires_us) AS head,
    CASE WHEN a.id IS NOT NULL THEN json_array(a.name, a.dataset, a.kind, a.text, a.body,
        nullif(a.unit, ''), a.observed_us, a.created_us, a.modified_us) END AS rest,
    a.number
FROM json_each(:ids) w CROSS JOIN entity e ON e.uri = w.value
LEFT JOIN attribute a ON a.entity_id = e.id AND {LIVE_ATTRIBUTE}{{names}}
WHERE {_LIVE_ENTITY} ORDER BY w.id, a.name, a.dataset
"""
"""Two JSON columns instead of sixteen plain ones: each Arrow column costs. JSON would round the
number, so it stands alone."""
_OF_NAMES = " AND a.name IN (SELECT value FROM json_each(:names))"


@dataclass(slots=True)
class _Plan:
    """A search on its way to SQL."""

    fetch: Fetch
    compiler: Compiler = field(default_factory=Compiler)
    condition: Decidable | None = None


class SqliteEntities:
    """Any thread; connections come from the engine's pool."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def find(self, search: EntitySearch) -> list[str]:
        """See ports.entity_query.Entities."""
        with fetcher(self._engine) as source_of_rows:
            plan = _Plan(source_of_rows.rows)
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
        with fetcher(self._engine) as source_of_rows:
            plan = _Plan(source_of_rows.rows)
            where = self._where(search, plan)
            source, _ = _source(search, plan)
            sql = f"SELECT count(*) FROM {source} WHERE {where}"
            return int(plan.fetch(sql, plan.compiler.parameters)[0][0])

    def peek(self, ids: Sequence[str]) -> list[StoredEntity] | None:
        """See ports.entity_query.Entities."""
        return None if ids else []

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """See ports.entity_query.Entities."""
        if not ids:
            return []
        unique = list(dict.fromkeys(ids))
        parameters: dict[str, object] = {"ids": _json(unique), "now": self._now_us()}
        if names:
            parameters["names"] = _json(names)
        sql = _LOAD.format(names=_OF_NAMES if names else "")
        with fetcher(self._engine) as source_of_rows:
            rows = source_of_rows.rows(sql, parameters)
        return [_entity(head, list(group)) for head, group in groupby(rows, key=lambda row: row[0])]

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


def _entity(head: str, rows: list[Any]) -> StoredEntity:
    uri, types, scope, created_us, modified_us, expires_us = msgspec.json.decode(head)
    return StoredEntity(
        uri,
        tuple(types),
        tuple(scope),
        _at(created_us),
        _at(modified_us),
        None if expires_us is None else _at(expires_us),
        tuple(_attribute(rest, number) for _, rest, number in rows if rest is not None),
    )


def _attribute(rest: str, number: float | None) -> StoredAttribute:
    name, dataset, kind, text, body, unit, observed_us, created_us, modified_us = (
        msgspec.json.decode(rest)
    )
    return StoredAttribute(
        name,
        dataset,
        Kind(kind),
        None if number is None else float(number),
        text,
        body,
        unit,
        None if observed_us is None else _at(observed_us),
        _at(created_us),
        _at(modified_us),
    )
