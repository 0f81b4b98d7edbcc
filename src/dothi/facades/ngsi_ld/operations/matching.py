"""Conditions on one entity in memory (clauses 4.9 and 4.10), as the store decides them in SQL."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dothi.facades.ngsi_ld.operations.matching_geo import geo_holds
from dothi.facades.ngsi_ld.wire.body import canonical, plain_number, restore
from dothi.facades.ngsi_ld.wire.times import parse_date_time
from dothi.model.condition import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Exists,
    Geo,
    HasType,
    Matches,
    OneOf,
    Scalar,
    Target,
)
from dothi.ports.entity_query import StoredAttribute, StoredEntity

_Test = Exists | Compare | OneOf | Between | Matches
_VALUE_KEYS = ("value", "object", "vocab", "valueList", "objectList")
_INSIDE_KEYS = ("value", "languageMap", "json")
_MEMBERS = frozenset({"observedAt", "createdAt", "modifiedAt", "unitCode", "datasetId"})
_KEPT_ANSWERS = 50_000


def matches(entity: StoredEntity, condition: Condition) -> bool:
    """Whether the entity satisfies the condition."""
    match condition:
        case AllOf(parts):
            return all(matches(entity, part) for part in parts)
        case AnyOf(parts):
            return any(matches(entity, part) for part in parts)
        case HasType(name):
            return name in entity.types
        case Geo():
            bodies = [a.body for a in entity.attributes if a.name == condition.attribute and a.body]
            return bool(bodies) and geo_holds(condition, bodies)
    name = condition.target.attribute
    if name in {"createdAt", "modifiedAt"} and not condition.target.sub:
        at = entity.created_at if name == "createdAt" else entity.modified_at
        return _holds(condition, [at])
    return any(
        _instance_holds(attribute, condition)
        for attribute in entity.attributes
        if attribute.name == name
    )


@lru_cache(_KEPT_ANSWERS)
def has_match(pattern: str, text: str) -> bool:
    """Whether the text holds a match of the RE2 pattern."""
    found = pc.match_substring_regex(pa.array([text], pa.string()), pattern=pattern)
    return bool(found[0].as_py())


def _instance_holds(attribute: StoredAttribute, test: _Test) -> bool:
    leaves = list(_leaves(attribute, test.target))
    return bool(leaves) and _holds(test, leaves)


def _holds(test: _Test, leaves: Sequence[Any]) -> bool:
    """The test on what stands at its place; there is something."""
    match test:
        case Exists():
            return True
        case Matches(_, pattern, is_negated):
            texts = [leaf for leaf in _scalars(leaves) if isinstance(leaf, str)]
            return any(has_match(pattern, text) for text in texts) is not is_negated
        case OneOf(_, values, is_negated):
            return any(_is_equal(a, b) for a in _scalars(leaves) for b in values) is not is_negated
        case Between(_, low, high, is_negated):
            within = any(
                _order(leaf, low, ">=") and _order(leaf, high, "<=") for leaf in _scalars(leaves)
            )
            return within is not is_negated
        case Compare(_, Comparison.UNEQUAL, value):
            return not any(_is_equal(leaf, value) for leaf in _scalars(leaves))
        case Compare(_, Comparison.EQUAL, value):
            return any(_is_equal(leaf, value) for leaf in _scalars(leaves))
        case Compare(_, comparison, value):
            return any(_order(leaf, value, comparison) for leaf in _scalars(leaves))


def _leaves(attribute: StoredAttribute, target: Target) -> Iterator[Any]:
    """What stands at the place of the target; nothing when the place is not there."""
    if not target.sub and not target.inside and attribute.body is None:
        yield attribute.text if attribute.number is None else plain_number(attribute.number)
        return
    if len(target.sub) == 1 and target.sub[0] in _MEMBERS and not target.inside:
        found = _member(attribute, target.sub[0])
        if found is not None:
            yield found
        return
    instance = restore(
        attribute.name, attribute.kind, attribute, attribute.dataset, attribute.observed_at
    )
    for node in _walk([canonical(instance)], target.sub):
        if target.sub and target.sub[-1] in _MEMBERS:
            yield node
        else:
            yield from _values(node, target.inside)


def _member(attribute: StoredAttribute, name: str) -> Any:
    if name == "unitCode":
        return restore(attribute.name, attribute.kind, attribute).unit
    return {
        "observedAt": attribute.observed_at,
        "createdAt": attribute.created_at,
        "modifiedAt": attribute.modified_at,
        "datasetId": attribute.dataset or None,
    }[name]


def _walk(nodes: list[Any], steps: Sequence[str]) -> list[Any]:
    """The nodes at the end of the way; every element of an array is gone through."""
    for step in steps:
        following: list[Any] = []
        for node in nodes:
            if isinstance(node, dict) and step in node:
                found = node[step]
                following += found if isinstance(found, list) else [found]
        nodes = following
    return nodes


def _values(node: Any, inside: Sequence[str]) -> Iterator[Any]:
    if not isinstance(node, dict):
        return
    if not inside:
        yield from (node[key] for key in _VALUE_KEYS if key in node)
        if not any(key in node for key in _VALUE_KEYS):
            yield node
        return
    is_deep = inside[-1] == "*"
    for key in _INSIDE_KEYS:
        if key in node:
            for found in _walk([node[key]], inside[:-1] if is_deep else inside):
                if not is_deep:
                    yield found
                elif isinstance(found, dict | list):
                    yield from _atoms(found)


def _atoms(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _atoms(part)
    else:
        yield value


def _scalars(leaves: Sequence[Any]) -> Iterator[Any]:
    """Elements of arrays count one by one; objects are compared by their @value."""
    for leaf in leaves:
        if isinstance(leaf, list):
            yield from leaf
        elif isinstance(leaf, dict):
            if "@value" in leaf:
                yield leaf["@value"]
        else:
            yield leaf


def _is_equal(leaf: Any, value: Scalar) -> bool:
    found = _comparable(leaf, value)
    return found is not None and bool(found == value)


def _order(leaf: Any, value: Scalar, comparison: str) -> bool:
    found = _comparable(leaf, value)
    if found is None or isinstance(found, bool):
        return False
    match comparison:
        case ">":
            return bool(found > value)
        case ">=":
            return bool(found >= value)
        case "<":
            return bool(found < value)
    return bool(found <= value)


def _comparable(leaf: Any, value: Scalar) -> Any:
    """The leaf when it is of the same sort as the value, else None."""
    if isinstance(value, bool) or isinstance(leaf, bool):
        return leaf if isinstance(value, bool) and isinstance(leaf, bool) else None
    if isinstance(value, datetime):
        return leaf if isinstance(leaf, datetime) else _time(leaf)
    sort = (int, float) if isinstance(value, int | float) else str
    return leaf if isinstance(leaf, sort) else None


def _time(leaf: Any) -> datetime | None:
    try:
        return parse_date_time(leaf)
    except ValueError:
        return None
