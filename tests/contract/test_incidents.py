"""ports.incidents: everything of an incident survives a restart, moves in one transaction, and the
timeline is append-only."""

import threading
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update

from dothi.incidents import desk, timeline
from dothi.incidents.acting import Actor
from dothi.incidents.centre import Subject
from dothi.incidents.conduct import Answered, act_on_step
from dothi.incidents.desk import Opening
from dothi.incidents.timeline import NewTask, Note
from dothi.model.incident import EntryKind, EvidenceFile, IncidentState, Point, Severity
from dothi.model.incident_record import Change, Record
from dothi.model.problem import Problem, StoreUnavailable
from dothi.model.procedure import RunState, StepState
from dothi.ports.incidents import BoardQuery
from dothi.storage.relational.incident_tables import incident_entry
from dothi.storage.relational.notices import notice
from incident_ports import NOW, SMALL, Desk, open_desk
from tests.contract.conftest import Opener

LOOK = Opening("Ngập đường Võ Minh Đức", Severity.SERIOUS, points=(Point(106.65, 10.98, "Ngã tư"),))


def noticed(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(notice.c.kind).order_by(notice.c.at_us)))


def with_small(engine: Engine) -> Desk:
    made = open_desk(engine)
    made.library.add(SMALL, "small.toml", "test", NOW)
    return made


def answered(made: Desk, record: Record, step: str, **answers: Any) -> Record:
    book = made.library.book

    def decide(r: Record, actor: Actor) -> Change:
        return act_on_step(r, 1, step, Answered("finish", answers), book, actor)

    return made.centre.change(record.incident.id, "lan", decide)


def act_on_look(made: Desk, number: int, action: str, reason: str = "") -> Record:
    book, done = made.library.book, Answered(action, {}, reason)
    return made.centre.change(number, "l", lambda r, a: act_on_step(r, 1, "look", done, book, a))


def test_a_record_comes_back_as_it_was(reopen: Opener) -> None:
    made = with_small(reopen().engine)
    subject = made.alarms.raise_(12)
    record = made.centre.open(LOOK, [Subject(subject), Subject("camera:urn:c:1", "Cầu")], "", "lan")
    number = record.incident.id
    file = EvidenceFile(0, "ảnh.png", "image/png", 9, "ab" * 32, "lan", NOW)
    for decide in (
        lambda r, a: timeline.write(r, Note(EntryKind.COST, "Cát", amount=5e6, currency="vnd"), a),
        lambda r, a: timeline.add_task(r, NewTask("Bơm nước", "minh", NOW), a),
        lambda r, a: timeline.add_file(r, file, "", a),
        lambda r, a: desk.inform(r, "Phường Thủ Dầu Một", "điện thoại", None, a),
        lambda r, a: desk.move(r, IncidentState.IN_PROGRESS, "Bắt đầu", 1, a),
    ):
        record = made.centre.change(number, "lan", decide)
    assert record.incident.version == 2
    assert [e.number for e in record.entries] == list(range(1, len(record.entries) + 1))
    assert {link.subject for link in record.links} == {subject, "camera:urn:c:1"}
    assert [run.cause for run in record.runs] == [subject]
    again = open_desk(reopen().engine, made.clock, made.alarms)
    assert again.centre.get(number) == record
    row = again.centre.board(BoardQuery(subject=subject))[0]
    assert (row.alarms, row.links, row.open_tasks, row.runs) == (1, 2, 1, 1)
    assert row.next_due_at == record.runs[0].steps[0].due_at


def test_nothing_of_a_refused_change_is_stored(reopen: Opener) -> None:
    engine = reopen().engine
    made = open_desk(engine)
    record = made.centre.open(LOOK, [], "", "lan")
    before = noticed(engine)

    def decide(r: Record, actor: Actor) -> Change:
        desk.move(r, IncidentState.CONTAINED, "x", 1, actor)
        raise Problem("no", "No", "no")

    with pytest.raises(Problem):
        made.centre.change(record.incident.id, "lan", decide)
    assert made.centre.get(record.incident.id) == record
    assert noticed(engine) == before == ["incident.opened"]


def test_the_timeline_cannot_be_changed_or_deleted(reopen: Opener) -> None:
    engine = reopen().engine
    record = open_desk(engine).centre.open(LOOK, [], "", "lan")
    for statement in (update(incident_entry).values(text="x"), delete(incident_entry)):
        with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
            connection.execute(statement)
    assert open_desk(engine).centre.get(record.incident.id).entries == record.entries


