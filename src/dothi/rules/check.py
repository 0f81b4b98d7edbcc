"""What the shape of a rule cannot say: whether it makes sense."""

from collections.abc import Callable, Iterator
from math import isfinite

import shapely

from dothi.model.rule import Rule
from dothi.model.rule_condition import (
    AllOf,
    AnyOf,
    AtLeast,
    Compare,
    Condition,
    DatedLimit,
    Flagged,
    Geofence,
    Leaf,
    Not,
    Range,
    Window,
)

MAX_TERMS = 50
MAX_DEPTH = 8


def check_rule(rule: Rule) -> list[str]:
    """Faults, each with the place where it stands; empty: none."""
    found = list(_condition(rule.condition, "$.condition", 1))
    if not rule.name.best():
        found.append("$.name: give it a name in vi or en")
    count = len(list(leaves_of(rule.condition)))
    if count > MAX_TERMS:
        found.append(f"$.condition: has {count} terms, at most {MAX_TERMS} are taken")
    scope = rule.scope
    if not (scope.types or scope.ids or scope.areas or scope.sources):
        found.append("$.scope: name types, ids, areas or sources; a rule never holds everywhere")
    return found


def leaves_of(condition: Condition) -> Iterator[Leaf]:
    """The terms of a condition, in order."""
    if isinstance(condition, Not):
        yield from leaves_of(condition.of)
    elif isinstance(condition, AllOf | AnyOf | AtLeast):
        for part in condition.of:
            yield from leaves_of(part)
    else:
        yield condition


def limits_of(rule: Rule) -> Iterator[DatedLimit]:
    """Dated limits that the rule refers to."""
    for leaf in leaves_of(rule.condition):
        for name in ("limit", "low", "high"):
            limit = getattr(leaf, name, None)
            if isinstance(limit, DatedLimit):
                yield limit


def _condition(condition: Condition, place: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        yield f"{place}: nested deeper than {MAX_DEPTH}"
        return
    if isinstance(condition, Not):
        yield from _condition(condition.of, f"{place}.of", depth + 1)
    elif isinstance(condition, AllOf | AnyOf | AtLeast):
        if not condition.of:
            yield f"{place}.of: give at least one part"
        if isinstance(condition, AtLeast) and condition.count > len(condition.of):
            yield f"{place}.count: {condition.count} of {len(condition.of)} parts cannot be true"
        for n, part in enumerate(condition.of):
            yield from _condition(part, f"{place}.of[{n}]", depth + 1)
    else:
        yield from _leaf(condition, place)


def _leaf(leaf: Leaf, place: str) -> Iterator[str]:
    for name in ("limit", "low", "high", "deadband", "factor", "offset", "tolerance"):
        value = getattr(leaf, name, 0.0)
        if isinstance(value, float) and not isfinite(value):
            yield f"{place}.{name}: must be a number"
    check = _CHECKS.get(type(leaf))
    if check is not None:
        yield from check(leaf, place)


def _range(leaf: Range, place: str) -> Iterator[str]:
    if isinstance(leaf.low, float) and isinstance(leaf.high, float) and leaf.low > leaf.high:
        yield f"{place}.low: {leaf.low:g} is above high {leaf.high:g}"


def _window(leaf: Window, place: str) -> Iterator[str]:
    if leaf.where is not None and leaf.function != "count":
        yield f"{place}.where: only count counts some of the values"


def _geofence(leaf: Geofence, place: str) -> Iterator[str]:
    if bool(leaf.polygon) == bool(leaf.area):
        yield f"{place}: give either polygon or area"
    if leaf.polygon and len(leaf.polygon) < 3:
        yield f"{place}.polygon: give at least three corners"
    elif leaf.polygon and not shapely.Polygon(leaf.polygon).is_valid:
        yield f"{place}.polygon: its sides cross or touch each other; put the corners in order"
    for n, (lon, lat) in enumerate(leaf.polygon):
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            yield f"{place}.polygon[{n}]: longitude, then latitude, in degrees"


def _compare(leaf: Compare, place: str) -> Iterator[str]:
    if (leaf.attribute, leaf.dataset) == (leaf.other, leaf.other_dataset):
        yield f"{place}.other: is the attribute itself"


def _flagged(leaf: Flagged, place: str) -> Iterator[str]:
    if not leaf.flags:
        yield f"{place}.flags: give at least one"


_CHECKS: dict[type, Callable[..., Iterator[str]]] = {
    Range: _range,
    Window: _window,
    Geofence: _geofence,
    Compare: _compare,
    Flagged: _flagged,
}
