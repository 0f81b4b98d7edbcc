"""Tests on one attribute row `a` as SQL: columns where they hold the value, JSON paths where not.

Written for SQLite (json_each, json_tree, julianday).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct, structs

from dothi.model.condition import (
    Between,
    Compare,
    Comparison,
    Exists,
    OneOf,
    Scalar,
    Target,
    Term,
    meets_terms,
)
from dothi.model.row import Kind
from dothi.pipeline.attribute_values import (
    INSIDE_KEYS,
    PLAIN_MEMBERS,
    RELATIONSHIP_KEYS,
    VALUE_KEYS,
)
from dothi.storage.relational.schema import INDEXED_CHARS

ValueTest = Compare | OneOf | Between | Exists
Bind = Callable[[object], str]
"""Registers a value and gives the placeholder for it."""

LIVE_ATTRIBUTE = "a.deleted_us IS NULL AND a.quality IS NOT NULL"
RELATIONSHIPS = f"({Kind.RELATIONSHIP:d}, {Kind.LIST_RELATIONSHIP:d})"
_TIME_COLUMNS = {
    "observedAt": "observed_us",
    "createdAt": "created_us",
    "modifiedAt": "modified_us",
}
TEXT_MEMBERS = {
    "unitCode": "coalesce(a.unit, json_extract(a.body, '$.unitCode'))",
    "datasetId": "nullif(a.dataset, '')",
}
_OWN_PATHS = {
    path: f"'{path}'"
    for path in ('$.value."@value"', "$.languageMap", *(f"$.{key}" for key in VALUE_KEYS))
}
"""Paths that hold no name of a user; each parameter that is not needed saves some µs."""
_START = f"substr({{}}, 1, {INDEXED_CHARS})"
_OR_EQUAL = {"<": "<=", ">": ">="}
_OPERATORS = {Comparison.EQUAL: "=", Comparison.UNEQUAL: "="}
_VOCAB = ".vocab"
"""Names are quoted in paths, so this is the end of the path to the value of a VocabProperty."""
_DATE_TIME = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"


class Place(Struct, frozen=True):
    """Where a value is looked for."""

    columns: bool
    """Whether columns number and text may hold it."""
    paths: tuple[str, ...] = ()
    """JSON paths into the body."""
    deep_paths: tuple[str, ...] = ()
    """JSON paths below which any leaf counts."""
    has_relationships: bool = True
    """Whether what a relationship leads to counts."""


@lru_cache(maxsize=4_096)
def place_of(target: Target, *, is_ordered: bool = False) -> Place:
    """The place of a target that is not one of the members with a column of their own.

    `is_ordered`: without what relationships lead to, which has no order.
    """
    base = "$" + "".join(_step(name) for name in target.sub)
    if target.inside:
        is_deep = target.inside[-1] == "*"
        steps = target.inside[:-1] if is_deep else target.inside
        inner = "".join(_step(name) for name in steps)
        paths = tuple(f"{base}.{key}{inner}" for key in INSIDE_KEYS)
        return Place(False, (), paths) if is_deep else Place(False, paths)
    if target.sub and target.sub[-1] in PLAIN_MEMBERS:
        return Place(False, (base,))
    keys = [key for key in VALUE_KEYS if not is_ordered or key not in RELATIONSHIP_KEYS]
    paths = (*(f"{base}.{key}" for key in keys), f'{base}.value."@value"')
    return Place(not target.sub, paths, (f"{base}.languageMap",), not is_ordered)


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
    if isinstance(test, Exists):
        return exists_test(target, bind)
    is_ordered = isinstance(test, Compare) and test.comparison not in _OPERATORS
    found = _positive(test, place_of(target, is_ordered=is_ordered), bind)
    if not is_negated(test):
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
    """What an index on (name, number) or (name, start of text) answers of a test.

    Every row that satisfies the test satisfies this; of long texts, others may too.
    """
    if isinstance(test, Exists) or is_negated(test):
        return None
    if test.target.sub or test.target.inside:
        return None
    scalars = _scalars(test)
    if all(_is_number(value) for value in scalars):
        return _compare(test, "a.number", bind)
    if all(isinstance(value, str) for value in scalars):
        return _compare_starts(test, bind)
    return None


def _compare_starts(test: Compare | OneOf | Between, bind: Bind) -> str:
    def start(value: Scalar) -> str:
        return _START.format(_right(value, bind))

    left = f"a.text IS NOT NULL AND {_START.format('a.text')}"
    if isinstance(test, Between):
        return f"({left} BETWEEN {start(test.low)} AND {start(test.high)})"
    if isinstance(test, OneOf):
        return f"({left} IN ({', '.join(map(start, test.values))}))"
    operator = _OPERATORS.get(test.comparison, test.comparison.value)
    return f"({left} {_OR_EQUAL.get(operator, operator)} {start(test.value)})"


def has_column(target: Target) -> bool:
    """Whether column number or text may hold the target, or one of its own that every row has."""
    member = target.sub[0] if len(target.sub) == 1 and not target.inside else ""
    return member in _TIME_COLUMNS or member in TEXT_MEMBERS or place_of(target).columns


def is_negated(test: ValueTest) -> bool:
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
        found = f"({_kind_of(kind)}{_compare(test, 'a.text', bind)})"
        parts.append(_any_kind(found, place))
    elif place.columns and isinstance(kind, datetime):
        parts.append(_any_kind(_as_time(test, "a.text", bind), place))
    in_body = _any_path(_for_value(place, kind), _leaf(test, bind), bind)
    if not place.columns:
        return in_body
    # A value in a column is the whole value, so the body need not be looked at.
    return f"CASE WHEN a.number IS NULL AND a.text IS NULL THEN {in_body} ELSE {_either(parts)} END"


def _kind_of(wanted: str) -> str:
    """Which kinds the text of a row may have: names of vocabularies are no texts."""
    if isinstance(wanted, Term):
        return f"a.kind = {Kind.VOCAB_PROPERTY:d} AND "
    return "" if meets_terms(wanted) else f"a.kind <> {Kind.VOCAB_PROPERTY:d} AND "


def _for_value(place: Place, wanted: Scalar) -> Place:
    """The same for the paths."""
    if isinstance(wanted, Term):
        return structs.replace(
            place, paths=tuple(p for p in place.paths if p.endswith(_VOCAB)), deep_paths=()
        )
    if isinstance(wanted, str) and not meets_terms(wanted):
        return structs.replace(place, paths=tuple(p for p in place.paths if not p.endswith(_VOCAB)))
    return place


def _any_kind(found: str, place: Place) -> str:
    return found if place.has_relationships else f"(a.kind NOT IN {RELATIONSHIPS} AND {found})"


def _as_time(test: Compare | OneOf | Between, text: str, bind: Bind) -> str:
    """Compare a text with times; other texts (SQLite also reads "now" and numbers) never match."""
    return f"({text} GLOB '{_DATE_TIME}*' AND {_compare(test, f'julianday({text})', bind)})"


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
        return f"j.type = 'text' AND {_as_time(test, 'j.atom', bind)}"
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
        return bind(str(value) if isinstance(value, Term) else value)
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return f"julianday({bind(text)})"


def _any_path(place: Place, leaf: str, bind: Bind) -> str:
    """True when some leaf at one of the paths passes; members of an array count one by one."""
    parts = [
        f"EXISTS (SELECT 1 FROM json_tree(a.body, {_path(path, bind)}) j "
        f"WHERE j.atom IS NOT NULL AND {leaf})"
        for path in place.deep_paths
    ]
    for path in place.paths:
        at = _path(path, bind)
        if leaf == "1":
            parts.append(f"json_type(a.body, {at}) IS NOT NULL")
        else:
            parts.append(
                f"(json_type(a.body, {at}) <> 'object' AND "
                f"EXISTS (SELECT 1 FROM json_each(a.body, {at}) j WHERE {leaf}))"
            )
    return f"(a.body IS NOT NULL AND {_either(parts)})"


def _path(path: str, bind: Bind) -> str:
    return _OWN_PATHS.get(path) or bind(path)


def _of_column(test: ValueTest, column: str, bind: Bind, *, is_time: bool) -> str:
    if isinstance(test, Exists):
        return f"({column} IS NOT NULL)"
    wanted = _of_type(test, datetime if is_time else str)
    if wanted is None:
        found = "0"
    else:
        found = _times(wanted, column, bind) if is_time else _compare(wanted, column, bind)
    if not is_negated(test):
        return f"({column} IS NOT NULL AND {found})"
    return f"({column} IS NOT NULL AND NOT {found})"


def _of_type(
    test: Compare | OneOf | Between, kind: type[datetime | str]
) -> Compare | OneOf | Between | None:
    """The test with only the values that a column of this type can hold; None: it holds none."""
    if isinstance(test, OneOf):
        values = tuple(value for value in test.values if isinstance(value, kind))
        return replace(test, values=values) if values else None
    return test if all(isinstance(value, kind) for value in _scalars(test)) else None


def _times(test: Compare | OneOf | Between, column: str, bind: Bind) -> str:
    """Compare a column of microseconds with times."""
    places = [bind(_us(value)) for value in _scalars(test) if isinstance(value, datetime)]
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
