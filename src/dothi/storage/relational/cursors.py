"""ports.cursors on the relational store."""

import time

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects import sqlite

from dothi.storage.relational.schema import cursor


class RelationalCursors:
    """One row per consumer and lane."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def position(self, consumer: str, lane: int = 0) -> int:
        with self._engine.connect() as connection:
            found = connection.scalar(
                select(cursor.c.seq).where(cursor.c.consumer == consumer, cursor.c.lane == lane)
            )
        return int(found or 0)

    def advance(self, consumer: str, seq: int, lane: int = 0) -> None:
        with self._engine.begin() as connection:
            move(connection, consumer, seq, lane)

    def drop(self, consumer: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(cursor).where(cursor.c.consumer == consumer))

    def positions(self) -> dict[str, int]:
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(cursor.c.consumer, cursor.c.seq).where(cursor.c.lane == 0)
            )
            return {row.consumer: row.seq for row in rows}


def move(connection: Connection, consumer: str, seq: int, lane: int = 0) -> None:
    """Move a cursor within the caller's transaction: with the effects of what was read."""
    values = {"consumer": consumer, "lane": lane, "seq": seq, "moved_us": time.time_ns() // 1000}
    insert = sqlite.insert(cursor).values(values)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=[cursor.c.consumer, cursor.c.lane],
            set_={"seq": insert.excluded.seq, "moved_us": insert.excluded.moved_us},
        )
    )
