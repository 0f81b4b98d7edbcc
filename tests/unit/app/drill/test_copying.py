"""The fenced copy has the state of the province and nothing that could act for it outside."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from tests.rows import batch

from dothi.app.data_folder import DataFolder
from dothi.app.drill.copying import LEFT_BEHIND, copy_province, require_new
from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.model.source import Source
from dothi.pipeline.admit import admit
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.notice_tables import delivery, notice
from dothi.storage.relational.notices import put
from dothi.storage.relational.schema import metadata
from dothi.storage.relational.sources import RelationalSources
from dothi.storage.relational.sqlite_store import open_store

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def _required(table: object, **known: object) -> dict[str, object]:
    """A row: what is known, and 0 for every other column that must not be null."""
    columns = table.columns  # type: ignore[attr-defined]
    needed = {c.name: 0 for c in columns if not c.nullable and c.server_default is None}
    return {**needed, **known}


def test_what_waits_to_be_sent_and_what_opens_doors_stays_behind(tmp_path: Path) -> None:
    original, drill = DataFolder(tmp_path / "real"), DataFolder(tmp_path / "drill")
    original.create()
    store = open_store(original.database)
    store.writer.commit(admit([batch(number=1.4)], {}))
    sources = RelationalSources(store.engine)
    sources.put(Source("gauge", "Gauge", "mqtt"))
    token = sources.issue_token("gauge")
    with store.engine.begin() as connection:
        put(connection, [Notice("n:1", "alarm.raised", NOW, Priority.HIGH, "alarm:1")])
        number = connection.scalar(select(notice.c.id))
        connection.execute(insert(delivery).values(**_required(delivery, notice_id=number)))
    copy_province(original, drill)  # beside the open store
    engine = open_sqlite(drill.database)
    with engine.connect() as connection:
        for name in LEFT_BEHIND:
            left = connection.scalar(select(func.count()).select_from(metadata.tables[name]))
            assert left == 0, name
        assert connection.scalar(select(func.count()).select_from(metadata.tables["entity"])) == 1
    copied = RelationalSources(engine)
    assert copied.get("gauge") is not None
    assert copied.source_of_token(token) is None
    assert sources.source_of_token(token) is not None, "the original stays as it was"
    engine.dispose()
    store.close()


def test_a_drill_never_begins_in_a_folder_with_data(tmp_path: Path) -> None:
    real = DataFolder(tmp_path / "real")
    require_new(real)
    real.create()
    open_store(real.database).close()
    with pytest.raises(Problem, match="not empty"):
        require_new(real)
