"""What SQLite cannot decide itself: patterns (RE2), geometries, scopes with wildcards, on columns.

Such a condition is turned into the set of rows that satisfy it before the search runs.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.condition import (
    AllOf,
    AnyOf,
    Condition,
    Geo,
    HasScope,
    IdMatches,
    Linked,
    Matches,
    Target,
)
from dothi.model.row import Kind
from dothi.pipeline.geo_relations import geo_test
from dothi.pipeline.matching import scope_matches
from dothi.storage.relational.entity_query_values import (
    LIVE_ATTRIBUTE,
    RELATIONSHIPS,
    TEXT_MEMBERS,
    place_of,
)

Fetch = Callable[[str, dict[str, object]], Sequence[Any]]
"""Runs SQL with named parameters and gives its rows."""
Ids = npt.NDArray[np.int64]

_SCOPES = """
WITH RECURSIVE d (scope) AS (
    SELECT min(scope) FROM entity WHERE scope <> '[]'
    UNION ALL SELECT (SELECT min(e.scope) FROM entity e WHERE e.scope <> '[]' AND e.scope > d.scope)
    FROM d WHERE d.scope IS NOT NULL)
SELECT scope FROM d WHERE scope IS NOT NULL
"""
"""Distinct values, one step in the index each."""
_LITERAL = re.compile(r"\^((?:[A-Za-z0-9:/_#%~@,-]|\\\.)+)(?![*?{])")


@dataclass(frozen=True, slots=True)
class InRows:
    """Stands for a condition whose rows are known: ids of table attribute, as a JSON array."""

    attribute: str
    ids: str


@dataclass(frozen=True, slots=True)
class InEntities:
    """Stands for a condition whose entities are known: ids of table entity, as a JSON array."""

    ids: str


@dataclass(frozen=True, slots=True)
class InScopes:
    """Stands for a condition on scopes: values of the column, as a JSON array."""

    scopes: str


Decidable = Condition | InRows | InEntities | InScopes


def decide(condition: Condition, fetch: Fetch, within: str = "") -> Any:
    """The condition with everything that SQL cannot decide replaced by what is known of it.

    `within`: SQL that gives the ids of the only entities that matter; empty: all.
    """
    match condition:
        case AllOf(parts):
            return AllOf(tuple(decide(part, fetch, within) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(decide(part, fetch, within) for part in parts))
        case Linked():
            return replace(condition, condition=decide(condition.condition, fetch))
        case Matches():
            return InRows(condition.target.attribute, _matching(condition, fetch, within))
        case Geo():
            return InRows(condition.attribute, _in_relation(condition, fetch, within))
        case IdMatches(pattern):
            return InEntities(_with_id(pattern, fetch, within))
        case HasScope():
            found = [s for (s,) in fetch(_SCOPES, {}) if _some_scope(s, condition)]
            return InScopes(msgspec.json.encode(found).decode())
    return condition


def needs_decision(condition: Condition) -> bool:
    """Whether `decide` would look at rows for it."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return any(needs_decision(part) for part in parts)
        case Linked():
            return needs_decision(condition.condition)
    return isinstance(condition, Matches | Geo | IdMatches | HasScope)


def match_pattern(pattern: str, rows: Sequence[Any]) -> Ids:
    """Ids of the (id, text) rows whose text holds a match.

    RE2 takes time linear in the text, whatever the pattern.
    """
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    texts = pa.array([row[1] for row in rows], pa.string())
    found = pc.match_substring_regex(texts, pattern=pattern).fill_null(False)
    matching: Ids = ids[found.to_numpy(zero_copy_only=False)]
    return matching


def literal_start(pattern: str) -> str:
    """What every match of an anchored pattern begins with; empty when that is not plain."""
    found = _LITERAL.match(pattern)
    return found[1].replace("\\.", ".") if found and "|" not in pattern else ""


def as_json(ids: Ids) -> str:
    return msgspec.json.encode(ids.tolist()).decode()


def _some_scope(scopes: str, wanted: HasScope) -> bool:
    return any(scope_matches(scope, wanted) for scope in msgspec.json.decode(scopes))


def _with_id(pattern: str, fetch: Fetch, within: str) -> str:
    sql = "SELECT e.id, e.uri FROM entity e WHERE e.deleted_us IS NULL"
    parameters: dict[str, object] = {}
    start = literal_start(pattern)
    if start:
        sql += " AND e.uri >= :start AND e.uri < :stop"
        parameters = {"start": start, "stop": start[:-1] + chr(ord(start[-1]) + 1)}
    if within:
        sql += f" AND e.id IN ({within})"
    return as_json(match_pattern(pattern, fetch(sql, parameters)))


def _matching(test: Matches, fetch: Fetch, within: str) -> str:
    """Rows with a text there that holds a match, or, negated, with texts that hold none."""
    rows = _texts(test.target, fetch, within)
    found = match_pattern(test.pattern, rows)
    if not test.is_negated:
        return as_json(found)
    return as_json(np.setdiff1d(np.array([row[0] for row in rows], dtype=np.int64), found))


def _texts(target: Target, fetch: Fetch, within: str) -> list[Any]:
    """(id, text) of the rows that have a text at the target; what has no order counts not."""
    inside = f" AND a.entity_id IN ({within})" if within else ""
    where = (
        f"FROM attribute a {{source}} WHERE a.name = :name AND {LIVE_ATTRIBUTE}{inside} "
        "AND {more}"
    )
    name: dict[str, object] = {"name": target.attribute}
    member = TEXT_MEMBERS.get(target.sub[0]) if len(target.sub) == 1 else None
    if member is not None and not target.inside:
        sql = f"SELECT a.id, {member} " + where.format(source="", more=f"{member} IS NOT NULL")
        return list(fetch(sql, name))
    place = place_of(target, is_ordered=True)
    rows: list[Any] = []
    if place.columns:
        more = f"a.text IS NOT NULL AND a.kind NOT IN {RELATIONSHIPS}"
        rows += fetch("SELECT a.id, a.text " + where.format(source="", more=more), name)
    for walk, paths in (("json_each", place.paths), ("json_tree", place.deep_paths)):
        sql = "SELECT a.id, j.atom " + where.format(
            source=f"CROSS JOIN {walk}(a.body, :path) j",
            more="a.body IS NOT NULL AND j.type = 'text'"
            + (" AND json_type(a.body, :path) <> 'object'" if walk == "json_each" else ""),
        )
        for path in paths:
            rows += fetch(sql, {**name, "path": path})
    return rows


def _in_relation(geo: Geo, fetch: Fetch, within: str) -> str:
    test = geo_test(geo)
    sql = (
        "SELECT a.id, a.body FROM attribute a JOIN entity e ON e.id = a.entity_id "
        f"WHERE a.name = :name AND a.kind = {int(Kind.GEO_PROPERTY)} AND a.body IS NOT NULL "
        f"AND {LIVE_ATTRIBUTE}"
    )
    if within:
        sql += f" AND a.entity_id IN ({within})"
    parameters: dict[str, object] = {"name": geo.attribute}
    if test.bounds is not None and geo.attribute == "location":
        # Bounds are those of the leading instance; further ones are looked at one by one.
        sql += (
            " AND (a.dataset <> '' OR (e.min_lon <= :east AND e.max_lon >= :west"
            " AND e.min_lat <= :north AND e.max_lat >= :south))"
        )
        names = ("west", "south", "east", "north")
        parameters |= {n: float(edge) for n, edge in zip(names, test.bounds, strict=True)}
    rows = fetch(sql, parameters)
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    return as_json(ids[test.holds([row[1] for row in rows])])
