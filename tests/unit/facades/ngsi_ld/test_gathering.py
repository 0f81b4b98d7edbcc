"""Reads that wait together: one look where that is enough, and no failure for the neighbours."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest

from dothi.facades.ngsi_ld.errors import NgsiError, not_found
from dothi.facades.ngsi_ld.operations.gathering import (
    Gathering,
    Glance,
    Glimpse,
    Pace,
    Wanted,
    glance_together,
    write_together,
)
from dothi.model.problem import StoreUnavailable
from dothi.ports.entity_query import Entities, EntitySearch, Form

FORM = Form("plain", lambda _: b"")


class Store:
    """Has the entities a, b and c; writing c fails."""

    def __init__(self) -> None:
        self.looks: list[list[str]] = []

    def written(self, ids: Sequence[str], _form: Form) -> list[bytes]:
        self.looks.append(list(ids))
        if "c" in ids:
            raise not_found("nothing is left of c")
        return [i.encode() for i in ids if i in "ab"]


def wanted(store: Store, *ids: str) -> Wanted:
    return Wanted(cast(Entities, store), ids, FORM)


def test_what_exists_is_looked_for_once() -> None:
    store = Store()
    found = write_together([wanted(store, "a"), wanted(store, "b", "a"), wanted(store, "b")])
    assert found == [[b"a"], [b"b", b"a"], [b"b"]]
    assert store.looks == [["a", "b"]]


def test_what_is_missing_or_fails_is_so_for_its_question_alone() -> None:
    missing, a = write_together([wanted(Store(), "x"), wanted(Store(), "a")])
    assert (missing, a) == ([], [b"a"])
    store = Store()
    assert write_together([wanted(store, "x"), wanted(store, "a")]) == [[], [b"a"]]
    good, bad = write_together([wanted(store, "a"), wanted(store, "c")])
    assert good == [b"a"] and isinstance(bad, NgsiError)


class Searched(Store):
    """Finds at once what is asked for by a limit of 2."""

    glances = 0

    def glance(self, searches: Sequence[EntitySearch]) -> list[list[str] | None]:
        self.glances += 1
        # One more than is asked for tells whether there are more.
        return [["a", "b", "x"] if search.limit == 3 else None for search in searches]


class Away(Store):
    """Cannot be read."""

    def glance(self, _searches: Sequence[EntitySearch]) -> list[list[str] | None]:
        raise StoreUnavailable("the disk is away")


def test_pages_that_are_found_at_once_are_written_together() -> None:
    store, away = Searched(), Away()
    asked = [
        Glance(cast(Entities, held), EntitySearch(offset=n, limit=limit), FORM)
        for n, (held, limit) in enumerate([(store, 2), (store, 5), (away, 2), (store, 2)])
    ]
    first, slow, failed, last = glance_together(asked)
    assert first == last == Glimpse([b"a", b"b"], has_next=True)
    assert slow is None and isinstance(failed, StoreUnavailable)
    assert (store.glances, store.looks) == (1, [["a", "b"]])


async def test_questions_during_a_look_share_the_next() -> None:
    looks: list[list[int]] = []

    def look(questions: Sequence[int]) -> list[Any]:
        looks.append(list(questions))
        return [not_found("no 3") if q == 3 else q * 10 for q in questions]

    gathering: Gathering[int, int] = Gathering(look)
    first = asyncio.create_task(gathering.ask(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # its look begins
    answers = await asyncio.gather(*map(gathering.ask, (2, 3, 4)), return_exceptions=True)
    assert await first == 10
    assert (answers[0], answers[2]) == (20, 40) and isinstance(answers[1], NgsiError)
    assert looks == [[1], [2, 3, 4]]
    with pytest.raises(NgsiError):
        await gathering.ask(3)


class Watch:
    """A clock that a test sets."""

    now_s = 100.0

    def read_s(self) -> float:
        return self.now_s


async def test_short_looks_are_made_on_the_loop_until_one_is_slow() -> None:
    watch, places = Watch(), []
    took_s = 0.001

    def look(questions: Sequence[int]) -> list[int]:
        places.append(threading.current_thread() is threading.main_thread())
        watch.now_s += took_s
        return [q * 10 for q in questions]

    gathering: Gathering[int, int] = Gathering(look, Pace(watch.read_s))
    assert await asyncio.gather(*map(gathering.ask, (1, 2, 3))) == [10, 20, 30]
    assert places == [True]  # questions of one turn, one look
    took_s = 0.2
    assert await gathering.ask(4) == 40
    took_s = 0.001
    assert await gathering.ask(5) == 50
    watch.now_s += 60
    assert await gathering.ask(6) == 60
    assert places == [True, True, False, True]
    many = await asyncio.gather(*map(gathering.ask, range(100)))
    assert many == [q * 10 for q in range(100)] and not places[-1]


async def test_who_asks_gets_what_a_look_on_the_loop_fails_with() -> None:
    def look(_: Sequence[int]) -> list[int]:
        raise ZeroDivisionError

    gathering: Gathering[int, int] = Gathering(look, Pace())
    answers = await asyncio.gather(*map(gathering.ask, (1, 2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ZeroDivisionError] * 2
