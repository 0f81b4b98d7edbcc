"""Conditions on one entity in memory: what subscriptions and gathered answers are filtered with."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.condition import (
    Absent,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Comparison,
    Condition,
    Exists,
    Geo,
    HasId,
    HasScope,
    HasType,
    IdMatches,
    Linked,
    Matches,
    OneOf,
    Scalar,
    Target,
    Term,
    meets_terms,
)
from dothi.model.row import Kind
from dothi.pipeline.attribute_values import (
    RELATIONSHIPS,
    atoms,
    decoded_body,
    own_member,
    places,
    scalars,
)
from dothi.pipeline.geo_relations import GeoTest, geo_test
from dothi.ports.entity_query import StoredAttribute, StoredEntity

Lookup = Callable[[Sequence[str]], Sequence[StoredEntity]]
"""Gives the entities of these ids that exist."""

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?")
_ENTITY_TIMES = ("createdAt", "modifiedAt", "expiresAt")
_TEST: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.EQUAL: lambda a, b: bool(a == b),
    Comparison.UNEQUAL: lambda a, b: bool(a == b),
    Comparison.GREATER: lambda a, b: bool(a > b),
    Comparison.GREATER_OR_EQUAL: lambda a, b: bool(a >= b),
    Comparison.LESS: lambda a, b: bool(a < b),
    Comparison.LESS_OR_EQUAL: lambda a, b: bool(a <= b),
}
ValueTest = Exists | Compare | OneOf | Between | Matches


def matches(entity: StoredEntity, condition: Condition, look_up: Lookup | None = None) -> bool:
    """Whether the entity satisfies the condition, exactly as a store would say.

    `look_up` brings linked entities; without it no condition on them holds.
    """
    match condition:
        case AllOf(parts):
            return all(matches(entity, part, look_up) for part in parts)
        case AnyOf(parts):
            return any(matches(entity, part, look_up) for part in parts)
        case HasType(name):
            return name in entity.types
        case HasId(ids):
            return entity.id in ids
        case IdMatches(pattern):
            return holds_pattern(pattern, [entity.id])
        case HasScope():
            return any(scope_matches(scope, condition) for scope in entity.scope)
        case Linked():
            return _linked(entity, condition, look_up)
        case Geo():
            return _geo(entity, condition)
        case Absent(target):
            return not _value(entity, Exists(target))
        case _:
            return _value(entity, condition)


def scope_matches(scope: str, wanted: HasScope) -> bool:
    """Whether one scope is the wanted one, or below it where that counts."""
    levels = scope.removeprefix("/").split("/")
    if len(levels) < len(wanted.levels):
        return False
    if len(levels) > len(wanted.levels) and not wanted.has_descendants:
        return False
    return all(w in ("+", level) for w, level in zip(wanted.levels, levels, strict=False))


def objects_of(row: StoredAttribute) -> list[str]:
    """URIs that a relationship leads to; empty for other kinds."""
    if row.kind not in RELATIONSHIPS:
        return []
    found = [] if row.text is None else [row.text]
    if row.body is not None:
        body = decoded_body(row.body)
        for key in ("object", "objectList"):
            value = body.get(key) if isinstance(body, dict) else None
            found += value if isinstance(value, list) else [value] if value else []
    return [uri for uri in found if isinstance(uri, str)]


def _linked(entity: StoredEntity, wanted: Linked, look_up: Lookup | None) -> bool:
    if look_up is None:
        return False
    uris = [u for a in entity.attributes if a.name == wanted.relationship for u in objects_of(a)]
    return any(
        (not wanted.types or not set(wanted.types).isdisjoint(other.types))
        and matches(other, wanted.condition, look_up)
        for other in look_up(uris)
    )


def _geo(entity: StoredEntity, geo: Geo) -> bool:
    bodies = [
        a.body
        for a in entity.attributes
        if a.name == geo.attribute and a.kind is Kind.GEO_PROPERTY and a.body is not None
    ]
    return bool(bodies) and bool(_geo_test(geo).holds(bodies).any())


@lru_cache(maxsize=1024)
def _geo_test(geo: Geo) -> GeoTest:
    return geo_test(geo)


def _value(entity: StoredEntity, test: ValueTest) -> bool:
    target = test.target
    if target.attribute in _ENTITY_TIMES and not target.sub and not target.inside:
        times = (entity.created_at, entity.modified_at, entity.expires_at)
        return _of_member(test, times[_ENTITY_TIMES.index(target.attribute)])
    return any(
        _row(a, test) for a in entity.attributes if a.name == target.attribute and _has_value(a)
    )


def _has_value(row: StoredAttribute) -> bool:
    """A row without any tells that the value is missing: no condition meets it."""
    return row.number is not None or row.text is not None or row.body is not None


def _row(row: StoredAttribute, test: ValueTest) -> bool:
    member = own_member(test.target)
    if member:
        return _of_member(test, _member(row, member))
    if isinstance(test, Exists):
        return _exists(row, test.target)
    if isinstance(test, Matches):
        texts = [v for v in scalars(row, test.target, is_ordered=True) if isinstance(v, str)]
        return bool(texts) and holds_pattern(test.pattern, texts) is not test.is_negated
    is_ordered = isinstance(test, Compare) and test.comparison not in ("==", "!=")
    found = any(_holds(test, v) for v in scalars(row, test.target, is_ordered=is_ordered))
    return (_exists(row, test.target) and not found) if _is_negated(test) else found


def _exists(row: StoredAttribute, target: Target) -> bool:
    if not target.sub and not target.inside:
        return True
    return any(
        not is_deep or next(atoms(found), None) is not None
        for found, is_deep in places(row, target)
    )


def _member(row: StoredAttribute, member: str) -> Any:
    if member == "unitCode":
        body = decoded_body(row.body) if row.unit is None and row.body is not None else None
        return row.unit if not isinstance(body, dict) else body.get("unitCode")
    if member == "datasetId":
        return row.dataset or None
    return {
        "observedAt": row.observed_at,
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }[member]


def _of_member(test: ValueTest, value: Any) -> bool:
    """A test on the only value of a member; a missing one satisfies nothing."""
    if value is None:
        return False
    if isinstance(test, Exists):
        return True
    if isinstance(test, Matches):
        return isinstance(value, str) and (
            holds_pattern(test.pattern, [value]) is not test.is_negated
        )
    return _holds(test, value) is not _is_negated(test)


def _is_negated(test: Compare | OneOf | Between) -> bool:
    return test.comparison is Comparison.UNEQUAL if isinstance(test, Compare) else test.is_negated


def _holds(test: Compare | OneOf | Between, value: Any) -> bool:
    """The test on one scalar, without its negation."""
    if isinstance(test, OneOf):
        return any(_compare(Comparison.EQUAL, value, one) for one in test.values)
    if isinstance(test, Between):
        return _compare(Comparison.GREATER_OR_EQUAL, value, test.low) and _compare(
            Comparison.LESS_OR_EQUAL, value, test.high
        )
    return _compare(test.comparison, value, test.value)


def _compare(comparison: Comparison, value: Any, wanted: Scalar) -> bool:
    """False whenever the two are of different kinds."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted and comparison in (Comparison.EQUAL, Comparison.UNEQUAL)
    if isinstance(wanted, datetime):
        if isinstance(value, datetime):
            return _TEST[comparison](value, wanted)
        at = _milliseconds(value)
        return at is not None and _TEST[comparison](at, int(wanted.timestamp() * 1000 + 1e-4))
    if isinstance(wanted, str) is not isinstance(value, str) or isinstance(value, datetime):
        return False
    if isinstance(wanted, str) and not _may_meet(value, wanted):
        return False
    return value is not None and _TEST[comparison](value, wanted)


def _may_meet(value: Any, wanted: str) -> bool:
    return meets_terms(wanted) if isinstance(value, Term) else not isinstance(wanted, Term)


def _milliseconds(value: Any) -> int | None:
    """Milliseconds since the epoch of a text that is a time; stores look no closer."""
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return int(at.timestamp() * 1000 + 0.5)


def holds_pattern(pattern: str, texts: list[str]) -> bool:
    """Whether one of the texts holds a match of the RE2 pattern."""
    found = pc.match_substring_regex(pa.array(texts, pa.string()), pattern=pattern)
    return bool(pc.any(found).as_py())
