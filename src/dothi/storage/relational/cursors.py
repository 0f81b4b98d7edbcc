"""ports.cursors on the relational store."""

import time

from sqlalchemy import Connection, Engine, delete, select

from dothi.storage.relational.schema import cursor

_MOVE = (
    "INSERT INTO cursor (consumer, lane, seq, moved_us) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (consumer, lane) DO UPDATE SET seq = excluded.seq, moved_us = excluded.moved_us"
)


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
    connection.exec_driver_sql(_MOVE, (consumer, lane, seq, time.time_ns() // 1000))
