"""Whose turn it is to write, among threads."""

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.write_turns import WriteTurns, turns_of


def _waiting(turns: WriteTurns, count: int) -> None:
    while len(turns._waiting) < count:
        time.sleep(0.001)


def test_whoever_waits_longest_is_next() -> None:
    turns, order = WriteTurns(), []

    def write(number: int) -> None:
        assert turns.take(10.0)
        order.append(number)
        turns.give()

    assert turns.take(1.0)
    with ThreadPoolExecutor(3) as pool:
        for number in range(3):
            pool.submit(write, number)
            _waiting(turns, number + 1)
        turns.give()
    assert order == [0, 1, 2]
    assert turns.take(0.0), "nobody has it now"


def test_who_gave_up_waiting_is_passed_over() -> None:
    turns = WriteTurns()
    assert turns.take(1.0)
    assert not turns.take(0.01)
    turns.give()
    assert turns.take(0.0)


def test_a_file_has_one_order_however_it_is_named(tmp_path: Path) -> None:
    turns = turns_of(tmp_path / "a.db")
    assert turns_of(str(tmp_path / "b" / ".." / "a.db")) is turns
    assert turns_of(tmp_path / "b.db") is not turns


def test_writers_of_both_kinds_wait_for_each_other(tmp_path: Path) -> None:
    engine, hot = open_sqlite(tmp_path / "a.db"), HotConnection(tmp_path / "a.db")
    hot.run("CREATE TABLE t (n INTEGER)")
    done = threading.Event()

    def write_hot() -> None:
        with hot.transaction():
            hot.run("INSERT INTO t VALUES (2)")
        done.set()

    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        thread = threading.Thread(target=write_hot)
        thread.start()
        _waiting(turns_of(tmp_path / "a.db"), 1)
        assert not done.is_set()
    thread.join(10)
    assert hot.number("SELECT sum(n) FROM t") == 3
    hot.close()
    engine.dispose()


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_transaction_that_fails_or_is_forgotten_gives_its_turn(
    tmp_path: Path, is_lost: bool
) -> None:
    engine = open_sqlite(tmp_path / "a.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))
    if is_lost:
        connection = engine.connect()
        connection.execute(text("INSERT INTO t VALUES (2)"))
        del connection
        gc.collect()
    else:
        with pytest.raises(ZeroDivisionError), engine.begin() as connection:
            connection.execute(text("INSERT INTO t VALUES (2)"))
            raise ZeroDivisionError
    assert turns_of(tmp_path / "a.db").take(0.0)
    turns_of(tmp_path / "a.db").give()
    engine.dispose()


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 2000])
def test_an_answer_of_any_length_is_whole_also_with_late_texts(tmp_path: Path, count: int) -> None:
    engine = open_sqlite(tmp_path / "a.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY, said TEXT)"))
        for n in range(count):
            said = "x" if n == count - 1 else None
            connection.execute(text("INSERT INTO t VALUES (:n, :said)"), {"n": n, "said": said})
    question = text("SELECT n, said FROM t ORDER BY n")
    with engine.connect() as connection:
        for _ in range(3):
            found = [tuple(row) for row in connection.execute(question)]
            assert found == [(n, "x" if n == count - 1 else None) for n in range(count)]
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM t WHERE n > 1"))
        assert len(connection.execute(question).all()) == min(count, 2)
    engine.dispose()
