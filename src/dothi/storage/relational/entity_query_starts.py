"""Where a search may start: ranges of an index that hold every match, and how long they are.

A range may hold more than the matches; the search tests what it finds there. Which of several
ranges is taken is decided by counting, no further than needed: the cost follows the shortest one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import inf

from msgspec import Struct

from dothi.model.condition import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Exists,
    HasId,
    HasType,
    Linked,
    Matches,
    OneOf,
    Target,
)
from dothi.storage.relational.entity_query_rows import Decidable, InEntities, InRows, InScopes
from dothi.storage.relational.entity_query_sql import ENTITY_TIMES, Compiler, json_of
from dothi.storage.relational.entity_query_values import (
    ValueTest,
    column_test,
    has_column,
)

_MAX_TERMS = 400
"""Of a union; SQLite takes 500."""
_STRUCTURED = (
    "attribute a INDEXED BY ix_attribute_name_structured WHERE a.name = {} "
    "AND a.body IS NOT NULL AND a.number IS NULL AND a.text IS NULL"
)
_FURTHER = "attribute a INDEXED BY ix_attribute_name_further WHERE a.name = {} AND a.dataset <> ''"
_IN_BODY = "attribute a INDEXED BY ix_attribute_name_body WHERE a.name = {} AND a.body IS NOT NULL"
_NUMBERS = (
    "attribute a INDEXED BY ix_attribute_name_number WHERE a.name = {} AND a.number IS NOT NULL"
)
_TEXTS = "attribute a INDEXED BY ix_attribute_name_text WHERE a.name = {} AND a.text IS NOT NULL"


class Range(Struct, frozen=True):
    """The union of (column with the id of the entity, what stands after FROM)."""

    parts: tuple[tuple[str, str], ...]

    @property
    def ids(self) -> str:
        """SQL of the ids, some of them more than once."""
        return " UNION ALL ".join(
            f"SELECT {id_} AS entity_id FROM {rest}" for id_, rest in self.parts
        )

    def count(self, most: int) -> str:
        """SQL of the number of rows, `most` at most; the tables themselves are not read."""
        rows = " UNION ALL ".join(f"SELECT 1 FROM {rest}" for _, rest in self.parts)
        return f"(SELECT count(*) FROM ({rows} LIMIT {most}))"


class Together(Struct, frozen=True):
    """Holds every match only with all of its members: the branches of an OR."""

    branches: tuple[tuple["Start", ...], ...]


Start = Range | Together
Counts = Mapping[Range, float]


def starts(condition: Decidable, compiler: Compiler) -> tuple[Start, ...]:
    """Each one alone holds every match; none: no index helps."""
    match condition:
        case AllOf(parts):
            both = [_both_ends(test, compiler) for test in _on_one_attribute(parts)]
            return (*both, *(s for part in parts for s in starts(part, compiler)))
        case AnyOf(parts):
            branches = tuple(starts(part, compiler) for part in parts)
            return (Together(branches),) if branches and all(branches) else ()
        case Compare() | OneOf() | Between() | Exists() | Matches():
            return _of_value(condition, compiler)
        case Linked(relationship):
            return (_present(relationship, compiler),)
        case InRows(_, ids):
            return (_one("a.entity_id", f"attribute a WHERE a.id IN {compiler.known(ids)}"),)
    return _of_entity(condition, compiler)


def of_any(names: Iterable[str], compiler: Compiler) -> Together:
    """Where the entities are that have one of the attributes."""
    return Together(tuple((_present(name, compiler),) for name in names))


def ranges(found: Iterable[Start]) -> list[Range]:
    """Everything that has to be counted, once each."""
    leaves: dict[Range, None] = {}
    for start in found:
        if isinstance(start, Range):
            leaves[start] = None
        else:
            leaves |= dict.fromkeys(leaf for branch in start.branches for leaf in ranges(branch))
    return list(leaves)


def narrowest(found: Iterable[Start], counts: Counts) -> list[tuple[float, Range]]:
    """The starts by their number of rows, fewest first; those that are too long are left out."""
    counted: list[tuple[float, Range]] = []
    for start in found:
        if isinstance(start, Range):
            counted.append((counts[start], start))
            continue
        best = [narrowest(branch, counts)[:1] for branch in start.branches]
        if all(best):
            parts = dict.fromkeys(part for ((_, range_),) in best for part in range_.parts)
            if len(parts) <= _MAX_TERMS:
                counted.append((sum(rows for ((rows, _),) in best), Range(tuple(parts))))
    return sorted((one for one in counted if one[0] < inf), key=lambda one: one[0])


def _one(id_: str, rest: str) -> Range:
    return Range(((id_, rest),))


def _of_entity(condition: Decidable, compiler: Compiler) -> tuple[Start, ...]:
    match condition:
        case HasType(name):
            return (_one("entity_id", f"entity_type WHERE type = {compiler.bind(name)}"),)
        case HasId(ids):
            return (_one("id", f"entity WHERE uri IN {compiler.known(json_of(ids))}"),)
        case InEntities(ids):
            return (_one("value", f"json_each({compiler.bind(ids)})"),)
        case InScopes(scopes):
            known = compiler.known(scopes)
            return (_one("id", f"entity WHERE scope <> '[]' AND scope IN {known}"),)
    return ()


def _of_value(test: ValueTest | Matches, compiler: Compiler) -> tuple[Start, ...]:
    target = test.target
    if target.attribute in ENTITY_TIMES and not target.sub and not target.inside:
        return ()
    name = compiler.bind(target.attribute)
    if not has_column(target):
        # A sub-attribute or a place inside a value: only a body holds it.
        return (_one("a.entity_id", _IN_BODY.format(name)),)
    in_columns = None if isinstance(test, Matches) else column_test(test, compiler.bind)
    if in_columns is None:
        return (_present(target.attribute, compiler),)
    return (_of_columns(name, [in_columns]),)


def _both_ends(tests: list[Compare], compiler: Compiler) -> Range:
    """One range for several comparisons of one attribute.

    Instances of one entity may satisfy one each, so entities with further ones are in it too.
    """
    name = compiler.bind(tests[0].target.attribute)
    ends = [column_test(test, compiler.bind) or "1" for test in tests]
    found = _of_columns(name, ends)
    return Range((*found.parts, ("a.entity_id", _FURTHER.format(name))))


def _of_columns(name: str, tests: list[str]) -> Range:
    in_columns = f"attribute a WHERE a.name = {name} AND {' AND '.join(tests)}"
    return Range((("a.entity_id", in_columns), ("a.entity_id", _STRUCTURED.format(name))))


def _present(attribute: str, compiler: Compiler) -> Range:
    """Entities with a value of the attribute."""
    name = compiler.bind(attribute)
    kinds = (_NUMBERS, _TEXTS, _STRUCTURED)
    return Range(tuple(("a.entity_id", one.format(name)) for one in kinds))


def _on_one_attribute(parts: Iterable[Decidable]) -> list[list[Compare]]:
    """Comparisons that columns answer, of those attributes that several are of.

    Numbers and texts never come together: a row holds one of them.
    """
    found: defaultdict[tuple[Target, bool], list[Compare]] = defaultdict(list)
    for part in parts:
        if isinstance(part, Compare) and column_test(part, str) is not None:
            found[part.target, isinstance(part.value, str)].append(part)
    return [tests for tests in found.values() if len(tests) > 1]
