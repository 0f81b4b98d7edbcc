"""Alarms that open incidents by themselves: each one once, all of it or nothing, over restarts."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from databases import lay_database
from dothi.incidents import conduct
from dothi.incidents.acting import Actor
from dothi.incidents.calling import Calling, proposals
from dothi.incidents.centre import Subject
from dothi.incidents.desk import Edit, Opening, edit, move, unlink
from dothi.model.incident import IncidentState, Severity
from dothi.model.incident_record import Change, Record
from dothi.model.problem import StoreUnavailable
from dothi.ports.incidents import BoardQuery
from dothi.storage.relational.cursors import RelationalCursors
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.incidents import RelationalIncidents
from incident_ports import NOW, SMALL, Desk, open_desk


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = open_sqlite(lay_database(tmp_path / "dothi.db"))
    yield found
    found.dispose()


@pytest.fixture
def desk(engine: Engine) -> Desk:
    made = open_desk(engine)
    made.library.add(SMALL, "small.toml", "test", NOW)
    return made


def calling(engine: Engine, desk: Desk) -> Calling:
    """As after a start of the program."""
    incidents = RelationalIncidents(engine)
    incidents.use(desk.library.escalation_at)
    made = Calling(desk.centre, incidents, desk.alarms, RelationalCursors(engine), "Thử")
    made.find_position()
    return made


def numbers(desk: Desk) -> list[int]:
    return [row.incident.id for row in desk.centre.board(BoardQuery())][::-1]


def test_an_alarm_opens_its_incident_with_the_procedure_at_work(engine: Engine, desk: Desk) -> None:
    follower = calling(engine, desk)
    subject = desk.alarms.raise_(12)
    assert not follower.step()
    record = desk.centre.get(1)
    assert (record.incident.opened_by, record.incident.severity) == ("dothi", Severity.SERIOUS)
    assert record.incident.origin == "Thử"
    assert [link.subject for link in record.links] == [subject]
    there = "urn:ngsi-ld:WaterObserved:12"
    assert record.incident.title == f"Mực nước cao tại trạm 12 – {there}"
    assert record.incident.title_en == f"High water at gauge 12 – {there}"
    assert record.links[0].title_en == "High water at gauge 12"
    [run] = record.runs
    assert (run.procedure, run.cause, run.steps[0].step) == ("small", subject, "look")
    assert run.steps[0].due_at is not None
    assert [entry.number for entry in record.entries] == list(range(1, len(record.entries) + 1))


def test_a_title_that_a_person_writes_stands_for_all_readers(engine: Engine, desk: Desk) -> None:
    follower = calling(engine, desk)
    desk.alarms.raise_(12)
    follower.step()
    desk.centre.change(1, "lan", lambda r, a: edit(r, Edit(severity=Severity.MINOR), 1, a))
    assert desk.centre.get(1).incident.title_en.startswith("High water")
    desk.centre.change(1, "lan", lambda r, a: edit(r, Edit(title="Ngập bến phà"), 2, a))
    head = desk.centre.get(1).incident
    assert (head.title, head.title_en) == ("Ngập bến phà", "")


def test_it_happens_once_whatever_becomes_of_the_alarm(engine: Engine, desk: Desk) -> None:
    follower = calling(engine, desk)
    subject = desk.alarms.raise_(12)
    for _ in range(3):
        follower.step()
        desk.alarms.change(subject, is_calling=True)
    # The program dies before its cursor is stored: the same changes come again.
    RelationalCursors(engine).advance("procedures called by alarms", 1, 1)
    calling(engine, desk).step()
    assert numbers(desk) == [1]
    # The link is taken away by hand, and the incident closed: it is not opened again.
    desk.centre.change(1, "lan", lambda r, actor: unlink(r, subject, "Nhầm", actor))
    desk.alarms.change(subject, is_calling=True)
    follower.step()
    assert numbers(desk) == [1]


def test_a_crash_before_the_commit_leaves_nothing_half(
    engine: Engine, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.alarms.raise_(1, "other")
    follower = calling(engine, desk)
    subject = desk.alarms.raise_(12)

    def fails(*_args: object) -> None:
        raise StoreUnavailable("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("dothi.storage.relational.incidents.notices.put", fails)
        with pytest.raises(StoreUnavailable):
            follower.step()
    assert numbers(desk) == []
    again = calling(engine, desk)
    again.step()
    assert [link.subject for link in desk.centre.get(1).links] == [subject]


def test_what_does_not_open_by_itself(engine: Engine, desk: Desk) -> None:
    desk.alarms.raise_(1)  # before the first start
    follower = calling(engine, desk)
    desk.alarms.raise_(2, "other-rule")
    desk.alarms.raise_(3, opened_at=NOW - timedelta(hours=1))  # there before the procedure
    shelved = desk.alarms.raise_(4)
    desk.alarms.changes[-1] = (shelved, False)
    taken = desk.alarms.raise_(5)
    opening = Opening("Ngập", Severity.SERIOUS)
    desk.centre.open(opening, [Subject(taken)], "", "lan")  # a person was faster
    follower.step()
    assert numbers(desk) == [1]
    desk.alarms.change(shelved, is_calling=True)  # the shelving ends
    follower.step()
    assert numbers(desk) == [1, 2]


@pytest.mark.parametrize(
    ("met", "missed"),
    [
        ('area = "ward:25741:2025-07-01"', 'area = "ward:25750:2025-07-01"'),
        ('area = "ward:25741"', 'area = "ward:2574"'),
        ('entity_type = "WaterObserved"', 'entity_type = "AirQualityObserved"'),
        ("least_urgent = 2", "least_urgent = 1"),
    ],
)
def test_area_type_and_priority_say_which_alarms_start_it(
    engine: Engine, met: str, missed: str
) -> None:
    """The alarm is of priority 2, in ward 25741, of a WaterObserved."""
    made = open_desk(engine)
    for name, condition in (("met", met), ("missed", missed)):
        text = SMALL.replace('id = "small"', f'id = "{name}"').replace(
            'rule = "level-high"', condition
        )
        assert condition in text
        made.library.add(text, f"{name}.toml", "test", NOW)
    follower = calling(engine, made)
    subject = made.alarms.raise_(12)
    known = made.alarms.known[subject]
    made.alarms.known[subject] = replace(known, areas=(*known.areas, "ward:25741"))
    follower.step()
    [number] = numbers(made)
    assert [(run.procedure, run.cause) for run in made.centre.get(number).runs] == [
        ("met", subject)
    ]


def test_every_part_of_a_start_condition_must_hold(engine: Engine) -> None:
    made = open_desk(engine)
    both = 'rule = "level-high"\narea = "ward:25750:2025-07-01"'
    made.library.add(SMALL.replace('rule = "level-high"', both), "small.toml", "test", NOW)
    follower = calling(engine, made)
    made.alarms.raise_(12)
    follower.step()
    assert numbers(made) == []


def test_the_next_alarm_of_the_same_gauge_joins_the_incident(engine: Engine, desk: Desk) -> None:
    follower = calling(engine, desk)
    first, second = desk.alarms.raise_(12), desk.alarms.raise_(13, entity=12)
    other = desk.alarms.raise_(14)
    follower.step()
    assert [link.subject for link in desk.centre.get(1).links] == [first, second]
    assert len(desk.centre.get(1).runs) == 1
    assert [link.subject for link in desk.centre.get(2).links] == [other]


def test_an_incident_closed_while_an_alarm_is_linked_leaves_no_alarm_unanswered(
    engine: Engine, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = calling(engine, desk)
    first = desk.alarms.raise_(12)
    follower.step()
    second = desk.alarms.raise_(13, entity=12)
    link = desk.centre.link

    def end_run(record: Record, actor: Actor) -> Change:
        return conduct.end(record, 1, "Hết ngập", desk.library.book, actor)

    def shut(record: Record, actor: Actor) -> Change:
        return move(record, IncidentState.CLOSED, "Hết ngập", None, actor)

    def closed_meanwhile(number: int, subjects: Sequence[Subject], by: str) -> Record:
        desk.centre.change(number, "lan", end_run)
        desk.centre.change(number, "lan", shut)
        return link(number, subjects, by)

    monkeypatch.setattr(desk.centre, "link", closed_meanwhile)
    follower.step()
    assert numbers(desk) == [1, 2]
    assert desk.centre.get(1).incident.state is IncidentState.CLOSED
    assert [[one.subject for one in desk.centre.get(n).links] for n in (1, 2)] == [
        [first],
        [second],
    ]


async def test_news_wake_who_follows_the_alarms(
    engine: Engine, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dothi.incidents.calling._LOOK_S", 600.0)
    follower = calling(engine, desk)
    await follower.start()
    try:
        await asyncio.sleep(0.05)  # it has looked once
        desk.alarms.raise_(12)
        follower.wake()
        async with asyncio.timeout(10):
            while not numbers(desk):
                await asyncio.sleep(0.01)
    finally:
        await follower.stop()


def test_standing_alarms_propose_until_somebody_takes_them(engine: Engine, desk: Desk) -> None:
    del engine
    by_hand = SMALL.replace('"small"', '"by-hand"').replace("automatic = true", "")
    desk.library.add(by_hand, "by-hand.toml", "test", NOW)
    first, second = desk.alarms.raise_(12), desk.alarms.raise_(13)
    desk.alarms.change(second, is_calling=False)
    found = proposals(desk.centre, desk.alarms)
    assert {(one.alarm.subject, one.called.procedure.id) for one in found} == {
        (first, "small"),
        (first, "by-hand"),
    }
    assert len(proposals(desk.centre, desk.alarms, [second])) == 2
    desk.centre.open(Opening("Ngập", Severity.SERIOUS), [Subject(first)], "by-hand", "lan")
    assert proposals(desk.centre, desk.alarms) == []
    assert desk.centre.get(1).incident.state is IncidentState.OPEN
