"""The port `PullRuns`, over every store."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from databases import lay_database
from dothi.ports.pulls import PullRun, PullRuns
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.pull_runs import RelationalPullRuns

AT = datetime(2026, 11, 22, 1, 2, 3, 456789, UTC)


@pytest.fixture(params=["sqlite"])
def runs(tmp_path: Path) -> Iterator[PullRuns]:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    yield RelationalPullRuns(engine)
    engine.dispose()


def test_a_run_comes_back_as_it_was_put(runs: PullRuns) -> None:
    run = PullRun("usgs", AT + timedelta(hours=1), AT, AT - timedelta(hours=1), 3, "404 Not Found")
    runs.put(PullRun("usgs", AT))
    runs.put(run)
    assert runs.get("usgs") == run


def test_a_connector_that_never_ran_is_unknown(runs: PullRuns) -> None:
    assert runs.get("openaq") is None


def test_all_are_sorted_by_name(runs: PullRuns) -> None:
    for name in ("usgs", "air", "openaq"):
        runs.put(PullRun(name, AT))
    assert [run.connector for run in runs.all()] == ["air", "openaq", "usgs"]
