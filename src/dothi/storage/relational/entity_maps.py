"""ports.entity_maps on the operational database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Engine, delete, insert, select, update

from dothi.model.moments import us_of
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.entity_maps import EntityMap
from dothi.storage.relational.schema import entity_map as table
from dothi.storage.relational.writing import writing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_MAPS = 1000
"""A map may be told to stay for years: the oldest make room."""


class RelationalEntityMaps:
    """Any thread."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def add(self, entity_map: EntityMap) -> None:
        """See ports.entity_maps.EntityMaps."""
        now_us = us_of(self._clock.now())
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.expires_us <= now_us))
            connection.execute(
                insert(table).values(
                    id=entity_map.id, created_us=now_us, **_changing_columns(entity_map)
                )
            )
            newest_first = select(table.c.id).order_by(table.c.created_us.desc())
            surplus = newest_first.offset(MOST_MAPS)
            connection.execute(delete(table).where(table.c.id.in_(surplus)))

    def find(self, map_id: str) -> EntityMap | None:
        """See ports.entity_maps.EntityMaps."""
        question = select(table.c.expires_us, table.c.entities, table.c.linked).where(
            table.c.id == map_id, table.c.expires_us > us_of(self._clock.now())
        )
        with self._engine.connect() as connection:
            row = connection.execute(question).first()
        if row is None:
            return None
        return EntityMap(
            map_id,
            _EPOCH + timedelta(microseconds=row.expires_us),
            msgspec.json.decode(row.entities, type=dict[str, tuple[str, ...]]),
            msgspec.json.decode(row.linked, type=dict[str, str]),
        )

    def replace(self, entity_map: EntityMap) -> bool:
        """See ports.entity_maps.EntityMaps."""
        change = (
            update(table).where(table.c.id == entity_map.id).values(**_changing_columns(entity_map))
        )
        with writing(self._engine) as connection:
            return connection.execute(change).rowcount > 0

    def delete(self, map_id: str) -> bool:
        """See ports.entity_maps.EntityMaps."""
        now_us = us_of(self._clock.now())
        with writing(self._engine) as connection:
            gone = connection.execute(
                delete(table).where(table.c.id == map_id, table.c.expires_us > now_us)
            )
            return gone.rowcount > 0


def _changing_columns(entity_map: EntityMap) -> dict[str, Any]:
    return {
        "expires_us": us_of(entity_map.expires_at),
        "entities": msgspec.json.encode(entity_map.entities).decode(),
        "linked": msgspec.json.encode(entity_map.linked).decode(),
    }
