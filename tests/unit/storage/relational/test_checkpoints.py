"""Moving the WAL beside the commits: it begins anew, and no commit fails by it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adbc_driver_manager
import pytest
from tests.rows import batch

from dothi.pipeline.admit import admit
from dothi.storage.relational import checkpoints
from dothi.storage.relational.sqlite_store import SqliteStore, open_store

_LONG = 200_000


@contextmanager
def _opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    monkeypatch.setattr(checkpoints, "WAL_BYTES", _LONG)
    monkeypatch.setattr(checkpoints, "_STEP_BYTES", _LONG // 4)
    store = open_store(tmp_path / "dothi.db")
    yield store
    store.close()


def _fill(store: SqliteStore, rows: int) -> None:
    for number in range(rows):
        long = batch(number=None, text=f"{number} " + "x" * 20_000, observed_at=None)
        store.writer.commit(admit([long], {}))


def test_a_long_wal_is_moved_and_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _opened(tmp_path, monkeypatch) as store:
        before = (tmp_path / "dothi.db").stat().st_size
        end_s = time.monotonic() + 20
        while store.writer._checkpoints._moving is None:
            _fill(store, 1)
            assert time.monotonic() < end_s
        store.writer._checkpoints._moving.result(20)
        _fill(store, 2)
        assert store.writer._checkpoints._moving is None
        assert (tmp_path / "dothi.db").stat().st_size > before + _LONG // 2
        assert store.reader.head() > 2


def test_a_wal_that_cannot_be_moved_costs_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with _opened(tmp_path, monkeypatch) as store:
        query = checkpoints.HotConnection.query

        def refusing(self: checkpoints.HotConnection, sql: str) -> object:
            if "wal_checkpoint" in sql:
                raise adbc_driver_manager.OperationalError("disk I/O error", status_code=1)
            return query(self, sql)

        monkeypatch.setattr(checkpoints.HotConnection, "query", refusing)
        _fill(store, 40)
        assert store.reader.head() == 40
    assert "stays long for now" in caplog.text
