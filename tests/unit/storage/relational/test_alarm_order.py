"""Pages of alarms in their usual order are read off an index, whichever page it is."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from dothi.model.alarm import OPEN
from dothi.ports.alarms import AlarmQuery
from dothi.storage.relational.alarm_reader import RelationalAlarmReader
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.migrate import upgrade


def plans(engine: Engine, query: AlarmQuery) -> list[str]:
    """How SQLite finds the ids of a page, question by question."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, sql: str, given: Any, *_: object) -> None:
        asked.append((sql, given))

    event.listen(engine, "before_cursor_execute", note)
    RelationalAlarmReader(engine).page(query)
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        explained = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all()
            for sql, given in asked
        ]
    return [" / ".join(row[3] for row in rows) for rows in explained]


@pytest.mark.parametrize("after", [None, (2, 0, 5, 7)], ids=["first", "later"])
@pytest.mark.parametrize(
    ("query", "index"),
    [
        (AlarmQuery(states=OPEN, is_suppressed=False), "ix_alarm_open"),
        (AlarmQuery(), "ix_alarm_order"),
    ],
    ids=["open", "all"],
)
def test_an_index_gives_the_order(
    tmp_path: Path, query: AlarmQuery, index: str, after: tuple[int, ...] | None
) -> None:
    engine = open_sqlite(tmp_path / "dothi.db")
    upgrade(engine)
    found = plans(engine, AlarmQuery(query.states, is_suppressed=query.is_suppressed, after=after))
    assert len(found) == (1 if after is None else 4)
    assert all(index in plan and "TEMP B-TREE" not in plan for plan in found), found
    engine.dispose()
