"""Searches of one build, which differ in their values alone, as one statement that is made once.

Dashboards ask the same again with other values; to write the SQL of two conditions takes as long as
to run it. A build is the search with stand-ins in the place of its values: what is made of them
says where each value belongs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from msgspec import Struct, field

from dothi.model.condition import (
    Absent,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Condition,
    Exists,
    HasType,
    OneOf,
    Scalar,
    Term,
    meets_terms,
)
from dothi.ports.entity_query import EntitySearch
from dothi.storage.relational.entity_query_fetch import Fetcher
from dothi.storage.relational.entity_query_habits import Habits
from dothi.storage.relational.entity_query_pages import FAR
from dothi.storage.relational.entity_query_plan import LEVELS, Plan, gathered
from dothi.storage.relational.entity_query_starts import Range, Start

_MAX_KEPT = 500
_LIMIT, _OFFSET = 1 << 61, 1 << 62
"""Stand-ins of the page."""


class _Nothing:
    """The conditions of builds are decided without a look at the store."""

    def rows(
        self, sql: str, parameters: Mapping[str, object], *, is_short: bool = False
    ) -> Sequence[Any]:
        raise AssertionError(sql)

    def table(self, sql: str, parameters: Mapping[str, object]) -> pa.Table:
        raise AssertionError(sql)


class _Build(Struct):
    plan: Plan
    where: str
    starts: tuple[Start, ...]
    asked: dict[Range, tuple[str, tuple[tuple[str, Any], ...]]] = field(default_factory=dict)
    """By the range to start from: the SQL, and the parameters with stand-ins for values."""

    def statement(self, start: Range) -> tuple[str, tuple[tuple[str, Any], ...]]:
        found = self.asked.get(start)
        if found is None:
            sql = guessed_sql(self.plan, start, self.where, _LIMIT, _OFFSET)
            found = self.asked[start] = (sql, tuple(self.plan.compiler.parameters.items()))
        return found


class Builds:
    """Any thread: each step is one operation on a dictionary."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._kept: dict[EntitySearch, _Build] = {}

    def pages(
        self, searches: Sequence[EntitySearch], fetcher: Fetcher, now_us: int
    ) -> list[list[str] | None]:
        """The page of each search from the range that was best last time.

        None: its build has no such range, or it is not short this time.
        """
        pages: list[list[str] | None] = [None] * len(searches)
        alike: dict[Any, list[tuple[int, Mapping[str, object]]]] = {}
        for at, search in enumerate(searches):
            asked = self._asked(search, now_us)
            if asked is not None:
                sql, parameters = asked
                key = sql, tuple(map(type, parameters.values()))
                alike.setdefault(key, []).append((at, parameters))
        for (sql, _), several in alike.items():
            found = read_guessed(fetcher, sql, [parameters for _, parameters in several])
            for (at, _), page in zip(several, found, strict=True):
                pages[at] = page
        return pages

    def _asked(self, search: EntitySearch, now_us: int) -> tuple[str, Mapping[str, object]] | None:
        """The statement and its parameters."""
        if search.condition is None or search.ids or search.attributes or search.id_pattern:
            return None
        if search.order is not None or search.offset >= FAR:
            return None
        values: dict[Scalar, Scalar] = {}
        condition = _without(search.condition, values)
        if condition is None:
            return None
        build = self._of(EntitySearch(condition=condition))
        start = self._habits.best(build.starts)
        if start is None:
            return None
        sql, places = build.statement(start)
        values[_LIMIT] = -1 if search.limit is None else search.limit
        values[_OFFSET] = search.offset
        parameters = {name: values.get(held, held) for name, held in places}
        parameters["now"] = now_us
        return sql, parameters

    def _of(self, search: EntitySearch) -> _Build:
        found = self._kept.get(search)
        if found is None:
            plan = Plan(_Nothing(), 0)
            where = plan.where(search)
            found = _Build(plan, where, plan.starts(search))
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[search] = found
        return found


def _without(condition: Condition, values: dict[Scalar, Scalar]) -> Condition | None:
    """The condition with stand-ins for its values, which go to `values` by their stand-ins.

    None: its SQL depends on more than the kinds of its values.
    """
    match condition:
        case AllOf(parts) | AnyOf(parts):
            inner = [_without(part, values) for part in parts]
            kept = tuple(part for part in inner if part is not None)
            return type(condition)(kept) if len(kept) == len(parts) else None
        case Compare(target, comparison, value):
            [one] = _stand_ins([value], values)
            return None if one is None else Compare(target, comparison, one)
        case Between(target, low, high, is_negated):
            first, last = _stand_ins([low, high], values)
            if first is None or last is None:
                return None
            return Between(target, first, last, is_negated)
        case OneOf(target, several, is_negated):
            found = [one for one in _stand_ins(several, values) if one is not None]
            return OneOf(target, tuple(found), is_negated) if len(found) == len(several) else None
        case Exists() | Absent() | HasType():
            return condition
    return None


def _stand_ins(given: Sequence[Scalar], values: dict[Scalar, Scalar]) -> list[Scalar | None]:
    """One for each value, of its kind; None where the SQL depends on the value itself."""
    found: list[Scalar | None] = []
    for value in given:
        one: Scalar | None = None
        if type(value) is float:
            one = 1e300 + len(values) * 1e290
        elif isinstance(value, str):
            # No text of a filter and no name holds a NUL.
            one = f"\0{len(values)}:" if meets_terms(value) else f"\0{len(values)}"
            one = Term(one) if isinstance(value, Term) else one
        if one is not None:
            values[one] = str(value) if isinstance(value, str) else value
        found.append(one)
    return found


def guessed_sql(plan: Plan, start: Range, where: str, limit: int | None, offset: int) -> str:
    """The page when it starts from this range, and last of all how long the range is."""
    source, most = gathered(start.ids), LEVELS[0]
    sql = (
        f"SELECT e.uri, 0 FROM {source.sql} WHERE {where} AND {start.count(most + 1)} <= {most} "
        f"{plan.compiler.page(limit, offset)}"
    )
    return f"SELECT * FROM ({sql}) UNION ALL SELECT '', {start.count(most + 1)}"


def read_guessed(
    fetcher: Fetcher, sql: str, several: Sequence[Mapping[str, object]]
) -> list[list[str] | None]:
    """Ids of the page by each of the parameters; None where the range is not short."""
    pages: list[list[str] | None] = []
    page: list[str] = []
    for uri, length in fetcher.rows_of_each(sql, several):
        if uri:
            page.append(uri)
        else:
            pages.append(page if length <= LEVELS[0] else None)
            page = []
    return pages
