"""Alarms in the order of their lists, page by page."""

import pytest

from alarm_parts import transition
from dothi.model.alarm import OPEN, Alarm
from dothi.model.priority import Priority
from dothi.ports.alarms import SORTS, AlarmQuery
from tests.contract.conftest import Opener
from tests.contract.test_alarms import Desk


@pytest.fixture
def desk(reopen: Opener) -> Desk:
    return Desk(reopen)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("is_descending", [False, True])
def test_pages_follow_each_other(desk: Desk, sort: str, is_descending: bool) -> None:
    desk.take(
        *(
            transition(
                True, n % 3, entity=f"urn:e:{n % 5}", rule=f"r{n}", priority=Priority(n % 4 + 1)
            )
            for n in range(20)
        )
    )
    for one in (2, 3, 7, 12, 13, 18):
        desk.acknowledge(one)
    whole = desk.reader.page(AlarmQuery(sort=sort, is_descending=is_descending))
    assert len(whole) == 20
    seen: list[Alarm] = []
    while True:
        after = desk.reader.key(seen[-1], sort) if seen else None
        query = AlarmQuery(sort=sort, is_descending=is_descending, after=after, limit=3)
        page = desk.reader.page(query)
        if not page:
            break
        seen += page
    assert [a.id for a in seen] == [a.id for a in whole]


def test_of_one_priority_what_nobody_has_seen_comes_first(desk: Desk) -> None:
    low, high = Priority.LOW, Priority.HIGH
    raised_s = {"a": 30, "b": 10, "c": 20, "d": 40, "e": 0}
    desk.take(
        *(
            transition(True, s, entity=f"urn:{name}", priority=low if name == "e" else high)
            for name, s in raised_s.items()
        )
    )
    by_entity = {a.place.entity[-1]: a for a in desk.reader.page(AlarmQuery())}
    desk.acknowledge(by_entity["d"].id)
    desk.acknowledge(by_entity["b"].id)
    desk.take(transition(False, 60, entity="urn:c", priority=high))

    def shown(query: AlarmQuery) -> str:
        return "".join(a.place.entity[-1] for a in desk.reader.page(query))

    assert shown(AlarmQuery()) == "acdbe"
    assert shown(AlarmQuery(states=OPEN)) == "acdbe"
    assert shown(AlarmQuery(is_descending=True)) == "eacdb"
