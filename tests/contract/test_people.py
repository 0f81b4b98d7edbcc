"""The ports of people, roster, duty, handover and audit, over every backend."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from databases import lay_database
from dothi.model.handover import Handover
from dothi.model.person import Person
from dothi.model.problem import Problem
from dothi.model.shift import Absence, PlannedShift
from dothi.ports.audit import Audit, AuditQuestion
from dothi.ports.handover import Handovers, Signing
from dothi.ports.people import PeopleRegister
from dothi.ports.sessions import Sessions
from dothi.ports.shifts import Shifts
from dothi.storage.relational.access_store import AccessStore
from dothi.storage.relational.audit import RelationalAudit
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.handovers import RelationalHandovers
from dothi.storage.relational.people import RelationalPeople
from dothi.storage.relational.shifts import RelationalShifts

T0 = datetime(2026, 11, 27, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
AN = Person("an", "An (test)", ("operator", "leader"), "en", {"email": "an@example.vn"})
BINH = Person("binh", "Bình (test)", ("operator",))


class HandClock:
    def __init__(self) -> None:
        self.at = T0

    def now(self) -> datetime:
        return self.at


@dataclass
class Centre:
    engine: Engine
    clock: HandClock
    people: PeopleRegister
    shifts: Shifts
    handovers: Handovers
    audit: Audit
    sessions: Sessions

    def actions(self) -> list[str]:
        return [entry.action for entry in reversed(self.audit.find(AuditQuestion()))]

    def sheet(self, duty: int) -> Handover:
        opened = self.handovers.open(duty, "an")
        return self.handovers.write(replace(opened, sheet="{}", digest="d1"), opened.revision)


@pytest.fixture(params=["sqlite"])
def centre(tmp_path: Path) -> Iterator[Centre]:
    engine, clock = open_sqlite(lay_database(tmp_path / "dothi.db")), HandClock()
    found = Centre(
        engine,
        clock,
        RelationalPeople(engine, clock),
        RelationalShifts(engine, clock),
        RelationalHandovers(engine, clock),
        RelationalAudit(engine, clock),
        AccessStore(engine, clock),
    )
    for person in (AN, BINH):
        assert found.people.add(person, "administrator")
    yield found
    engine.dispose()


def planned(
    person: str, start: datetime, hours: float = 8, position: str = "operator"
) -> PlannedShift:
    return PlannedShift(0, person, position, start, start + hours * HOUR)


def test_people_are_kept_as_given(centre: Centre) -> None:
    assert centre.people.all() == [AN, BINH]
    assert not centre.people.add(replace(AN, name="Another"), "administrator")
    assert not centre.people.change(replace(AN, id="nobody"), "administrator")
    changed = replace(AN, positions=("leader",), contacts={})
    assert centre.people.change(changed, "administrator")
    assert centre.people.get("an") == changed
    assert centre.people.get("nobody") is None
    assert centre.actions() == ["person_added", "person_added", "person_changed"]
    assert "an@example.vn" not in str(centre.audit.find(AuditQuestion(9))), (
        "addresses are not for the record"
    )


def test_whoever_leaves_is_signed_out_and_her_link_is_dead(centre: Centre) -> None:
    session = centre.sessions.redeem(centre.sessions.make_link(60, "an"), 600) or ""
    assert centre.sessions.principal_of(session) == "an"
    assert centre.sessions.count_live() == 0, "only administrators count"
    link = centre.sessions.make_link(60, "an")
    others = centre.sessions.make_link(60, "binh")
    assert centre.people.change(replace(AN, is_active=False), "administrator")
    assert centre.sessions.principal_of(session) is None
    assert centre.sessions.redeem(link, 600) is None
    assert centre.sessions.redeem(centre.sessions.make_link(60, "an"), 600) is None
    assert centre.sessions.redeem(others, 600) is not None


def test_links_of_one_leave_those_of_others_alone(centre: Centre) -> None:
    first, second = centre.sessions.make_link(60), centre.sessions.make_link(60, "an")
    assert centre.sessions.redeem(first, 600)
    assert centre.sessions.redeem(second, 600)


def test_on_duty_is_who_took_over_else_who_is_planned_and_there(centre: Centre) -> None:
    rows = [planned("an", T0), planned("binh", T0 + 8 * HOUR)]
    late = centre.shifts.plan(rows, "administrator")[1]
    duty = lambda hours, position="operator": [  # noqa: E731
        person.id for person in centre.people.on_duty(T0 + hours * HOUR, position)
    ]
    assert (duty(0), duty(7.9), duty(8), duty(16)) == (["an"], ["an"], ["binh"], [])
    assert duty(0, "leader") == []
    away = Absence(0, "binh", T0 + 7 * HOUR, T0 + 9 * HOUR, "sick")
    stored = centre.shifts.add_absence(away, "administrator")
    assert (duty(8), duty(10)) == ([], ["binh"])
    centre.shifts.remove_absence(stored.id, "administrator")
    assert duty(8) == ["binh"]
    centre.clock.at = T0 + HOUR
    taken = centre.shifts.take("binh", "operator")
    assert (duty(0.5), duty(1), duty(2)) == (["an"], ["binh"], ["an"]), "the future is the roster's"
    centre.clock.at = T0 + 3 * HOUR
    assert duty(2) == ["binh"]
    assert [p.id for p in centre.people.on_duty(centre.clock.at)] == ["binh"]
    centre.shifts.leave(taken.id, "binh", "gone home")
    assert (duty(2), duty(3)) == (["binh"], ["an"])
    centre.shifts.cancel(late.id, "administrator", "")
    centre.shifts.plan([planned("binh", T0 + 2 * HOUR)], "administrator")
    centre.shifts.take("an", "operator")
    assert duty(3) == ["an"]
    centre.people.change(replace(AN, is_active=False), "administrator")
    assert duty(3) == ["binh"], "whoever left hides nobody"


def test_nobody_is_planned_twice_at_a_time(centre: Centre) -> None:
    [first] = centre.shifts.plan([planned("an", T0)], "administrator")
    rows = [planned("binh", T0), planned("an", T0 + 7 * HOUR)]
    with pytest.raises(Problem, match="planned twice"):
        centre.shifts.plan(rows, "administrator")
    [other] = centre.shifts.plan([planned("binh", T0 + HOUR)], "administrator")
    with pytest.raises(Problem, match="planned twice"):
        centre.shifts.reassign(first.id, "binh", "administrator", "swap")
    centre.shifts.cancel(other.id, "administrator", "not needed")
    assert centre.shifts.reassign(first.id, "binh", "administrator", "swap").person == "binh"
    roster = centre.shifts.roster(T0, T0 + HOUR)
    assert [(s.person, s.note) for s in roster.shifts] == [("binh", "swap")]
    assert centre.shifts.roster(T0 + 8 * HOUR, T0 + 9 * HOUR).shifts == []
    for wrong in (
        lambda: centre.shifts.cancel(99, "administrator", ""),
        lambda: centre.shifts.remove_absence(99, "administrator"),
        lambda: centre.shifts.leave(99, "an", ""),
    ):
        with pytest.raises(Problem) as refused:
            wrong()
        assert refused.value.status == 404
    assert centre.actions()[2:] == [
        "shifts_planned",
        "shifts_planned",
        "shift_cancelled",
        "shift_reassigned",
    ], "what was refused left no trace"


@pytest.mark.parametrize("incoming_first", [False, True])
def test_with_the_second_signature_the_duty_goes_over(centre: Centre, incoming_first: bool) -> None:
    duty = centre.shifts.take("an", "operator")
    sheet = centre.sheet(duty.id)
    assert centre.handovers.open(duty.id, "binh") == sheet, "one sheet per duty"
    first, second = ("binh", "an") if incoming_first else ("an", "binh")
    centre.clock.at += HOUR
    signed = centre.handovers.sign(Signing(sheet.id, first, "d1"))
    assert (signed.is_signed, signed.closed_at) == (True, None)
    assert centre.handovers.sign(Signing(sheet.id, first, "d1")) == signed, "again: no change"
    with pytest.raises(Problem, match="signed"):
        centre.handovers.write(replace(signed, notes="late"), signed.revision)
    with pytest.raises(Problem, match="not the one that you have seen"):
        centre.handovers.sign(Signing(sheet.id, second, "other"))
    assert [one.person for one in centre.shifts.current()] == ["an"]
    closed = centre.handovers.sign(Signing(sheet.id, second, "d1"))
    assert closed.closed_at == centre.clock.at
    assert centre.handovers.get(sheet.id) == closed
    [now] = centre.shifts.current()
    assert (now.person, now.position, now.began_at) == ("binh", "operator", centre.clock.at)
    with pytest.raises(Problem, match="both"):
        centre.handovers.sign(Signing(sheet.id, "binh", "d1"))
    assert centre.handovers.latest(5, position="operator") == [closed]
    assert centre.handovers.latest(5, before=closed.id) == []


def test_a_signed_sheet_is_immutable_in_the_database_too(centre: Centre) -> None:
    duty = centre.shifts.take("an", "operator")
    sheet = centre.sheet(duty.id)
    for person in ("an", "binh"):
        centre.handovers.sign(Signing(sheet.id, person, "d1"))
    for statement in ("UPDATE handover SET notes = 'x'", "DELETE FROM handover"):
        with pytest.raises(DBAPIError, match="immutable"), centre.engine.begin() as connection:
            connection.execute(text(statement))


def test_a_lone_signature_can_be_withdrawn(centre: Centre) -> None:
    duty = centre.shifts.take("an", "operator")
    sheet = centre.sheet(duty.id)
    centre.handovers.sign(Signing(sheet.id, "an", "d1"))
    with pytest.raises(Problem):
        centre.handovers.withdraw(sheet.id, "binh")
    assert centre.handovers.withdraw(sheet.id, "an") == sheet
    with pytest.raises(Problem):
        centre.handovers.withdraw(sheet.id, "an")
    again = centre.handovers.write(replace(sheet, notes="more", digest="d2"), sheet.revision)
    assert (again.notes, again.revision) == ("more", sheet.revision + 1)
    with pytest.raises(Problem, match="somebody else"):
        centre.handovers.write(replace(sheet, notes="lost"), sheet.revision)


def test_one_may_take_over_alone_with_a_reason(centre: Centre) -> None:
    duty = centre.shifts.take("an", "operator")
    sheet = centre.sheet(duty.id)
    closed = centre.handovers.sign(Signing(sheet.id, "binh", "d1", "fell ill on the way"))
    assert closed.closed_at
    assert closed.outgoing_signed_at is None
    assert closed.missing_reason == "fell ill on the way"
    assert [one.person for one in centre.shifts.current()] == ["binh"]


def test_whoever_leaves_drops_the_open_sheet(centre: Centre) -> None:
    duty = centre.shifts.take("an", "operator")
    with pytest.raises(Problem, match="on duty"):
        centre.shifts.take("an", "operator")
    sheet = centre.sheet(duty.id)
    centre.shifts.leave(duty.id, "an", "centre closes at night")
    assert centre.handovers.get(sheet.id) is None
    with pytest.raises(Problem, match="Nobody has this duty"):
        centre.handovers.open(duty.id, "an")


def test_the_record_is_a_chain_that_shows_every_change(centre: Centre) -> None:
    centre.audit.append("an", "alarm_shelved", "alarm:3", {"reason": "bảo trì"})
    good = centre.audit.verify()
    assert (good.entries, good.broken_at) == (3, None)
    assert good.head == centre.audit.find(AuditQuestion(1))[0].digest
    assert centre.audit.verify(good.head).broken_at is None
    assert centre.audit.verify("0" * 64).broken_at is not None
    assert [e.seq for e in centre.audit.find(AuditQuestion(9, before=3))] == [2, 1]
    assert [e.subject for e in centre.audit.find(AuditQuestion(9, text="shelved"))] == ["alarm:3"]
    assert centre.audit.find(AuditQuestion(9, text="100%")) == []
    for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="append-only"), centre.engine.begin() as connection:
            connection.execute(text(statement))


def test_entries_of_many_at_once_make_one_chain(centre: Centre) -> None:
    def note(number: int) -> None:
        centre.audit.append("an", "noted", f"x:{number}", {})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(40)))
    found = centre.audit.verify()
    assert (found.entries, found.broken_at) == (42, None)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET who = 'eve' WHERE seq = 2", 2),
        ("UPDATE audit SET detail = '{}' WHERE seq = 1", 1),
        ("UPDATE audit SET at_us = at_us + 1 WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("UPDATE audit SET previous = '', digest = 'x' WHERE seq = 3", 3),
    ],
)
def test_a_change_behind_its_back_is_found(centre: Centre, statement: str, broken_at: int) -> None:
    centre.audit.append("an", "noted", "x", {})
    with centre.engine.begin() as connection:
        for change in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER audit_no_{change}"))
        connection.execute(text(statement))
    found = centre.audit.verify()
    assert found.broken_at == broken_at
    assert found.why
