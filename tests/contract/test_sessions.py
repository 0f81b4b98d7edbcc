"""The `Sessions` port, over every backend."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from databases import lay_database
from dothi.ports.sessions import Sessions
from dothi.storage.relational.access_store import AccessStore
from dothi.storage.relational.engine import open_sqlite


class HandClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["sqlite"])
def sessions(tmp_path: Path, clock: HandClock) -> Iterator[Sessions]:
    engine = open_sqlite(lay_database(tmp_path / "test.db"))
    yield AccessStore(engine, clock)
    engine.dispose()


def test_a_link_works_once(sessions: Sessions) -> None:
    link = sessions.make_link(60)
    session = sessions.redeem(link, 3600)
    assert session is not None
    assert sessions.principal_of(session) == "administrator"
    assert sessions.redeem(link, 3600) is None


def test_a_link_expires(sessions: Sessions, clock: HandClock) -> None:
    link = sessions.make_link(60)
    clock.at += timedelta(seconds=61)
    assert sessions.redeem(link, 3600) is None


def test_a_new_link_ends_the_one_before(sessions: Sessions) -> None:
    first, second = sessions.make_link(60), sessions.make_link(60)
    assert sessions.redeem(first, 3600) is None
    assert sessions.redeem(second, 3600) is not None


def test_a_session_ends_by_time_or_by_signing_out(sessions: Sessions, clock: HandClock) -> None:
    one = sessions.redeem(sessions.make_link(60), 100) or ""
    two = sessions.redeem(sessions.make_link(60), 1000) or ""
    assert sessions.count_live() == 2
    sessions.end(two)
    assert sessions.principal_of(two) is None
    clock.at += timedelta(seconds=101)
    assert sessions.principal_of(one) is None
    assert sessions.count_live() == 0


def test_a_command_opens_a_session_without_a_link(sessions: Sessions) -> None:
    link = sessions.make_link(60)
    session = sessions.open(60)
    assert sessions.principal_of(session) == "administrator"
    assert sessions.redeem(link, 60) is not None, "the link of a person still works"


def test_wrong_tokens_open_nothing(sessions: Sessions) -> None:
    sessions.make_link(60)
    assert sessions.redeem("", 60) is None
    assert sessions.redeem("wrong", 60) is None
    assert sessions.principal_of("") is None


def test_only_hashes_are_kept(tmp_path: Path, clock: HandClock) -> None:
    engine = open_sqlite(lay_database(tmp_path / "hash.db"))
    store = AccessStore(engine, clock)
    link = store.make_link(60)
    session = store.redeem(link, 60) or ""
    with engine.connect() as connection:
        kept = str(
            [
                list(connection.execute(text(f"SELECT * FROM {t}")))
                for t in ("session", "login_link")
            ]
        )
    engine.dispose()
    assert link not in kept
    assert session not in kept
