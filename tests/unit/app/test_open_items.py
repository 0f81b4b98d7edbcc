"""What a handover sheet lists, out of the real stores of alarms and incidents."""

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from alarm_parts import NOW, context, transition
from databases import lay_database
from dothi.alarms import actions
from dothi.alarms.changes import Why
from dothi.alarms.taking import take
from dothi.app.open_items import AlarmItems, IncidentItems
from dothi.incidents import timeline
from dothi.incidents.desk import Opening
from dothi.incidents.timeline import NewTask
from dothi.model.incident import Severity
from dothi.model.priority import Priority
from dothi.storage.relational.alarm_reader import RelationalAlarmReader
from dothi.storage.relational.alarms import RelationalAlarmLedger
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.incidents import RelationalIncidents
from incident_ports import open_desk

HOUR = timedelta(hours=1)


class HandClock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> object:
        return self.at


def test_shelved_and_stale_alarms_stand_on_the_sheet(tmp_path: Path) -> None:
    engine, clock = open_sqlite(lay_database(tmp_path / "dothi.db")), HandClock()
    ledger, reader = RelationalAlarmLedger(engine), RelationalAlarmReader(engine)
    with ledger.writing() as book:
        old = replace(transition(entity="urn:x:2"), text_en="")
        take(book, [transition(entity="urn:x:1"), old], context())
        actions.assign(book, 2, "administrator", Why("lan", ""), context())
    with ledger.writing() as book:
        why = Why("lan", "bảo trì trạm bơm")
        actions.shelve(book, 1, NOW + HOUR, why, context(), NOW + 5 * HOUR)
    items = AlarmItems(reader, clock, 24 * 3600.0, str.title)  # type: ignore[arg-type]
    waiting, shelved = items.open_items()
    assert (waiting.kind, waiting.subject) == ("alarm_unacknowledged", "alarm:2")
    assert (waiting.detail, waiting.detail_en) == ("quản trị máy chủ", "administrator")
    assert (shelved.kind, shelved.subject) == ("alarm_shelved", "alarm:1")
    assert shelved.detail == "đến 11:00 22/11/2026 · Lan · bảo trì trạm bơm"
    assert shelved.detail_en == "until 11:00 22/11/2026 · Lan · bảo trì trạm bơm"
    assert shelved.title == "urn:x:1 · high-water · 1,62 m > 1,50 m"
    assert shelved.title_en == "urn:x:1 · high-water · 1.62 m > 1.50 m"
    clock.at = NOW + 25 * HOUR
    still, _ = items.open_items()
    assert still.kind == "alarm_unacknowledged"  # however old it is
    with ledger.writing() as book:
        actions.acknowledge(book, [actions.Seen(2, 1)], Why("lan", ""), context())
    _, stale = items.open_items()
    assert (stale.kind, stale.subject) == ("alarm_stale", "alarm:2")
    assert stale.title_en == ""  # an alarm of before there were two languages
    engine.dispose()


def test_alarms_that_nobody_saw_come_most_urgent_first_then_newest(tmp_path: Path) -> None:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    ledger, reader = RelationalAlarmLedger(engine), RelationalAlarmReader(engine)
    raised = ((Priority.LOW, 0), (Priority.HIGHEST, 0), (Priority.HIGHEST, 300))
    for n, (priority, at_s) in enumerate(raised):
        with ledger.writing() as book:
            one = transition(at_s=at_s, entity=f"urn:x:{n}", priority=priority)
            take(book, [one], context())
    items = AlarmItems(reader, HandClock(), 24 * 3600.0)  # type: ignore[arg-type]
    assert [one.subject for one in items.open_items()] == ["alarm:3", "alarm:2", "alarm:1"]
    engine.dispose()


def test_open_incidents_and_own_tasks_are_found(tmp_path: Path) -> None:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    made = open_desk(engine)
    opening = Opening("Ngập đường Lê Lợi", Severity.SERIOUS, commander="binh")
    number = made.centre.open(opening, [], "", "lan").incident.id
    for title, owner, hours in (("Gọi đội 2", "an", None), ("Đóng cống", "an", 2), ("Báo", "b", 1)):
        due_at = None if hours is None else NOW + hours * HOUR
        task = NewTask(title, owner, due_at)
        made.centre.change(number, "lan", lambda r, a, t=task: timeline.add_task(r, t, a))
    items = IncidentItems(RelationalIncidents(engine), made.clock)
    [item] = items.open_items()
    assert (item.kind, item.title, item.state) == ("incident", opening.title, "open")
    assert item.detail == "binh · 3 việc chưa xong"
    assert item.detail_en == "binh · 3 open tasks"
    assert [task.title for task in items.tasks_of("an")] == ["Đóng cống", "Gọi đội 2"]
    assert items.tasks_of("nobody") == []
    engine.dispose()
