"""The operational stores that every contract test runs over; a second backend is one line more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from databases import lay_database
from dothi.storage.relational.sqlite_store import SqliteStore, open_store

Opener = Callable[[], SqliteStore]

BACKENDS = ("sqlite",)


@pytest.fixture(params=BACKENDS)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same database again and again, as restarts would."""
    opened: list[SqliteStore] = []

    def open_again() -> SqliteStore:
        for store in opened:
            store.close()
        opened[:] = [open_store(lay_database(tmp_path / "dothi.db"))]
        return opened[0]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen: Opener) -> SqliteStore:
    return reopen()
