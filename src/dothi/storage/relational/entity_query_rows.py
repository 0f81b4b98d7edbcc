"""What SQLite cannot decide itself: patterns (RE2), geometries, scopes with wildcards, on columns.

Such a condition is turned into the set of rows that satisfy it before the search runs.
"""

import re
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

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
from dothi.storage.relational.entity_query_fetch import Fetching
from dothi.storage.relational.entity_query_values import (
    LIVE_ATTRIBUTE,
    RELATIONSHIPS,
    TEXT_MEMBERS,
    place_of,
)

Ids = npt.NDArray[np.int64]

_SCOPES = """
WITH RECURSIVE d (scope) AS (
    SELECT min(scope) FROM entity WHERE scope <> '[]'
    UNION ALL SELECT (SELECT min(e.scope) FROM entity e WHERE e.scope <> '[]' AND e.scope > d.scope)
    FROM d WHERE d.scope IS NOT NULL)
SELECT scope FROM d WHERE scope IS NOT NULL
"""
"""Distinct values, one step in the index each."""
_IN_BOX = """
entity e INDEXED BY ix_entity_box CROSS JOIN attribute a ON a.entity_id = e.id
WHERE e.min_lon IS NOT NULL AND e.min_lon <= :east AND e.max_lon >= :west
AND e.min_lat <= :north AND e.max_lat >= :south AND +a.name = :name
"""
_GEOMETRY = f"a.kind = {Kind.GEO_PROPERTY:d} AND a.body IS NOT NULL AND {LIVE_ATTRIBUTE}"
_LITERAL = re.compile(r"\^((?:[A-Za-z0-9:/_#%~@,-]|\\\.)+)(?![*?{])")


class InRows(Struct, frozen=True):
    """Stands for a condition whose rows are known: ids of table attribute, as a JSON array."""

    attribute: str
    ids: str


class InEntities(Struct, frozen=True):
    """Stands for a condition whose entities are known: ids of table entity, as a JSON array."""

    ids: str


class InScopes(Struct, frozen=True):
    """Stands for a condition on scopes: values of the column, as a JSON array."""

    scopes: str


Decidable = Condition | InRows | InEntities | InScopes


def decide(condition: Condition, fetch: Fetching, within: str = "") -> Any:
    """The condition with everything that SQL cannot decide replaced by what is known of it.

    `within`: SQL of a set that holds the ids of the only entities that matter; empty: all.
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
            found = [s for (s,) in fetch.rows(_SCOPES, {}) if _some_scope(s, condition)]
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


def match_pattern(pattern: str, found: pa.Table) -> Ids:
    """Ids of the rows (id, text) whose text holds a match.

    RE2 takes time linear in the text, whatever the pattern.
    """
    if not found.num_rows:
        return np.empty(0, np.int64)
    ids, texts = found.columns
    holds = pc.match_substring_regex(texts.cast(pa.string()), pattern=pattern).fill_null(False)
    matching: Ids = ids.filter(holds).to_numpy().astype(np.int64)
    return matching


def literal_start(pattern: str) -> str:
    """What every match of an anchored pattern begins with; empty when that is not plain."""
    found = _LITERAL.match(pattern)
    return found[1].replace("\\.", ".") if found and "|" not in pattern else ""


def as_json(ids: Ids) -> str:
    return msgspec.json.encode(ids.tolist()).decode()


def _some_scope(scopes: str, wanted: HasScope) -> bool:
    return any(scope_matches(scope, wanted) for scope in msgspec.json.decode(scopes))


def _with_id(pattern: str, fetch: Fetching, within: str) -> str:
    sql = "SELECT e.id, e.uri FROM entity e WHERE e.deleted_us IS NULL"
    parameters: dict[str, object] = {}
    start = literal_start(pattern)
    if start:
        sql += " AND e.uri >= :start AND e.uri < :stop"
        parameters = {"start": start, "stop": start[:-1] + chr(ord(start[-1]) + 1)}
    if within:
        sql += f" AND e.id IN {within}"
    return as_json(match_pattern(pattern, fetch.table(sql, parameters)))


def _matching(test: Matches, fetch: Fetching, within: str) -> str:
    """Rows with a text there that holds a match, or, negated, with texts that hold none."""
    parts = _texts(test.target, fetch, within)
    found = np.concatenate([match_pattern(test.pattern, part) for part in parts])
    if not test.is_negated:
        return as_json(found)
    present = [part.column(0).to_numpy().astype(np.int64) for part in parts if part.num_rows]
    return as_json(np.setdiff1d(np.concatenate([np.empty(0, np.int64), *present]), found))


def _texts(target: Target, fetch: Fetching, within: str) -> list[pa.Table]:
    """(id, text) of the rows that have a text at the target; what has no order counts not."""
    source = _attributes_of(within)
    where = f"WHERE {_named(within)} AND {LIVE_ATTRIBUTE} AND "
    name: dict[str, object] = {"name": target.attribute}
    member = TEXT_MEMBERS.get(target.sub[0]) if len(target.sub) == 1 else None
    if member is not None and not target.inside:
        sql = f"SELECT a.id, {member} FROM {source} {where}{member} IS NOT NULL"
        return [fetch.table(sql, name)]
    place = place_of(target, is_ordered=True)
    found: list[pa.Table] = []
    in_body = "a.body IS NOT NULL AND j.type = 'text'"
    if place.columns:
        # A value in a column is the whole value, so the body need not be looked at.
        in_body += " AND a.number IS NULL AND a.text IS NULL"
        more = f"a.text IS NOT NULL AND a.kind NOT IN {RELATIONSHIPS}"
        found.append(fetch.table(f"SELECT a.id, a.text FROM {source} {where}{more}", name))
    not_object = " AND json_type(a.body, :path) <> 'object'"
    for walk, paths, more in (
        ("json_each", place.paths, in_body + not_object),
        ("json_tree", place.deep_paths, in_body),
    ):
        joined = f"{source} CROSS JOIN {walk}(a.body, :path) j"
        sql = f"SELECT a.id, j.atom FROM {joined} {where}{more}"
        found += [fetch.table(sql, {**name, "path": path}) for path in paths]
    return found


def _attributes_of(within: str) -> str:
    """Table of attributes `a`; with a set of entities it is their index that is used."""
    if not within:
        return "attribute a"
    return f"{within} w CROSS JOIN attribute a ON a.entity_id = w.value"


def _named(within: str) -> str:
    """The plus keeps SQLite from an index by name, which would be read once per entity."""
    return "+a.name = :name" if within else "a.name = :name"


def _in_relation(geo: Geo, fetch: Fetching, within: str) -> str:
    test = geo_test(geo)
    parameters: dict[str, object] = {"name": geo.attribute}
    if test.bounds is None or geo.attribute != "location" or within:
        sources = [f"{_attributes_of(within)} WHERE {_named(within)}"]
    else:
        # Bounds are those of the leading instance; further ones are looked at one by one.
        sources = [_IN_BOX, "attribute a WHERE a.name = :name AND a.dataset <> ''"]
        names = ("west", "south", "east", "north")
        parameters |= {n: float(edge) for n, edge in zip(names, test.bounds, strict=True)}
    found: set[int] = set()
    for source in sources:
        rows = fetch.rows(f"SELECT a.id, a.body FROM {source} AND {_GEOMETRY}", parameters)
        ids = np.array([row[0] for row in rows], dtype=np.int64)
        found.update(ids[test.holds([row[1] for row in rows])].tolist())
    return msgspec.json.encode(sorted(found)).decode()
