"""Entities with their attributes, assembled from rows."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter

import msgspec

from dothi.model.row import Kind
from dothi.ports.entity_query import Keys, StoredAttribute, StoredEntity
from dothi.storage.relational.entity_query_fetch import Fetcher
from dothi.storage.relational.entity_query_sql import LIVE_ENTITY, json_of
from dothi.storage.relational.entity_query_values import LIVE_ATTRIBUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOAD = f"""
WITH h AS MATERIALIZED (
    SELECT e.id, json_array(e.id, e.uri, json(e.types), json(e.scope), e.created_us,
        max(e.modified_us, coalesce((SELECT max(m.modified_us) FROM attribute m
            WHERE m.entity_id = e.id), 0)), e.expires_us) AS head
    FROM json_each(:ids) w CROSS JOIN entity e ON e.uri = w.value WHERE {LIVE_ENTITY})
SELECT 0 AS entity, head AS held, 0.5 AS number FROM h
UNION ALL
SELECT h.id, json_array(a.name, a.dataset, a.kind, a.text, a.body, nullif(a.unit, ''),
    a.observed_us, a.created_us, a.modified_us), a.number
FROM h CROSS JOIN attribute a ON a.entity_id = h.id AND {LIVE_ATTRIBUTE}{{names}}
"""
"""First the entities, then their attributes. One JSON column instead of sixteen plain ones: each
Arrow column costs. JSON would round the number, so it stands alone."""
_KEYS = f"""
SELECT e.uri, (SELECT json_group_array(json_array(a.name, a.dataset)) FROM attribute a
    WHERE a.entity_id = e.id AND {LIVE_ATTRIBUTE})
FROM json_each(:ids) w CROSS JOIN entity e ON e.uri = w.value WHERE {LIVE_ENTITY}
"""
_OF_NAMES = " AND a.name IN (SELECT value FROM json_each(:names))"
_Head = tuple[int, str, tuple[str, ...], tuple[str, ...], int, int, int | None]
_Row = tuple[str, str, Kind, str | None, str | None, str | None, int | None, int, int]
_HEADS = msgspec.json.Decoder(list[_Head])
_NAME = attrgetter("name", "dataset")
_KEY_LISTS = msgspec.json.Decoder(list[Keys])
_ROWS = msgspec.json.Decoder(list[_Row])


def load_entities(
    source_of_rows: Fetcher, now_us: int, ids: Sequence[str], names: Sequence[str]
) -> list[StoredEntity]:
    """The entities that exist, in the order of `ids`; `names`: only these attributes."""
    wanted = list(dict.fromkeys(ids))
    parameters: dict[str, object] = {"ids": json_of(wanted), "now": now_us}
    if names:
        parameters["names"] = json_of(names)
    sql = _LOAD.format(names=_OF_NAMES if names else "")
    # An id, a text and a number in the first row: the driver need not see all to know the types.
    answer = source_of_rows.table(sql, parameters, is_short=True)
    of, held, numbers = (column.to_pylist() for column in answer.columns)
    count = of.count(0)
    heads = _HEADS.decode(_array(held[:count]))
    attributes: defaultdict[int, list[StoredAttribute]] = defaultdict(list)
    rows = _ROWS.decode(_array(held[count:]))
    for id_, number, row in zip(of[count:], numbers[count:], rows, strict=True):
        attributes[id_].append(_attribute(row, number))
    found = {head[1]: _entity(head, attributes[head[0]]) for head in heads}
    return [found[uri] for uri in wanted if uri in found]


def load_keys(source_of_rows: Fetcher, now_us: int, ids: Sequence[str]) -> dict[str, Keys]:
    """Of each of the entities that exist: which attribute instances it has."""
    parameters: dict[str, object] = {"ids": json_of(list(dict.fromkeys(ids))), "now": now_us}
    answer = source_of_rows.table(_KEYS, parameters, is_short=True)
    uris, held = (column.to_pylist() for column in answer.columns)
    return dict(zip(uris, _KEY_LISTS.decode(_array(held)), strict=True))


@lru_cache(maxsize=4_096)
def at(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _array(held: Sequence[str]) -> str:
    """One JSON array of several, to be decoded in one go."""
    return f"[{','.join(held)}]"


def _entity(head: _Head, attributes: list[StoredAttribute]) -> StoredEntity:
    _, uri, types, scope, created_us, modified_us, expires_us = head
    return StoredEntity(
        uri,
        types,
        scope,
        at(created_us),
        at(modified_us),
        None if expires_us is None else at(expires_us),
        tuple(sorted(attributes, key=_NAME)),
    )


def _attribute(row: _Row, number: float | None) -> StoredAttribute:
    name, dataset, kind, text, body, unit, observed_us, created_us, modified_us = row
    return StoredAttribute(
        name,
        dataset,
        kind,
        number,
        text,
        body,
        unit,
        None if observed_us is None else at(observed_us),
        at(created_us),
        at(modified_us),
    )
