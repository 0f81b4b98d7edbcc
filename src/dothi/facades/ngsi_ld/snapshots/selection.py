"""The query language over the members of a Snapshot (clauses 5.16.7, 4.9)."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.q import parse_q
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.snapshots.document import MEMBERS
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
    Matches,
    OneOf,
    Scalar,
    Target,
)

Selection = Callable[[dict[str, Any]], bool]


def read_selection(q: str) -> Selection:
    """Whether a snapshot is meant. Raises BadRequestData."""
    if not q:
        raise bad_request_data("parameter q must say which snapshots are meant")
    try:
        condition = parse_q(q, lambda name: name)
    except GrammarError as error:
        raise bad_request_data(f"parameter q: {error}") from error
    for target in _targets(condition):
        if target.attribute not in MEMBERS:
            raise bad_request_data(
                f"parameter q: a Snapshot has no member {target.attribute}; "
                f"it has {', '.join(sorted(MEMBERS))}"
            )
    return lambda snapshot: _holds(condition, snapshot)


def _targets(condition: Condition) -> Iterator[Target]:
    if isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from _targets(part)
    elif isinstance(condition, Exists | Absent | Compare | OneOf | Between | Matches):
        yield condition.target


def _holds(condition: Condition, snapshot: dict[str, Any]) -> bool:
    match condition:
        case AllOf(parts):
            return all(_holds(part, snapshot) for part in parts)
        case AnyOf(parts):
            return any(_holds(part, snapshot) for part in parts)
        case Absent(target):
            return not _values(target, snapshot)
        case Exists(target):
            return bool(_values(target, snapshot))
        case Compare(target, comparison, wanted):
            return any(_compares(v, comparison, wanted) for v in _values(target, snapshot))
        case _:
            return _holds_of_many(condition, snapshot)


def _holds_of_many(condition: Condition, snapshot: dict[str, Any]) -> bool:
    match condition:
        case OneOf(target, wanted, negated):
            found = _values(target, snapshot)
            return any(
                any(_compares(v, Comparison.EQUAL, w) for w in wanted) != negated for v in found
            )
        case Between(target, low, high, negated):
            found = _values(target, snapshot)
            return any(
                (
                    _compares(v, Comparison.GREATER_OR_EQUAL, low)
                    and _compares(v, Comparison.LESS_OR_EQUAL, high)
                )
                != negated
                for v in found
            )
        case Matches(target, pattern, negated):
            texts = [v for v in _values(target, snapshot) if isinstance(v, str)]
            return any(_matches(text, pattern) != negated for text in texts)
    raise bad_request_data("parameter q: this condition does not fit a Snapshot")


def _matches(text: str, pattern: str) -> bool:
    found = pc.match_substring_regex(pa.array([text]), pattern)
    return bool(found[0].as_py())


def _values(target: Target, snapshot: dict[str, Any]) -> list[Any]:
    """What stands there; an array stands for its elements."""
    found: list[Any] = [snapshot.get(target.attribute)]
    for step in (*target.sub, *target.inside):
        parts = [p for value in found for p in (value if isinstance(value, list) else [value])]
        found = [part.get(step) for part in parts if isinstance(part, dict)]
    flat = [p for value in found for p in (value if isinstance(value, list) else [value])]
    return [value for value in flat if value is not None]


def _compares(value: Any, comparison: Comparison, wanted: Scalar) -> bool:
    if not isinstance(wanted, bool | int | float | str):
        try:
            value = parse_date_time(value)
        except ValueError:
            return False
    same_kind = isinstance(value, bool) == isinstance(wanted, bool) and (
        isinstance(value, str) == isinstance(wanted, str)
    )
    if not same_kind or isinstance(value, dict):
        return False
    return _COMPARE[comparison](value, wanted)


_COMPARE: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.EQUAL: lambda a, b: bool(a == b),
    Comparison.UNEQUAL: lambda a, b: bool(a != b),
    Comparison.GREATER: lambda a, b: bool(a > b),
    Comparison.GREATER_OR_EQUAL: lambda a, b: bool(a >= b),
    Comparison.LESS: lambda a, b: bool(a < b),
    Comparison.LESS_OR_EQUAL: lambda a, b: bool(a <= b),
}
