"""Entities with their attributes, assembled from rows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from dothi.model.row import Kind
from dothi.ports.entity_query import StoredAttribute, StoredEntity
from dothi.storage.relational.entity_query_fetch import Fetcher
from dothi.storage.relational.entity_query_sql import LIVE_ENTITY, json_of
from dothi.storage.relational.entity_query_values import LIVE_ATTRIBUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOAD = f"""
SELECT json_array(e.uri, json(e.types), json(e.scope), e.created_us,
        max(e.modified_us, coalesce((SELECT max(m.modified_us) FROM attribute m
            WHERE m.entity_id = e.id), 0)), e.expires_us) AS head,
    CASE WHEN a.id IS NOT NULL THEN json_array(a.name, a.dataset, a.kind, a.text, a.body,
        nullif(a.unit, ''), a.observed_us, a.created_us, a.modified_us) END AS rest,
    a.number
FROM json_each(:ids) w CROSS JOIN entity e ON e.uri = w.value
LEFT JOIN attribute a ON a.entity_id = e.id AND {LIVE_ATTRIBUTE}{{names}}
WHERE {LIVE_ENTITY} ORDER BY w.id, a.name, a.dataset
"""
"""Two JSON columns instead of sixteen plain ones: each Arrow column costs. JSON would round the
number, so it stands alone."""
_OF_NAMES = " AND a.name IN (SELECT value FROM json_each(:names))"


def load_entities(
    source_of_rows: Fetcher, now_us: int, ids: Sequence[str], names: Sequence[str]
) -> list[StoredEntity]:
    """The entities that exist, in the order of `ids`; `names`: only these attributes."""
    parameters: dict[str, object] = {"ids": json_of(list(dict.fromkeys(ids))), "now": now_us}
    if names:
        parameters["names"] = json_of(names)
    sql = _LOAD.format(names=_OF_NAMES if names else "")
    rows = source_of_rows.rows(sql, parameters)
    return [_entity(head, list(group)) for head, group in groupby(rows, key=lambda row: row[0])]


def at(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _entity(head: str, rows: list[Any]) -> StoredEntity:
    uri, types, scope, created_us, modified_us, expires_us = msgspec.json.decode(head)
    return StoredEntity(
        uri,
        tuple(types),
        tuple(scope),
        at(created_us),
        at(modified_us),
        None if expires_us is None else at(expires_us),
        tuple(_attribute(rest, number) for _, rest, number in rows if rest is not None),
    )


def _attribute(rest: str, number: float | None) -> StoredAttribute:
    name, dataset, kind, text, body, unit, observed_us, created_us, modified_us = (
        msgspec.json.decode(rest)
    )
    return StoredAttribute(
        name,
        dataset,
        Kind(kind),
        None if number is None else float(number),
        text,
        body,
        unit,
        None if observed_us is None else at(observed_us),
        at(created_us),
        at(modified_us),
    )
