"""Table `clock_mark`: by which followers of the clock know that it was set while they stood."""

from sqlalchemy import BigInteger, Column, Connection, Engine, Float, String, Table, select
from sqlalchemy.dialects import sqlite

from dothi.model.moments import at_of, us_of
from dothi.ports.clock_watch import ClockMark
from dothi.storage.relational.schema import metadata
from dothi.storage.relational.writing import writing

clock_mark = Table(
    "clock_mark",
    metadata,
    Column("name", String, primary_key=True, comment="who follows the clock"),
    Column("wall_us", BigInteger, nullable=False, comment="what the clock of the machine showed"),
    Column("ran_s", Float, nullable=False, comment="and the one that nobody sets"),
    Column("boot", String, nullable=False, comment="run of the machine; empty: not known"),
)


class RelationalClockMarks:
    """The port `ClockMarks` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, name: str) -> ClockMark | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(clock_mark).where(clock_mark.c.name == name)).first()
        return None if row is None else ClockMark(at_of(row.wall_us), row.ran_s, row.boot)

    def put(self, name: str, mark: ClockMark) -> None:
        with writing(self._engine) as connection:
            put_mark(connection, name, mark)


def put_mark(connection: Connection, name: str, mark: ClockMark) -> None:
    """Within the caller's transaction: with what moves along."""
    values = {"wall_us": us_of(mark.wall_at), "ran_s": mark.ran_s, "boot": mark.boot}
    insert = sqlite.insert(clock_mark).values(name=name, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))
