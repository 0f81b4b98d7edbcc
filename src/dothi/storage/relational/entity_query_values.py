"""Tests on one attribute row `a` as SQL: columns where they hold the value, JSON paths where not.

Written for SQLite (json_each, json_tree, julianday).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from dothi.model.condition import (
    Between,
    Compare,
    Comparison,
    Exists,
    OneOf,
    Scalar,
    Target,
)

ValueTest = Compare | OneOf | Between | Exists
Bind = Callable[[object], str]
"""Registers a value and gives the placeholder for it."""

LIVE_ATTRIBUTE = "a.deleted_us IS NULL AND a.quality IS NOT NULL"
_VALUE_KEYS = ("value", "object", "vocab", "valueList", "objectList")
_INSIDE_KEYS = ("value", "languageMap", "json")
_TIME_COLUMNS = {
    "observedAt": "observed_us",
    "createdAt": "created_us",
    "modifiedAt": "modified_us",
}
TEXT_MEMBERS = {
    "unitCode": "coalesce(a.unit, json_extract(a.body, '$.unitCode'))",
    "datasetId": "nullif(a.dataset, '')",
}
_OPERATORS = {Comparison.EQUAL: "=", Comparison.UNEQUAL: "="}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is looked for."""

    columns: bool
    """Whether columns number and text may hold it."""
    paths: tuple[str, ...] = ()
    """JSON paths into the body."""
    is_deep: bool = False
    """Any leaf below the paths counts."""


def place_of(target: Target) -> Place:
    """The place of a target that is not one of the members with a column of their own."""
    base = "$" + "".join(_step(name) for name in target.sub)
    if target.inside:
        is_deep = target.inside[-1] == "*"
        steps = target.inside[:-1] if is_deep else target.inside
        inner = "".join(_step(name) for name in steps)
        return Place(False, tuple(f"{base}.{key}{inner}" for key in _INSIDE_KEYS), is_deep)
    if target.sub and target.sub[-1] in {*_TIME_COLUMNS, *TEXT_MEMBERS}:
        return Place(False, (base,))
    paths = tuple(f"{base}.{key}" for key in _VALUE_KEYS)
    return Place(not target.sub, (*paths, f'{base}.value."@value"'))


def _step(name: str) -> str:
    # A quote cannot be written in a path of SQLite; no name that was stored holds one.
    return '."' + name.replace('"', "") + '"'


def row_test(test: ValueTest, bind: Bind) -> str:
    """SQL that is true for a row `a` that satisfies the test; the name is not looked at."""
    target = test.target
    member = target.sub[0] if len(target.sub) == 1 and not target.inside else ""
    if member in _TIME_COLUMNS:
        return _of_column(test, f"a.{_TIME_COLUMNS[member]}", bind, is_time=True)
    if member in TEXT_MEMBERS:
        return _of_column(test, TEXT_MEMBERS[member], bind, is_time=False)
    place = place_of(target)
    if isinstance(test, Exists):
        return exists_test(target, bind)
    found = _positive(test, place, bind)
    if not _is_negated(test):
        return found
    return f"({exists_test(target, bind)} AND NOT coalesce({found}, 0))"


def exists_test(target: Target, bind: Bind) -> str:
    """SQL that is true for a row `a` that has the target at all."""
    member = target.sub[0] if len(target.sub) == 1 and not target.inside else ""
    if member in TEXT_MEMBERS:
        return f"({TEXT_MEMBERS[member]} IS NOT NULL)"
    place = place_of(target)
    return "1" if place.columns else _any_path(place, "1", bind)


def time_column_test(test: ValueTest, column: str, bind: Bind) -> str:
    """The same for a column of microseconds that stands for the whole target."""
    return _of_column(test, column, bind, is_time=True)


def column_test(test: ValueTest, bind: Bind) -> str | None:
    """The part of a test that an index on (name, number) or (name, text) answers."""
    if isinstance(test, Exists) or _is_negated(test):
        return None
    if test.target.sub or test.target.inside:
        return None
    scalars = _scalars(test)
    if all(_is_number(value) for value in scalars):
        return _compare(test, "a.number", bind)
    if all(isinstance(value, str) for value in scalars):
        return _compare(test, "a.text", bind)
    return None


def _is_negated(test: ValueTest) -> bool:
    if isinstance(test, Compare):
        return test.comparison is Comparison.UNEQUAL
    return not isinstance(test, Exists) and test.is_negated


