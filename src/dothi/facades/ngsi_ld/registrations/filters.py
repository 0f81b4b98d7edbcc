"""Conditions on registrations themselves: csf, geo-query, scope query, temporal query."""

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import shapely
from shapely.geometry import shape

from dothi.facades.ngsi_ld.registrations.data import Interval
from dothi.facades.ngsi_ld.registrations.matching import finds
from dothi.facades.ngsi_ld.wire.times import parse_date_time
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
    GeoRelation,
    Matches,
    OneOf,
    Scalar,
    Target,
)

_METRES_PER_DEGREE = 111_195.0
_ORDERS: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.EQUAL: operator.eq,
    Comparison.UNEQUAL: operator.ne,
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
}


def satisfies(document: Mapping[str, Any], condition: Condition) -> bool:
    """Whether the members of a registration meet a query (clause 4.9).

    A member is a plain value, or an object with `value`, `object` or the like.
    """
    match condition:
        case AllOf(parts):
            return all(satisfies(document, part) for part in parts)
        case AnyOf(parts):
            return any(satisfies(document, part) for part in parts)
        case Absent(target):
            return not _values(document, target)
        case Exists(target):
            return bool(_values(document, target))
        case Compare(target, comparison, value):
            return any(_compare(one, comparison, value) for one in _values(document, target))
        case OneOf(target, values, is_negated):
            return any(
                any(_compare(one, Comparison.EQUAL, v) for v in values) is not is_negated
                for one in _values(document, target)
            )
        case Between(target, low, high, is_negated):
            return any(
                (
                    _compare(one, Comparison.GREATER_OR_EQUAL, low)
                    and _compare(one, Comparison.LESS_OR_EQUAL, high)
                )
                is not is_negated
                for one in _values(document, target)
            )
        case Matches(target, pattern, is_negated):
            found = [one for one in _values(document, target) if isinstance(one, str)]
            return any(finds(pattern, one) is not is_negated for one in found)
    return False


def attributes_of(condition: Condition) -> Iterator[str]:
    """Attribute names that a condition looks at."""
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from attributes_of(part)
    elif isinstance(condition, Exists | Compare | OneOf | Between | Matches):
        yield condition.target.attribute


def _values(document: Mapping[str, Any], target: Target) -> list[Any]:
    """The values at the target: those of an array one by one."""
    value = document.get(target.attribute)
    for name in target.sub:
        value = value.get(name) if isinstance(value, dict) else None
    value = _plain(value)
    for name in target.inside:
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    for key in ("value", "object", "vocab", "json", "languageMap"):
        if key in value:
            return value[key]
    return value


def _compare(found: Any, comparison: Comparison, wanted: Scalar) -> bool:
    if isinstance(wanted, datetime):
        try:
            return _ORDERS[comparison](parse_date_time(found), wanted)
        except ValueError:
            return False
    if isinstance(wanted, bool) or isinstance(found, bool):
        is_same_kind = isinstance(wanted, bool) and isinstance(found, bool)
    elif isinstance(wanted, str):
        is_same_kind = isinstance(found, str)
    else:
        is_same_kind = isinstance(found, int | float)
    return is_same_kind and _ORDERS[comparison](found, wanted)


def meets_geo(document: Mapping[str, Any], query: Geo) -> bool:
    """Whether the registered place meets a geo-query, or may hold places that do.

    A registration without that place never does. "Possibly contains" (clause 5.10.2.4): a
    registered area that touches what is asked for is enough.
    """
    place = _plain(document.get(query.attribute))
    if not isinstance(place, dict):
        return False
    registered = shape(place)
    wanted = shape(_decoded(query.geometry))
    if query.relation is GeoRelation.DISJOINT:
        return not shapely.contains(wanted, registered)
    if query.relation is not GeoRelation.NEAR:
        return bool(shapely.intersects(registered, wanted))
    nearest_m, farthest_m = _distances_m(registered, wanted)
    if query.max_distance_m is not None:
        return nearest_m <= query.max_distance_m
    return farthest_m >= (query.min_distance_m or 0.0)


def _decoded(geometry: str) -> Any:
    return msgspec.json.decode(geometry)


def _distances_m(registered: Any, wanted: Any) -> tuple[float, float]:
    """Nearest and farthest distance, on a plane that is true at the latitude of what is asked."""
    narrow = math.cos(math.radians(min(max(wanted.centroid.y, -89.0), 89.0)))

    def flat(points: Any) -> Any:
        return points * [_METRES_PER_DEGREE * narrow, _METRES_PER_DEGREE]

    one = shapely.transform(shapely.force_2d(registered), flat)
    other = shapely.transform(shapely.force_2d(wanted), flat)
    return float(shapely.distance(one, other)), float(shapely.hausdorff_distance(one, other))


def meets_time(
    interval: Interval | None, relation: str, at: datetime, end: datetime | None
) -> bool:
    """Whether an interval of a registration meets a temporal query (clause 5.10.2.4)."""
    if interval is None:
        return False
    last = interval.end_at or datetime.max.replace(tzinfo=UTC)
    if relation == "between" and end is not None:
        return interval.start_at <= end and last >= at
    return interval.start_at <= at if relation == "before" else last >= at


def meets_scope(scopes: Iterable[str], query: str) -> bool:
    """Whether one of the scopes meets a scope query (clause 4.19): `;` and, `,` or `|` or."""
    held = [scope.strip("/").split("/") for scope in scopes]
    return any(
        all(
            any(_scope_meets(scope, term.strip("() /").split("/")) for scope in held)
            for term in alternative.split(";")
        )
        for alternative in query.replace("|", ",").split(",")
    )


def _scope_meets(scope: list[str], pattern: list[str]) -> bool:
    """`+` is one level, `#` at the end any number of levels."""
    if pattern[-1] == "#":
        pattern = pattern[:-1]
        if len(scope) < len(pattern):
            return False
        scope = scope[: len(pattern)]
    return len(scope) == len(pattern) and all(
        wanted in ("+", level) for level, wanted in zip(scope, pattern, strict=True)
    )
