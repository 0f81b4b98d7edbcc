"""ports.entity_query on SQLite: searches that start from the narrowest index, entities by id."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Engine

from dothi.model.condition import (
    AllOf,
    AnyOf,
    Condition,
    HasId,
    HasScope,
    HasType,
    IdMatches,
)
from dothi.model.order import Order
from dothi.model.row import Kind
from dothi.pipeline.ordering import ordered
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.entity_query import (
    EntitySearch,
    Expiring,
    StoredAttribute,
    StoredEntity,
    TooManyToOrder,
)
from dothi.storage.relational.entity_expiry import find_expiring
from dothi.storage.relational.entity_query_fetch import fetcher
from dothi.storage.relational.entity_query_pages import Mark, Waypoints
from dothi.storage.relational.entity_query_rows import (
    Decidable,
    Fetch,
    as_json,
    decide,
    literal_start,
    match_pattern,
    needs_decision,
)
from dothi.storage.relational.entity_query_sql import LIVE_ENTITY, Compiler
from dothi.storage.relational.entity_query_values import LIVE_ATTRIBUTE
from dothi.storage.relational.shape import SHAPE

_SELECTIVE = 2_000
"""A start that gives at most so many rows beats reading entities in order."""
_FAR = 500
"""Pages from here on use remembered places."""
_STRIDE = 1_000
"""Places this far apart are remembered on the way to a far page."""
_MAX_ORDERED = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATE = f"""
SELECT (SELECT value FROM watermark WHERE name = '{SHAPE}'),
    (SELECT max(expires_us) FROM entity WHERE expires_us <= :now),
    (SELECT max(seq) FROM log), (SELECT value FROM watermark WHERE name = 'sealed')
"""
_LOAD = f"""
SELECT json_array(e.uri, json(e.types), json(e.scope), e.created_us,
        max(e.modified_us, coalesce((SELECT max(m.modified_us) FROM attribute m
            WHERE m.entity_id = e.id), 0)), e.expires_us) AS head,
    CASE WHEN a.id IS NOT NULL THEN json_array(a.name, a.dataset, a.kind, a.text, a.body,
        nullif(a.unit, ''), a.observed_us, a.created_us, a.modified_us) END AS rest,
    a.number
FROM json_each(:ids) w CROSS JOIN entity e ON e.uri = w.value
LEFT JOIN attribute a ON a.entity_id = e.id AND {LIVE_ATTRIBUTE}{{names}}
WHERE {LIVE_ENTITY} ORDER BY w.id, a.name, a.dataset
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
    remembers: bool = True
    """Whether the place of this page is worth remembering."""
    search: EntitySearch | None = None
    state: tuple[Any, ...] = ()
    """Of the store; places that were remembered in another one do not hold."""


