"""Ordered searches: numbers, times and ids are ordered by SQLite, everything else in memory.

In memory only what the order looks at is read of each entity.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from dothi.model.order import Order, OrderTerm
from dothi.model.row import Kind
from dothi.pipeline.ordering import ordered
from dothi.ports.entity_query import EntitySearch, StoredAttribute, StoredEntity, TooManyToOrder
from dothi.storage.relational.entity_query_load import at
from dothi.storage.relational.entity_query_plan import Plan
from dothi.storage.relational.entity_query_sql import MODIFIED_US, json_of
from dothi.storage.relational.entity_query_values import LIVE_ATTRIBUTE

_MAX_ORDERED = 100_000
_OF_ENTITY = frozenset({"type", "scope", "createdAt", "modifiedAt", "expiresAt"})
_TIMES = {"observedAt": "observed_us", "createdAt": "created_us", "modifiedAt": "modified_us"}
_ENTITY_COLUMNS = {
    "id": "e.uri",
    "createdAt": "e.created_us",
    "modifiedAt": MODIFIED_US,
    "expiresAt": "e.expires_us",
}
_OTHER_VALUES = (
    "SELECT 1 WHERE "
    "EXISTS (SELECT 1 FROM attribute a WHERE a.name = {0} AND a.text IS NOT NULL "
    f"AND {LIVE_ATTRIBUTE}) "
    "OR EXISTS (SELECT 1 FROM attribute a WHERE a.name = {0} AND a.body IS NOT NULL "
    f"AND a.number IS NULL AND a.text IS NULL AND {LIVE_ATTRIBUTE})"
)
"""A row when the attribute holds something else than numbers anywhere."""
_LIGHT = "'[]', '[]', 0, 0, NULL"
_WHOLE = f"e.types, e.scope, e.created_us, {MODIFIED_US}, e.expires_us"


def find_ordered(plan: Plan, search: EntitySearch, order: Order) -> list[str]:
    """Ids of one page. Raises TooManyToOrder."""
    where = plan.where(search)
    source = plan.source(search)
    keys = _sql_keys(plan, order)
    if keys:
        page = plan.compiler.page(search.limit, search.offset)
        sql = (
            f"SELECT e.uri FROM {source.sql} WHERE {where} "
            f"ORDER BY {keys}, {source.id_column} {page}"
        )
        return [row[0] for row in plan.fetch.rows(sql, plan.compiler.parameters)]
    columns = _WHOLE if any(_is_of_entity(term) for term in order.terms) else _LIGHT
    sql = (
        f"SELECT {source.id_column}, e.uri, {columns} FROM {source.sql} WHERE {where} "
        f"ORDER BY {source.id_column} LIMIT {_MAX_ORDERED + 1}"
    )
    rows = plan.fetch.rows(sql, plan.compiler.parameters)
    if len(rows) > _MAX_ORDERED:
        raise TooManyToOrder(f"at most {_MAX_ORDERED} entities can be ordered")
    attributes = _attributes(plan, [row[0] for row in rows], order)
    entities = ordered([_entity(row, attributes[row[0]]) for row in rows], order)
    end = None if search.limit is None else search.offset + search.limit
    return [entity.id for entity in entities[search.offset : end]]


def _sql_keys(plan: Plan, order: Order) -> str:
    """Keys of ORDER BY when SQLite can decide all of them; else empty."""
    keys = []
    for term in order.terms:
        value = _sql_value(plan, term)
        if not value:
            return ""
        direction = "DESC" if term.is_descending else "ASC"
        keys.append(f"{value} {direction} NULLS LAST")
    return ", ".join(keys)


def _sql_value(plan: Plan, term: OrderTerm) -> str:
    target = term.target
    if term.distance_from or target.inside or len(target.sub) > 1:
        return ""
    if not target.sub and target.attribute in _ENTITY_COLUMNS:
        return _ENTITY_COLUMNS[target.attribute]
    column = _TIMES.get(target.sub[0]) if target.sub else "number"
    if column is None or target.attribute in _OF_ENTITY:
        return ""
    name = plan.compiler.bind(target.attribute)
    if column == "number" and plan.fetch.rows(_OTHER_VALUES.format(name), plan.compiler.parameters):
        return ""
    return (
        f"(SELECT a.{column} FROM attribute a WHERE a.entity_id = e.id AND a.name = {name} "
        f"AND {LIVE_ATTRIBUTE} ORDER BY a.dataset LIMIT 1)"
    )


def _is_of_entity(term: OrderTerm) -> bool:
    return term.target.attribute in _OF_ENTITY and not term.target.sub


def _attributes(plan: Plan, ids: Sequence[int], order: Order) -> dict[int, list[StoredAttribute]]:
    """What the order looks at, by entity; default instances first."""
    found: dict[int, list[StoredAttribute]] = defaultdict(list)
    parameters: dict[str, object] = {
        "ids": json_of(ids),
        "names": json_of([term.target.attribute for term in order.terms]),
    }
    sql = (
        "SELECT a.entity_id, a.name, a.dataset, a.kind, a.number, a.text, a.body, "
        "nullif(a.unit, ''), a.observed_us, a.created_us, a.modified_us "
        "FROM json_each(:names) n CROSS JOIN json_each(:ids) i CROSS JOIN attribute a "
        f"ON a.entity_id = i.value AND a.name = n.value AND {LIVE_ATTRIBUTE}"
    )
    for row in plan.fetch.rows(sql, parameters):
        found[row[0]].append(_attribute(row[1:]))
    for rows in found.values():
        if len(rows) > 1:
            rows.sort(key=lambda row: (row.name, row.dataset))
    return found


def _attribute(row: Sequence[Any]) -> StoredAttribute:
    name, dataset, kind, number, text, body, unit, observed_us, created_us, modified_us = row
    observed_at = None if observed_us is None else at(observed_us)
    held = (number, text, body, unit, observed_at)
    return StoredAttribute(name, dataset, Kind(kind), *held, at(created_us), at(modified_us))


def _entity(row: Sequence[Any], attributes: list[StoredAttribute]) -> StoredEntity:
    _, uri, types, scope, created_us, modified_us, expires_us = row
    return StoredEntity(
        uri,
        _texts(types),
        _texts(scope),
        at(created_us),
        at(modified_us),
        None if expires_us is None else at(expires_us),
        tuple(attributes),
    )


def _texts(array: str) -> tuple[str, ...]:
    return () if array == "[]" else msgspec.json.decode(array, type=tuple[str, ...])
