"""From a search to SQL: the condition made decidable, the narrowest index to start from."""

from collections.abc import Sequence
from math import inf
from typing import Any

from msgspec import Struct, field

from dothi.model.condition import (
    AllOf,
    Condition,
    HasType,
)
from dothi.ports.entity_query import EntitySearch
from dothi.storage.relational.entity_query_fetch import Fetching, WithParameters
from dothi.storage.relational.entity_query_habits import Habits
from dothi.storage.relational.entity_query_rows import (
    Decidable,
    as_json,
    decide,
    literal_start,
    match_pattern,
    needs_decision,
)
from dothi.storage.relational.entity_query_sql import (
    LIVE_ENTITY,
    VALUED_ATTRIBUTE,
    Compiler,
    json_of,
)
from dothi.storage.relational.entity_query_starts import (
    Range,
    Start,
    narrowest,
    of_any,
    ranges,
    starts,
)

_SELECTIVE = 100
"""A start that gives at most so many rows needs no help of another one."""
LEVELS = (64, 2_000)
"""Rows are counted no further than needed. Patterns and geometries look at up to so many entities
one by one rather than at all."""
_BROAD = 20_000
"""A start that gives more is not worth gathering: entities are read in order instead."""
_SPARSE = 8
"""Nor is one that gives more than this part of all entities: a page is soon full then."""
_WORTHWHILE = 8
"""To look a value up costs so many times as much as to read on in an index."""


class Source(Struct, frozen=True):
    """FROM clause, the column with the entity's id, and what to order by."""

    sql: str
    id_column: str
    order_by: str
    """Empty: the rows come in the order of the ids."""


