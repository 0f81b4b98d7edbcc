"""Reads that wait together: one look where that is enough, and no failure for the neighbours."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from dothi.facades.ngsi_ld.errors import NgsiError, not_found
from dothi.facades.ngsi_ld.operations.gathering import Gathering, Wanted, write_together
from dothi.ports.entity_query import Entities, Form

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
