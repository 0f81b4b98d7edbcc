"""ports.evolution on SQLite: entities and series that are or were, from the tables of names."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from dothi.model.condition import AllOf, AnyOf, Condition, HasType
from dothi.model.row import Kind
from dothi.ports.evolution import EntitySelector, EvolutionHead, EvolutionSearch, PastSeries
from dothi.storage.relational.entity_query_fetch import fetcher
from dothi.storage.relational.instance_match import InstanceMatch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORGOTTEN_AT = (
    "(SELECT max(f.forgotten_us) FROM forgotten f WHERE f.entity_id = e.id AND f.attribute_id = 0)"
)
_IS_RECORDED = f"""
EXISTS (SELECT 1 FROM evolution_type v WHERE v.entity_id = e.id) OR (e.deleted_us IS NULL AND (
    {_FORGOTTEN_AT} IS NULL OR EXISTS (SELECT 1 FROM attribute n WHERE n.entity_id = e.id
    AND n.deleted_us IS NULL AND n.modified_us > {_FORGOTTEN_AT})))
"""
# The head is made once of an entity, not once for each of its series: that would look at all of
# its attributes as many times as there are.
_LOAD = f"""
WITH h AS MATERIALIZED (
    SELECT w.id AS place, e.id AS id, json_array(e.uri, json(e.types), (SELECT
        json_group_array(v.type) FROM evolution_type v WHERE v.entity_id = e.id), e.created_us,
        max(e.modified_us, coalesce((SELECT max(m.modified_us) FROM attribute m
        WHERE m.entity_id = e.id AND m.quality IS NOT NULL), 0)), e.deleted_us, {_IS_RECORDED})
        AS head
    FROM json_each(:ids) w CROSS JOIN entity e ON e.uri = w.value
)
SELECT h.head, CASE WHEN a.id IS NOT NULL THEN json_array(a.name, a.dataset, a.kind) END AS series
FROM h LEFT JOIN attribute a ON a.entity_id = h.id {{names}}
ORDER BY h.place, a.name, a.dataset
"""
_OF_NAMES = "AND a.name IN (SELECT value FROM json_each(:names))"
_MOVED = """
SELECT DISTINCT f.moved_us FROM entity e JOIN attribute a ON a.entity_id = e.id
JOIN forgotten f ON f.attribute_id = a.id
WHERE e.uri = :entity AND a.name = :name AND f.stood_us = :at AND f.moved_us IS NOT NULL
"""


class SqliteEvolutions:
    """Any thread; connections come from the engine's pool."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._match = InstanceMatch()

    def find(self, search: EvolutionSearch, after: str = "", limit: int | None = None) -> list[str]:
        """See ports.evolution.Evolutions."""
        parameters: dict[str, object] = {"after": after}
        terms = _terms(search, parameters)
        column = "e.uri" if search.order else "e.id"
        if after:
            comparison = "<" if search.order == "desc" else ">"
            place = ":after" if search.order else "(SELECT id FROM entity WHERE uri = :after)"
            terms.append(f"{column} {comparison} {place}")
        direction = " DESC" if search.order == "desc" else ""
        where = " AND ".join(terms) or "1"
        sql = f"SELECT e.uri FROM entity e WHERE {where} ORDER BY {column}{direction}"
        has_patterns = any(selector.id_pattern for selector in search.selectors)
        if limit is not None and not has_patterns:
            sql += f" LIMIT {int(limit)}"
        with fetcher(self._engine) as connection:
            ids = [row[0] for row in connection.rows(sql, parameters)]
        if has_patterns:
            ids = self._of_patterns(ids, search.selectors)
        return ids[:limit]

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[EvolutionHead]:
        """See ports.evolution.Evolutions."""
        if not ids:
            return []
        parameters: dict[str, object] = {"ids": _json(list(dict.fromkeys(ids)))}
        if names:
            parameters["names"] = _json(names)
        sql = _LOAD.format(names=_OF_NAMES if names else "")
        with fetcher(self._engine) as connection:
            rows = connection.rows(sql, parameters)
        return [_head(head, list(group)) for head, group in groupby(rows, key=lambda row: row[0])]

    def moved(self, series: tuple[str, str], at: datetime) -> list[datetime]:
        """See ports.evolution.Evolutions."""
        parameters: dict[str, object] = {"entity": series[0], "name": series[1]}
        parameters["at"] = (at - _EPOCH) // timedelta(microseconds=1)
        with fetcher(self._engine) as connection:
            rows = connection.rows(_MOVED, parameters)
        return [_at(row[0]) for row in rows]

    def matching(
        self, condition: Condition, heads: Sequence[EvolutionHead], rows: pa.Table
    ) -> set[str]:
        """See ports.evolution.Evolutions."""
        return self._match.matching(condition, heads, rows)

    def _of_patterns(self, ids: list[str], selectors: Sequence[EntitySelector]) -> list[str]:
        """Those that some selector picks by its pattern and its other parts."""
        heads = {head.id: head for head in self.load(ids, ("",))}
        texts = pa.array(ids, pa.string())
        keep = np.zeros(len(ids), np.bool_)
        for selector in selectors:
            holds = np.array([_picks(selector, heads[uri]) for uri in ids], np.bool_)
            if selector.id_pattern:
                found = pc.match_substring_regex(texts, pattern=selector.id_pattern)
                holds &= found.to_numpy(zero_copy_only=False)
            keep |= holds
        return [uri for uri, is_kept in zip(ids, keep.tolist(), strict=True) if is_kept]


