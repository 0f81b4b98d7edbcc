"""What SQLite cannot decide itself: patterns (RE2) and geometries, on whole columns.

Such a condition is turned into the set of attribute rows that satisfy it before the search runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.condition import AllOf, AnyOf, Condition, Geo, Matches, Target
from dothi.model.row import Kind
from dothi.storage.relational.entity_query_geo import geo_test
from dothi.storage.relational.entity_query_values import LIVE_ATTRIBUTE, TEXT_MEMBERS, place_of

Fetch = Callable[[str, dict[str, object]], Sequence[Any]]
"""Runs SQL with named parameters and gives its rows."""


@dataclass(frozen=True, slots=True)
class InRows:
    """Stands for a condition whose rows are known: ids of table attribute, as a JSON array."""

    target: Target
    ids: str
    is_negated: bool = False


Decidable = Condition | InRows


def decide(condition: Condition, fetch: Fetch) -> Any:
    """The condition with every Matches and Geo replaced by InRows."""
    match condition:
        case AllOf(parts):
            return AllOf(tuple(decide(part, fetch) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(decide(part, fetch) for part in parts))
        case Matches():
            return InRows(condition.target, _matching(condition, fetch), condition.is_negated)
        case Geo():
            return InRows(Target(condition.attribute), _in_relation(condition, fetch))
    return condition


def match_pattern(pattern: str, rows: Sequence[Any]) -> str:
    """Ids of the (id, text) rows whose text holds a match, as a JSON array.

    RE2 takes time linear in the text, whatever the pattern.
    """
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    texts = pa.array([row[1] for row in rows], pa.string())
    found = pc.match_substring_regex(texts, pattern=pattern).fill_null(False)
    return _json(ids[found.to_numpy(zero_copy_only=False)])


def _matching(test: Matches, fetch: Fetch) -> str:
    target = test.target
    where = f"FROM attribute a {{source}} WHERE a.name = :name AND {LIVE_ATTRIBUTE} AND {{more}}"
    name: dict[str, object] = {"name": target.attribute}
    member = TEXT_MEMBERS.get(target.sub[0]) if len(target.sub) == 1 else None
    if member is not None and not target.inside:
        sql = f"SELECT a.id, {member} " + where.format(source="", more=f"{member} IS NOT NULL")
        return match_pattern(test.pattern, fetch(sql, name))
    place = place_of(target)
    rows: list[Any] = []
    if place.columns:
        sql = "SELECT a.id, a.text " + where.format(source="", more="a.text IS NOT NULL")
        rows += fetch(sql, name)
    walk = "json_tree" if place.is_deep else "json_each"
    sql = "SELECT a.id, j.atom " + where.format(
        source=f"CROSS JOIN {walk}(a.body, :path) j",
        more="a.body IS NOT NULL AND j.type = 'text'",
    )
    for path in place.paths:
        rows += fetch(sql, {**name, "path": path})
    return match_pattern(test.pattern, rows)


def _in_relation(geo: Geo, fetch: Fetch) -> str:
    test = geo_test(geo)
    sql = (
        "SELECT a.id, a.body FROM attribute a JOIN entity e ON e.id = a.entity_id "
        f"WHERE a.name = :name AND a.kind = {int(Kind.GEO_PROPERTY)} AND a.body IS NOT NULL "
        f"AND {LIVE_ATTRIBUTE}"
    )
    parameters: dict[str, object] = {"name": geo.attribute}
    if test.bounds is not None and geo.attribute == "location":
        sql += (
            " AND e.min_lon <= :east AND e.max_lon >= :west"
            " AND e.min_lat <= :north AND e.max_lat >= :south"
        )
        names = ("west", "south", "east", "north")
        parameters |= {n: float(edge) for n, edge in zip(names, test.bounds, strict=True)}
    rows = fetch(sql, parameters)
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    return _json(ids[test.holds([row[1] for row in rows])])


def _json(ids: np.ndarray[Any, np.dtype[np.int64]]) -> str:
    return msgspec.json.encode(ids.tolist()).decode()