class SqliteEntities:
    """Any thread; connections come from the engine's pool."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()
        self._waypoints = Waypoints()

    def find(self, search: EntitySearch) -> list[str]:
        """See ports.entity_query.Entities."""
        if search.order is not None:
            return self._find_ordered(search, search.order)
        with fetcher(self._engine) as source_of_rows:
            plan = _Plan(source_of_rows.rows)
            where = self._where(search, plan)
            source, order = _source(search, plan)
            matching = f"FROM {source} WHERE {where}"
            skipped, after = self._skip(search, plan, matching, order)
            limit = plan.compiler.bind(-1 if search.limit is None else search.limit)
            offset = plan.compiler.bind(search.offset - skipped)
            sql = (
                f"SELECT e.uri, {order} {matching} AND {order} > {plan.compiler.bind(after)} "
                f"ORDER BY {order} LIMIT {limit} OFFSET {offset}"
            )
            rows = plan.fetch(sql, plan.compiler.parameters)
            if rows and plan.remembers:
                end = (search.offset + len(rows), int(rows[-1][1]))
                self._waypoints.remember(plan.search, plan.state, [end])
            return [row[0] for row in rows]

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

    def expiring(self, until: datetime, limit: int) -> list[Expiring]:
        """See ports.entity_query.Entities."""
        with fetcher(self._engine) as source_of_rows:
            return find_expiring(source_of_rows.rows, until, limit)

    def _find_ordered(self, search: EntitySearch, order: Order) -> list[str]:
        every = replace(search, order=None, offset=0, limit=_MAX_ORDERED + 1)
        found = self.find(every)
        if len(found) > _MAX_ORDERED:
            raise TooManyToOrder(f"at most {_MAX_ORDERED} entities can be ordered")
        # A name is always given: no names would load every attribute.
        names = [term.target.attribute for term in order.terms]
        entities = ordered(self.load(found, names), order)
        end = None if search.limit is None else search.offset + search.limit
        return [entity.id for entity in entities[search.offset : end]]

    def _skip(self, search: EntitySearch, plan: _Plan, matching: str, order: str) -> Mark:
        """How many matches lie before a place that is known, and that place."""
        if search.offset < _FAR or search.ids:
            plan.remembers = False
            return 0, 0
        plan.search = replace(search, offset=0, limit=None)
        state = plan.fetch(_STATE, {"now": plan.compiler.parameters["now"]})[0]
        # Other searches than those for values do not mind new values.
        plan.state = state if _depends_on_values(search) else state[:2]
        mark = self._waypoints.nearest(plan.search, plan.state, search.offset)
        if search.offset - mark[0] < 2 * _STRIDE:
            return mark
        bind = plan.compiler.bind
        sql = (
            f"SELECT n, id FROM (SELECT {order} AS id, row_number() OVER (ORDER BY {order}) AS n "
            f"{matching} AND {order} > {bind(mark[1])} ORDER BY {order} "
            f"LIMIT {bind(search.offset - mark[0])}) WHERE n % {_STRIDE} = 0"
        )
        marks = [(mark[0] + n, id_) for n, id_ in plan.fetch(sql, plan.compiler.parameters)]
        self._waypoints.remember(plan.search, plan.state, marks)
        return marks[-1] if marks else mark

    def _where(self, search: EntitySearch, plan: _Plan) -> str:
        terms = [LIVE_ENTITY]
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
            plan.condition = _decided(search.condition, plan)
            terms.append(compiler.predicate(plan.condition))
        if search.id_pattern:
            terms += _of_pattern(search, plan, terms)
        return " AND ".join(terms)

    def _now_us(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000)


def _decided(condition: Condition, plan: _Plan) -> Any:
    """The condition as SQL can decide it; patterns look only at what the other parts leave."""
    if not isinstance(condition, AllOf) or not needs_decision(condition):
        return decide(condition, plan.fetch)
    others = [part for part in condition.parts if not needs_decision(part)]
    rows, start = _narrowest(AllOf(tuple(others)), plan)
    if rows > _SELECTIVE:
        return decide(condition, plan.fetch)
    found = plan.fetch(f"SELECT DISTINCT entity_id FROM ({start})", plan.compiler.parameters)
    within = plan.compiler.bind(_json([row[0] for row in found]))

    def fetch(sql: str, parameters: dict[str, object]) -> Sequence[Any]:
        return plan.fetch(sql, plan.compiler.parameters | parameters)

    return decide(condition, fetch, f"SELECT value FROM json_each({within})")


def _of_pattern(search: EntitySearch, plan: _Plan, terms: list[str]) -> list[str]:
    """Terms for `id_pattern`, which looks only at the entities that the other terms leave."""
    compiler = plan.compiler
    source, _ = _source(search, plan)
    found = []
    start = literal_start(search.id_pattern)
    if start:
        stop = start[:-1] + chr(ord(start[-1]) + 1)
        found.append(f"e.uri >= {compiler.bind(start)} AND e.uri < {compiler.bind(stop)}")
    sql = f"SELECT e.id, e.uri FROM {source} WHERE {' AND '.join([*terms, *found])}"
    matching = match_pattern(search.id_pattern, plan.fetch(sql, compiler.parameters))
    found.append(f"e.id IN (SELECT value FROM json_each({compiler.bind(as_json(matching))}))")
    return found


def _depends_on_values(search: EntitySearch) -> bool:
    """Whether another value of some attribute could change what is found."""
    return bool(search.attributes) or not _is_about_entities(search.condition)


def _is_about_entities(condition: Condition | None) -> bool:
    if isinstance(condition, AllOf | AnyOf):
        return all(_is_about_entities(part) for part in condition.parts)
    return condition is None or isinstance(condition, HasType | HasId | HasScope | IdMatches)


def _narrowest(condition: Decidable, plan: _Plan) -> tuple[int, str]:
    """The start that gives the fewest rows, and how many (no more than needed are counted)."""
    counted = []
    for start in plan.compiler.starts(condition):
        probe = f"SELECT count(*) FROM (SELECT 1 FROM ({start}) LIMIT {_SELECTIVE + 1})"
        counted.append((int(plan.fetch(probe, plan.compiler.parameters)[0][0]), start))
    return min(counted, default=(_SELECTIVE + 1, ""))


def _source(search: EntitySearch, plan: _Plan) -> tuple[str, str]:
    """FROM clause and order that touch the fewest entities."""
    if search.ids or plan.condition is None:
        return "entity e", "e.id"
    compiler = plan.compiler
    rows, start = _narrowest(plan.condition, plan)
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