def test_two_who_change_the_head_at_once_do_not_overwrite_each_other(reopen: Opener) -> None:
    made = open_desk(reopen().engine)
    number = made.centre.open(LOOK, [], "", "lan").incident.id
    outcomes: list[str] = []

    def commander(name: str) -> None:
        edit = desk.Edit(commander=name)
        try:
            made.centre.change(number, name, lambda r, a: desk.edit(r, edit, 1, a))
            outcomes.append("done")
        except Problem as problem:
            assert problem.status == 409
            assert "; p" in problem.detail, "who did what"
            outcomes.append("conflict")

    threads = [threading.Thread(target=commander, args=(f"p{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 3 + ["done"]
    assert made.centre.get(number).incident.version == 2


def test_notes_of_many_are_all_kept(reopen: Opener) -> None:
    made = open_desk(reopen().engine)
    number = made.centre.open(LOOK, [], "", "lan").incident.id

    def note(text: str) -> None:
        said = Note(EntryKind.NOTE, text)
        made.centre.change(number, "lan", lambda r, a: timeline.write(r, said, a))

    threads = [threading.Thread(target=note, args=(f"n{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = made.centre.get(number).entries
    assert {e.text for e in entries if e.kind is EntryKind.NOTE} == {f"n{n}" for n in range(8)}
    assert [e.number for e in entries] == list(range(1, 10))


def test_a_run_goes_on_after_a_restart_with_its_version(reopen: Opener) -> None:
    made = with_small(reopen().engine)
    record = made.centre.open(LOOK, [], "small", "lan")
    newer = SMALL.replace("version = 1", "version = 2").replace('"15 min"', '"5 min"')
    again = open_desk(reopen().engine, made.clock)
    again.library.add(newer, "small.toml", "test", NOW)
    assert again.library.current()["small"].version == 2
    record = answered(again, record, "look", depth=0.5)
    assert record.runs[0].version == 1
    states = {s.step: s.state for s in record.runs[0].steps}
    assert states == {"look": StepState.DONE, "close": StepState.OPEN, "tell": StepState.OPEN}
    record = answered(again, record, "close")
    assert record.runs[0].step("sum").state is StepState.WAITING  # type: ignore[union-attr]
    record = answered(again, record, "tell")
    assert record.runs[0].step("sum").state is StepState.OPEN  # type: ignore[union-attr]
    record = answered(again, record, "sum")
    assert record.runs[0].state is RunState.DONE


def test_an_overdue_step_is_told_once_per_level_also_over_restarts(reopen: Opener) -> None:
    store = reopen()
    made = with_small(store.engine)
    number = made.centre.open(LOOK, [], "small", "lan").incident.id
    assert made.centre.escalate() == 0
    made.clock.pass_(minutes=15)
    assert made.centre.escalate() == 1
    assert made.centre.escalate() == 0
    again = open_desk(reopen().engine, made.clock)
    assert again.centre.escalate() == 0
    again.clock.pass_(minutes=10)
    assert again.centre.escalate() == 1
    again.clock.pass_(days=2)
    assert again.centre.escalate() == 0
    engine = reopen().engine
    assert noticed(engine) == ["incident.opened", "step.overdue", "step.overdue"]
    events = [e.details["event"] for e in again.centre.get(number).entries if "level" in e.details]
    assert events == ["overdue", "overdue"]


def test_a_paused_step_is_not_overdue(reopen: Opener) -> None:
    made = with_small(reopen().engine)
    number = made.centre.open(LOOK, [], "small", "lan").incident.id
    act = partial(act_on_look, made, number)
    made.clock.pass_(minutes=10)
    act("pause", "dark")
    made.clock.pass_(hours=8)
    assert made.centre.escalate() == 0
    record = act("resume")
    due = record.runs[0].steps[0].due_at
    assert due is not None
    assert (due - made.clock.now()).total_seconds() == 5 * 60
    made.clock.pass_(minutes=5)
    assert made.centre.escalate() == 1
    with pytest.raises(Problem, match="reasons: dark"):
        act("pause", "tired")


def test_a_stored_version_is_never_replaced(reopen: Opener) -> None:
    made = with_small(reopen().engine)
    made.library.add(SMALL, "small.toml", "test", NOW)
    with pytest.raises(Problem, match="stored with another text") as caught:
        made.library.add(SMALL.replace("Nhỏ", "Khác"), "small.toml", "test", NOW)
    assert caught.value.status == 409
    made.library.activate("small", 1, is_active=False)
    again = open_desk(reopen().engine)
    assert again.library.current() == {}
    assert again.library.text("small", 1) == SMALL


def test_a_broken_store_says_so(reopen: Opener) -> None:
    made = open_desk(reopen().engine)
    with made.centre._incidents._engine.begin() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql("DROP TABLE notice")
    with pytest.raises(StoreUnavailable):
        made.centre.open(LOOK, [], "", "lan")
    assert made.centre.board(BoardQuery()) == []
