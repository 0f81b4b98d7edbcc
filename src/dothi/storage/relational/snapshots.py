"""The snapshots of one database (ports.hubs)."""

from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, bindparam, select
from sqlalchemy.dialects import sqlite

from dothi.model.moments import at_of, us_of
from dothi.ports.hubs import EntityTimes, SnapshotRecord
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.schema import attribute, entity, snapshot


class RelationalSnapshots:
    """One row per snapshot. Any thread; blocking."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[SnapshotRecord]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(snapshot).order_by(snapshot.c.created_us))
            return [_record(row) for row in rows]

    def get(self, snapshot_id: str) -> SnapshotRecord | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(snapshot).where(snapshot.c.id == snapshot_id)).first()
        return None if row is None else _record(row)

    def put(self, record: SnapshotRecord) -> None:
        values = {
            "id": record.id,
            "key": record.key,
            "document": msgspec.json.encode(record.document).decode(),
            "status": record.status,
            "created_us": us_of(record.created_at),
            "modified_us": us_of(record.modified_at),
            "expires_us": us_of(record.expires_at),
            "used_us": us_of(record.used_at),
        }
        insert = sqlite.insert(snapshot).values(values)
        changed = {name: value for name, value in values.items() if name != "id"}
        with self._engine.begin() as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=[snapshot.c.id], set_=changed)
            )

    def delete(self, snapshot_id: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(snapshot.delete().where(snapshot.c.id == snapshot_id))


def backdate(database: Path, times: list[EntityTimes]) -> None:
    """Set when entities and attributes of a closed database were created and changed."""
    of_entity = (
        entity.update()
        .where(entity.c.uri == bindparam("of"))
        .values(created_us=bindparam("made"), modified_us=bindparam("changed"))
    )
    of_attribute = (
        attribute.update()
        .where(
            attribute.c.entity_id
            == select(entity.c.id).where(entity.c.uri == bindparam("of")).scalar_subquery(),
            attribute.c.name == bindparam("called"),
            attribute.c.dataset == bindparam("in_dataset"),
        )
        .values(created_us=bindparam("made"), modified_us=bindparam("changed"))
    )
    engine = open_sqlite(database)
    try:
        with engine.begin() as connection:
            for one in times:
                key = {"of": one.entity}
                span = {"made": us_of(one.created_at), "changed": us_of(one.modified_at)}
                connection.execute(of_entity, {**key, **span})
                for name, dataset, made, changed in one.attributes:
                    what = {"called": name, "in_dataset": dataset}
                    span = {"made": us_of(made), "changed": us_of(changed)}
                    connection.execute(of_attribute, {**key, **what, **span})
    finally:
        engine.dispose()


def _record(row: Any) -> SnapshotRecord:
    return SnapshotRecord(
        row.id,
        row.key,
        msgspec.json.decode(row.document),
        row.status,
        at_of(row.created_us),
        at_of(row.modified_us),
        at_of(row.expires_us),
        at_of(row.used_us),
    )