def _terms(search: EvolutionSearch, parameters: dict[str, object]) -> list[str]:
    terms = []
    if search.selectors:
        any_of = [_selector(selector, parameters) for selector in search.selectors]
        terms.append(f"({' OR '.join(any_of)})")
    if search.attributes:
        names = _bind(_json(search.attributes), parameters)
        terms.append(
            "EXISTS (SELECT 1 FROM attribute a WHERE a.entity_id = e.id AND "
            f"a.name IN (SELECT value FROM json_each({names})))"
        )
    return terms


def _selector(selector: EntitySelector, parameters: dict[str, object]) -> str:
    """SQL that is true for the entities that ids and types pick."""
    terms = []
    if selector.ids:
        ids = _bind(_json(selector.ids), parameters)
        terms.append(f"e.uri IN (SELECT value FROM json_each({ids}))")
    if selector.types is not None:
        names = _bind(_json(sorted(set(_type_names(selector.types)))), parameters)
        listed = f"type IN (SELECT value FROM json_each({names}))"
        terms.append(
            f"e.id IN (SELECT entity_id FROM entity_type WHERE {listed} "
            f"UNION SELECT entity_id FROM evolution_type WHERE {listed})"
        )
        terms.append(_types(selector.types, parameters))
    return f"({' AND '.join(terms) or '1'})"


def _types(condition: Condition, parameters: dict[str, object]) -> str:
    match condition:
        case HasType(name):
            of = f"WHERE t.type = {_bind(name, parameters)} AND t.entity_id = e.id"
            return (
                f"(EXISTS (SELECT 1 FROM entity_type t {of}) "
                f"OR EXISTS (SELECT 1 FROM evolution_type t {of}))"
            )
        case AllOf(parts):
            return "(" + " AND ".join(_types(part, parameters) for part in parts) + ")"
        case AnyOf(parts):
            return "(" + " OR ".join(_types(part, parameters) for part in parts) + ")"
    raise TypeError(f"{condition!r} is no selection of types")


def _type_names(condition: Condition) -> Iterator[str]:
    if isinstance(condition, HasType):
        yield condition.type
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from _type_names(part)


def _picks(selector: EntitySelector, head: EvolutionHead) -> bool:
    if selector.ids and head.id not in selector.ids:
        return False
    return selector.types is None or _has_types(head.types, selector.types)


def _has_types(types: Sequence[str], condition: Condition) -> bool:
    if isinstance(condition, AllOf):
        return all(_has_types(types, part) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return any(_has_types(types, part) for part in condition.parts)
    return isinstance(condition, HasType) and condition.type in types


def _bind(value: object, parameters: dict[str, object]) -> str:
    name = f"p{len(parameters)}"
    parameters[name] = value
    return f":{name}"


def _head(head: str, rows: list[Any]) -> EvolutionHead:
    uri, types, past, created_us, modified_us, deleted_us, recorded = msgspec.json.decode(head)
    series = (msgspec.json.decode(text) for _, text in rows if text is not None)
    return EvolutionHead(
        uri,
        tuple(dict.fromkeys((*types, *past))),
        _at(created_us),
        _at(modified_us),
        None if deleted_us is None else _at(deleted_us),
        bool(recorded),
        tuple(PastSeries(name, dataset, Kind(kind)) for name, dataset, kind in series),
    )


def _at(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _json(values: Sequence[str]) -> str:
    return msgspec.json.encode(list(values)).decode()
