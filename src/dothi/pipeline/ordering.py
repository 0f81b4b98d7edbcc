"""Orders entities by what their attributes hold (ETSI GS CIM 009, clause 4.23)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import numpy as np

from dothi.model.order import Collation, Order, OrderTerm
from dothi.model.row import Kind
from dothi.pipeline.attribute_values import own_member, places
from dothi.pipeline.collation import collation_key
from dothi.pipeline.geo_relations import distances_m
from dothi.ports.entity_query import StoredAttribute, StoredEntity

_T = TypeVar("_T")
_ENTITY_VALUES: Mapping[str, Callable[[StoredEntity], Any]] = {
    "id": lambda e: e.id,
    "type": lambda e: e.types[0] if len(e.types) == 1 else list(e.types),
    "scope": lambda e: (e.scope[0] if len(e.scope) == 1 else list(e.scope)) if e.scope else None,
    "createdAt": lambda e: e.created_at,
    "modifiedAt": lambda e: e.modified_at,
    "expiresAt": lambda e: e.expires_at,
}


def ordered(entities: Sequence[StoredEntity], order: Order) -> list[StoredEntity]:
    """The entities in that order; equal ones stay as they are, those without a value come last."""
    found = list(entities)
    for term in reversed(order.terms):
        found = _by_term(found, term, order.collation)
    return found


def value_key(value: Any, collation: Collation | None) -> tuple[int, Any]:
    """Number, string, object, array, boolean, time: in this order (clause 4.23.2)."""
    if isinstance(value, bool):
        return 4, value
    if isinstance(value, int | float):
        return 0, value
    if isinstance(value, str):
        return 1, value if collation is None else collation_key(value, collation)
    if isinstance(value, datetime):
        return 7, value
    return (2 if isinstance(value, dict) else 3), msgspec.json.encode(value, order="sorted")


def _by_term(
    entities: list[StoredEntity], term: OrderTerm, collation: Collation | None
) -> list[StoredEntity]:
    if term.distance_from:
        near, others = _split(entities, _distances(entities, term))
        by_distance = sorted(near, key=lambda pair: pair[0], reverse=term.is_descending)
        rest = OrderTerm(term.target, term.is_descending)
        return [e for _, e in by_distance] + _by_term(others, rest, collation)
    keyed = [_key_of(entity, term, collation) for entity in entities]
    present, missing = _split(entities, keyed)
    return [
        e for _, e in sorted(present, key=lambda pair: pair[0], reverse=term.is_descending)
    ] + missing


def _split(
    entities: list[StoredEntity], keys: Sequence[_T | None]
) -> tuple[list[tuple[_T, StoredEntity]], list[StoredEntity]]:
    present = [(k, e) for k, e in zip(keys, entities, strict=True) if k is not None]
    missing = [e for k, e in zip(keys, entities, strict=True) if k is None]
    return present, missing


def _key_of(
    entity: StoredEntity, term: OrderTerm, collation: Collation | None
) -> tuple[int, Any] | None:
    target = term.target
    of_entity = _ENTITY_VALUES.get(target.attribute)
    if of_entity is not None and not target.sub and not target.inside:
        value = of_entity(entity)
    else:
        row = _leading(entity, target.attribute)
        value = None if row is None else _value(row, term)
    if value is None:
        return None
    # Ids are no words: they are ordered by their characters.
    return (
        (1, value) if of_entity is not None and value is entity.id else value_key(value, collation)
    )


def _leading(entity: StoredEntity, name: str) -> StoredAttribute | None:
    """The default instance, else the first one (attributes are sorted by dataset)."""
    return next((a for a in entity.attributes if a.name == name), None)


def _value(row: StoredAttribute, term: OrderTerm) -> Any:
    target = term.target
    member = own_member(target)
    if member:
        return {
            "observedAt": row.observed_at,
            "createdAt": row.created_at,
            "modifiedAt": row.modified_at,
            "unitCode": row.unit,
            "datasetId": row.dataset or None,
        }[member]
    if not target.sub and not target.inside:
        scalar = row.text if row.number is None else row.number
        if scalar is not None:
            return scalar
    value, is_deep = next(places(row, target), (None, False))
    if is_deep and isinstance(value, dict):
        return next(iter(value.values()), None)
    return value


def _distances(entities: list[StoredEntity], term: OrderTerm) -> list[float | None]:
    rows = [_leading(entity, term.target.attribute) for entity in entities]
    bodies = [
        row.body or "" if row is not None and row.kind is Kind.GEO_PROPERTY else "" for row in rows
    ]
    found = distances_m(bodies, term.distance_from)
    return [None if np.isnan(metres) else float(metres) for metres in found]