def _scalars(test: Compare | OneOf | Between) -> tuple[Scalar, ...]:
    if isinstance(test, Compare):
        return (test.value,)
    return test.values if isinstance(test, OneOf) else (test.low, test.high)


def _positive(test: Compare | OneOf | Between, place: Place, bind: Bind) -> str:
    """The test without its negation, over columns and paths."""
    parts: list[str] = []
    if isinstance(test, OneOf):
        each = [Compare(test.target, Comparison.EQUAL, value) for value in test.values]
        return _either([_positive(one, place, bind) for one in each])
    kind = _scalars(test)[0]
    if place.columns and _is_number(kind):
        parts.append(_compare(test, "a.number", bind))
    elif place.columns and isinstance(kind, str):
        parts.append(_compare(test, "a.text", bind))
    elif place.columns and isinstance(kind, datetime):
        parts.append(_compare(test, "julianday(a.text)", bind))
    return _either([*parts, _any_path(place, _leaf(test, bind), bind)])


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _leaf(test: Compare | Between, bind: Bind) -> str:
    """The test on a JSON leaf `j` (json_each, json_tree)."""
    kind = _scalars(test)[0]
    if isinstance(kind, bool):
        return f"j.type = '{'true' if kind else 'false'}'"
    if _is_number(kind):
        return f"j.type IN ('integer', 'real') AND {_compare(test, 'j.atom', bind)}"
    if isinstance(kind, datetime):
        return f"j.type = 'text' AND {_compare(test, 'julianday(j.atom)', bind)}"
    return f"j.type = 'text' AND {_compare(test, 'j.atom', bind)}"


def _compare(test: Compare | OneOf | Between, left: str, bind: Bind) -> str:
    if isinstance(test, Between):
        return f"({left} BETWEEN {_right(test.low, bind)} AND {_right(test.high, bind)})"
    if isinstance(test, OneOf):
        return f"({left} IN ({', '.join(_right(value, bind) for value in test.values)}))"
    if isinstance(test.value, bool):
        return "0"
    operator = _OPERATORS.get(test.comparison, test.comparison.value)
    return f"({left} {operator} {_right(test.value, bind)})"


def _right(value: Scalar, bind: Bind) -> str:
    if not isinstance(value, datetime):
        return bind(value)
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"julianday({bind(text)})"


def _any_path(place: Place, leaf: str, bind: Bind) -> str:
    """True when some leaf at one of the paths passes; members of an array count one by one."""
    parts = []
    for path in place.paths:
        at = bind(path)
        if place.is_deep:
            parts.append(
                f"EXISTS (SELECT 1 FROM json_tree(a.body, {at}) j "
                f"WHERE j.atom IS NOT NULL AND {leaf})"
            )
        elif leaf == "1":
            parts.append(f"json_type(a.body, {at}) IS NOT NULL")
        else:
            parts.append(
                f"(json_type(a.body, {at}) <> 'object' AND "
                f"EXISTS (SELECT 1 FROM json_each(a.body, {at}) j WHERE {leaf}))"
            )
    return f"(a.body IS NOT NULL AND {_either(parts)})"


def _of_column(test: ValueTest, column: str, bind: Bind, *, is_time: bool) -> str:
    if isinstance(test, Exists):
        return f"({column} IS NOT NULL)"
    found = _times(test, column, bind) if is_time else _compare(test, column, bind)
    if not _is_negated(test):
        return f"({column} IS NOT NULL AND {found})"
    return f"({column} IS NOT NULL AND NOT {found})"


def _times(test: Compare | OneOf | Between, column: str, bind: Bind) -> str:
    """Compare a column of microseconds with times; other values never match."""
    scalars = _scalars(test)
    if not all(isinstance(value, datetime) for value in scalars):
        return "0"
    places = [bind(_us(value)) for value in scalars if isinstance(value, datetime)]
    if isinstance(test, Between):
        return f"({column} BETWEEN {places[0]} AND {places[1]})"
    if isinstance(test, OneOf):
        return f"({column} IN ({', '.join(places)}))"
    operator = _OPERATORS.get(test.comparison, test.comparison.value)
    return f"({column} {operator} {places[0]})"


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _either(parts: list[str]) -> str:
    return "(" + " OR ".join(part for part in parts if part) + ")" if parts else "0"