class Plan(Struct):
    """A search on its way to SQL."""

    fetch: Fetching
    now_us: int
    habits: Habits = field(default_factory=Habits)
    compiler: Compiler = field(default_factory=Compiler)
    condition: Decidable | None = None

    def __post_init__(self) -> None:
        self.compiler.parameters["now"] = self.now_us

    def where(self, search: EntitySearch) -> str:
        """SQL that is true for the entities `e` of the search; decides its condition."""
        terms = [LIVE_ENTITY]
        compiler = self.compiler
        if search.ids:
            terms.append(f"e.uri IN {compiler.known(json_of(search.ids))}")
        if search.attributes:
            terms.append(
                "EXISTS (SELECT 1 FROM attribute a WHERE a.entity_id = e.id AND "
                f"a.name IN {compiler.known(json_of(search.attributes))} AND {VALUED_ATTRIBUTE})"
            )
        if search.condition is not None:
            self.condition = self._decided(search.condition)
            terms.append(compiler.predicate(self.condition))
        if search.id_pattern:
            terms += self._of_pattern(search, terms)
        return " AND ".join(terms)

    def source(self, search: EntitySearch) -> Source:
        """Where the search starts; `where` was called before."""
        if search.ids:
            return Source("entity e", "e.id", "e.id")
        gathering = self.gathering(search)
        if gathering:
            return gathered(gathering)
        only_type = "" if self.condition is None else required_type(self.condition)
        if only_type:
            # The index on (type, entity_id) gives entities in order, so a page stops early.
            wanted = self.compiler.bind(only_type)
            joined = "entity_type s CROSS JOIN entity e ON e.id = s.entity_id"
            return Source(f"{joined} AND s.type = {wanted}", "s.entity_id", "s.entity_id")
        return Source("entity e", "e.id", "e.id")

    def walk(self, search: EntitySearch) -> tuple[Source, str] | None:
        """Matches in the narrowest table, and their condition, for who only counts them; None:
        there is none but that of the page."""
        if search.ids or search.attributes or search.id_pattern:
            return None
        if not isinstance(self.condition, HasType):
            return None
        # Deleted entities have no types; expired ones have them until they are deleted.
        where = (
            f"s.type = {self.compiler.bind(self.condition.type)} AND s.entity_id NOT IN "
            "(SELECT e.id FROM entity e INDEXED BY ix_entity_expiring WHERE e.expires_us <= :now)"
        )
        return Source("entity_type s", "s.entity_id", "s.entity_id"), where

    def gathering(self, search: EntitySearch) -> str:
        """SQL of the fewest entity ids that hold all matches; empty: they are not few."""
        found = self.starts(search)
        counted = self._shortest(found, LEVELS)
        if not counted and found:
            counted = self._shortest(found, [self._most()])
        if not counted:
            return ""
        rows, best = counted[0]
        self.habits.learn(found, best if rows <= LEVELS[0] and best in found else None)
        if rows <= _SELECTIVE or len(counted) < 2 or counted[1][0] > rows * _WORTHWHILE:
            return best.ids
        other = counted[1][1]
        return f"SELECT entity_id FROM ({best.ids}) INTERSECT SELECT entity_id FROM ({other.ids})"

    def guess(self, search: EntitySearch) -> Range | None:
        """A range that is worth a try before any is counted; `where` was called before."""
        return None if search.ids else self.habits.best(self.starts(search))

    def starts(self, search: EntitySearch) -> tuple[Start, ...]:
        """Each of them holds every match; `where` was called before."""
        found = () if self.condition is None else starts(self.condition, self.compiler)
        if search.attributes:
            return (*found, of_any(search.attributes, self.compiler))
        # The entities of a type need no gathering: their index has them in order.
        return () if isinstance(self.condition, HasType) else found

    def _shortest(self, found: Sequence[Start], levels: Sequence[int]) -> list[tuple[float, Range]]:
        """The starts with no more rows than the first level that some reach, shortest first."""
        leaves = ranges(found)
        counted: list[tuple[float, Range]] = []
        for level in levels if leaves else ():
            sql = ", ".join(leaf.count(level + 1) for leaf in leaves)
            found_rows = self.fetch.rows(f"SELECT {sql}", self.compiler.parameters, is_short=True)
            numbers = found_rows[0]
            exact = [n if n <= level else inf for n in map(int, numbers)]
            counted = narrowest(found, dict(zip(leaves, exact, strict=True)))
            if counted:
                break
        return counted

    def _most(self) -> int:
        """A range that holds every so many-th entity is not worth gathering."""
        newest = self.fetch.rows("SELECT coalesce(max(id), 0) FROM entity", {}, is_short=True)
        return min(max(int(newest[0][0]) // _SPARSE, LEVELS[-1]), _BROAD)

    def _decided(self, condition: Condition) -> Any:
        """As SQL can decide it; patterns and geometries look only at what other parts leave."""
        if not isinstance(condition, AllOf) or not needs_decision(condition):
            return decide(condition, self.fetch)
        others = tuple(part for part in condition.parts if not needs_decision(part))
        counted = self._shortest(starts(AllOf(others), self.compiler), LEVELS)
        if not counted:
            return decide(condition, self.fetch)
        sql = f"SELECT DISTINCT entity_id FROM ({counted[0][1].ids})"
        found = self.fetch.rows(sql, self.compiler.parameters)
        within = self.compiler.known(json_of([row[0] for row in found]))
        return decide(condition, WithParameters(self.fetch, self.compiler.parameters), within)

    def _of_pattern(self, search: EntitySearch, terms: list[str]) -> list[str]:
        """Terms for `id_pattern`, which looks only at the entities that the other terms leave."""
        compiler = self.compiler
        found = []
        start = literal_start(search.id_pattern)
        if start:
            stop = start[:-1] + chr(ord(start[-1]) + 1)
            found.append(f"e.uri >= {compiler.bind(start)} AND e.uri < {compiler.bind(stop)}")
        where = " AND ".join([*terms, *found])
        sql = f"SELECT e.id, e.uri FROM {self.source(search).sql} WHERE {where}"
        matching = match_pattern(search.id_pattern, self.fetch.table(sql, compiler.parameters))
        return [*found, f"e.id IN {compiler.known(as_json(matching))}"]


def gathered(ids: str) -> Source:
    """The entities of a query that gives their ids, some more than once."""
    # The limit keeps SQLite from dropping the order of the part.
    in_order = f"SELECT DISTINCT entity_id FROM ({ids}) ORDER BY entity_id LIMIT -1"
    return Source(f"({in_order}) c CROSS JOIN entity e ON e.id = c.entity_id", "c.entity_id", "")


def required_type(condition: Decidable) -> str:
    """A type that every match has; empty when there is none."""
    if isinstance(condition, HasType):
        return condition.type
    if isinstance(condition, AllOf):
        return next((t for part in condition.parts if (t := required_type(part))), "")
    return ""
