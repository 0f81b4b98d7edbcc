"""ports.entity_states on SQLite: entities with what was deleted of them."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Engine

from dothi.model.moments import at_of, us_of
from dothi.model.row import Kind
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.entity_query import StoredAttribute, StoredEntity
from dothi.ports.entity_states import EntityState
from dothi.storage.relational.entity_query_fetch import fetcher

_READ = """
SELECT json_array(e.uri, json(e.types), json(e.scope), e.created_us,
        max(e.modified_us, coalesce((SELECT max(m.modified_us) FROM attribute m
            WHERE m.entity_id = e.id), 0)), e.expires_us, e.deleted_us) AS head,
    CASE WHEN a.id IS NOT NULL THEN json_array(a.name, a.dataset, a.kind, a.text, a.body,
        nullif(a.unit, ''), a.observed_us, a.created_us, a.modified_us, a.deleted_us, a.id)
    END AS rest,
    a.number
FROM json_each(:ids) w CROSS JOIN entity e ON e.uri = w.value
LEFT JOIN attribute a ON a.entity_id = e.id AND a.quality IS NOT NULL
WHERE e.deleted_us IS NOT NULL OR e.expires_us IS NULL OR e.expires_us > :now
ORDER BY w.id, a.name, a.dataset
"""


class SqliteEntityStates:
    """Any thread; connections come from the engine's pool."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def read(self, ids: Iterable[str]) -> dict[str, EntityState]:
        """See ports.entity_states.EntityStates."""
        unique = list(dict.fromkeys(ids))
        if not unique:
            return {}
        parameters: dict[str, object] = {
            "ids": msgspec.json.encode(unique).decode(),
            "now": us_of(self._clock.now()),
        }
        with fetcher(self._engine) as source_of_rows:
            rows = source_of_rows.rows(_READ, parameters)
        found = (_state(head, group) for head, group in groupby(rows, key=lambda row: row[0]))
        return {state.entity.id: state for state in found}


def _state(head: str, rows: Iterable[Any]) -> EntityState:
    uri, types, scope, created_us, modified_us, expires_us, deleted_us = msgspec.json.decode(head)
    live, deleted, series = [], [], {}
    for _, rest, number in rows:
        if rest is None:
            continue
        *cells, gone_us, number_of_series = msgspec.json.decode(rest)
        attribute = _attribute(cells, number)
        series[attribute.name, attribute.dataset] = number_of_series
        if gone_us is None:
            live.append(attribute)
        else:
            deleted.append((attribute, at_of(gone_us)))
    return EntityState(
        StoredEntity(
            uri,
            tuple(types),
            tuple(scope),
            at_of(created_us),
            at_of(modified_us),
            at_of(expires_us),
            tuple(live),
        ),
        at_of(deleted_us),
        tuple(deleted),
        series,
    )


def _attribute(cells: list[Any], number: float | None) -> StoredAttribute:
    name, dataset, kind, text, body, unit, observed_us, created_us, modified_us = cells
    return StoredAttribute(
        name,
        dataset,
        Kind(kind),
        None if number is None else float(number),
        text,
        body,
        unit,
        at_of(observed_us),
        at_of(created_us),
        at_of(modified_us),
    )
