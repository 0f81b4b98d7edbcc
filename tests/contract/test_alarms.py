"""ports.alarms: what people and rules do to alarms is kept whole, over every store."""

from datetime import timedelta

import pytest

from alarm_parts import NOW, PHU_AN, context, transition
from dothi.alarms import actions
from dothi.alarms.actions import Seen
from dothi.alarms.changes import Why
from dothi.alarms.taking import pass_time, take
from dothi.model.alarm import (
    Alarm,
    AlarmCounts,
    AlarmState,
    Entry,
    Place,
    RuleFacts,
    Suppressed,
    Suppression,
    SuppressionCause,
)
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.model.transition import Transition
from dothi.ports.alarms import AlarmQuery
from dothi.ports.notices import NoticeQuestion
from dothi.storage.relational.alarm_reader import RelationalAlarmReader
from dothi.storage.relational.alarms import RelationalAlarmLedger
from dothi.storage.relational.notices import RelationalNotices
from tests.contract.conftest import Opener

WHY = Why("lan", "seen on camera")
MINUTE = timedelta(minutes=1)
SHIFT_END = NOW + timedelta(hours=5)


class Desk:
    """A ledger and its reader; each call is one transaction."""

    def __init__(self, reopen: Opener) -> None:
        engine = reopen().engine
        self.engine = engine
        self.ledger = RelationalAlarmLedger(engine)
        self.reader = RelationalAlarmReader(engine)

    def take(self, *transitions: Transition, now_s: float = 0.0, **given: object) -> None:
        with self.ledger.writing() as book:
            take(book, transitions, context(NOW + timedelta(seconds=now_s), **given))

    def pass_time(self, minutes: float, set_by: timedelta = timedelta()) -> None:
        """`set_by`: somebody has set the clock meanwhile."""
        timers_at = NOW + minutes * MINUTE
        with self.ledger.writing() as book:
            pass_time(book, context(timers_at + set_by, timers_at=timers_at))

    def acknowledge(self, alarm: int, activations: int = 1) -> None:
        with self.ledger.writing() as book:
            actions.acknowledge(book, [Seen(alarm, activations)], WHY, context(NOW))

    def shelve(self, alarm: int, minutes: float) -> Alarm:
        with self.ledger.writing() as book:
            until_at = NOW + minutes * MINUTE
            return actions.shelve(book, alarm, until_at, WHY, context(), SHIFT_END)

    def suppress(self, cause: SuppressionCause, **given: object) -> Suppression:
        wanted = Suppression(cause, "lan", "works", NOW, **given)  # type: ignore[arg-type]
        with self.ledger.writing() as book:
            return actions.suppress(book, wanted, context())

    def kinds(self, alarm: int) -> list[str]:
        return [str(entry.kind) for entry in self.reader.record(alarm)]

    def notices(self) -> set[str]:
        """Ids of what is to be told."""
        from sqlalchemy import text

        column = "uri" if "uri" in self._columns() else "id"
        with self.engine.connect() as connection:
            return set(connection.scalars(text(f"SELECT {column} FROM notice")))

    def _columns(self) -> list[str]:
        from sqlalchemy import inspect

        return [column["name"] for column in inspect(self.engine).get_columns("notice")]

    def all(self) -> list[Alarm]:
        return self.reader.page(AlarmQuery(sort="raised_at"))


@pytest.fixture
def desk(reopen: Opener) -> Desk:
    return Desk(reopen)


def test_an_occurrence_is_kept_with_its_place_and_record(desk: Desk) -> None:
    place = Place(PHU_AN, "WaterObserved", "Phú An", 106.7, 10.98, ("ward:1:x", "province:74:y"))
    facts = RuleFacts("Mực nước cao", "High water", "water", position="duty_officer")
    desk.take(transition(), places={PHU_AN: place}, facts=lambda _r, _v: facts)
    [alarm] = desk.all()
    assert alarm.place == place
    assert (alarm.title, alarm.title_en, alarm.domain) == ("Mực nước cao", "High water", "water")
    assert alarm.position == "duty_officer"
    assert alarm.escalate_at == NOW + timedelta(seconds=900)
    [entry] = desk.reader.record(alarm.id)
    assert (entry.kind, entry.explanation, entry.is_announced) == (
        Entry.RAISED,
        '{"limit": 1.5}',
        True,
    )
    assert desk.notices() == {f"alarm:{alarm.id}:raised:1"}
    assert desk.reader.get(alarm.id) == alarm


def test_what_it_says_is_kept_in_both_languages(desk: Desk) -> None:
    desk.take(transition(), transition(False, 60))
    [alarm] = desk.all()
    assert (alarm.text, alarm.text_en) == ("1,62 m > 1,50 m", "1.62 m > 1.50 m")
    raised, returned = desk.reader.record(alarm.id)
    assert (raised.detail, raised.detail_en) == (alarm.text, alarm.text_en)
    assert (returned.detail, returned.detail_en) == ("1,40 m", "1.40 m")
    [told] = [one.notice for one in RelationalNotices(desk.engine).page(NoticeQuestion())]
    assert (told.parameters["text"], told.parameters["text_en"]) == (alarm.text, alarm.text_en)


def test_a_new_occurrence_is_a_new_record_of_the_same_condition(desk: Desk) -> None:
    desk.take(transition())
    desk.acknowledge(1)
    desk.take(transition(False, 100), transition(True, 200))
    first, second = desk.all()
    assert first.condition == second.condition
    assert first.state is AlarmState.NORMAL
    assert second.state is AlarmState.ACTIVE_UNACKNOWLEDGED
    assert second.id > first.id


def test_transitions_within_one_second_never_make_two_alarms(desk: Desk) -> None:
    desk.take(transition(True, 0), transition(False, 0.3), transition(True, 0.6))
    assert len(desk.all()) == 1
    desk.acknowledge(1, 2)
    desk.take(transition(False, 50), transition(True, 50.5))
    [alarm] = desk.all()
    assert alarm.state is AlarmState.ACTIVE_ACKNOWLEDGED


def test_what_became_active_again_was_not_seen(desk: Desk) -> None:
    desk.take(transition(), transition(False, 5), transition(True, 10))
    with pytest.raises(Problem) as refused:
        desk.acknowledge(1, activations=1)
    assert refused.value.code == "alarm_not_seen"
    assert desk.all()[0].needs_acknowledgement
    desk.acknowledge(1, activations=2)
    assert not desk.all()[0].needs_acknowledgement


def test_one_that_is_unknown_keeps_all_from_being_acknowledged(desk: Desk) -> None:
    desk.take(transition())
    with pytest.raises(Problem), desk.ledger.writing() as book:
        actions.acknowledge(book, [Seen(1, 1), Seen(7, 1)], WHY, context())
    assert desk.all()[0].needs_acknowledgement


def test_three_transitions_in_a_minute_are_chatter(desk: Desk) -> None:
    desk.take(transition(True, 0), transition(False, 20))
    assert not desk.all()[0].is_chattering
    desk.take(transition(True, 40))
    assert desk.all()[0].is_chattering
    assert desk.reader.record(1)[-1].detail == "off_delay_s=30"
    desk.take(transition(False, 50))
    assert desk.kinds(1).count("chattering") == 1
    desk.take(transition(True, 500))
    assert not desk.all()[0].is_chattering


def test_chatter_makes_no_more_notices(desk: Desk) -> None:
    desk.take(*(transition(n % 2 == 0, n * 5) for n in range(20)))
    assert len(desk.notices()) == 2


def test_a_shelf_has_a_reason_and_an_end(desk: Desk) -> None:
    desk.take(transition())
    for minutes, code in ((5, "shelf_too_short"), (60 * 9, "shelf_too_long")):
        with pytest.raises(Problem) as refused:
            desk.shelve(1, minutes)
        assert refused.value.code == code
    assert desk.shelve(1, 30).suppressed is Suppressed.SHELVED
    with pytest.raises(Problem):
        desk.shelve(1, 30)


def test_a_shelved_alarm_lives_on_and_returns_by_itself_with_a_notice(desk: Desk) -> None:
    desk.take(transition())
    desk.acknowledge(1)
    desk.shelve(1, 30)
    desk.take(transition(False, 60), transition(True, 120))
    _first, second = desk.all()
    assert second.suppressed is Suppressed.SHELVED
    assert "alarm:2:raised:1" not in desk.notices()
    assert not desk.ledger.is_due(NOW + 29 * MINUTE)
    assert desk.ledger.is_due(NOW + 31 * MINUTE)
    desk.pass_time(31)
    _first, second = desk.all()
    assert second.suppressed is Suppressed.NO
    assert second.escalate_at == NOW + 46 * MINUTE
    assert desk.notices() >= {"alarm:2:raised:1", "shelf:1:ended"}
    assert desk.kinds(2) == ["raised", "unshelved"]
    assert not desk.ledger.is_due(NOW + 31 * MINUTE)


def test_a_shelf_can_be_emptied_by_hand(desk: Desk) -> None:
    desk.take(transition())
    desk.shelve(1, 30)
    with desk.ledger.writing() as book:
        freed = actions.unshelve(book, 1, WHY, context(NOW + MINUTE))
    assert freed.suppressed is Suppressed.NO
    assert desk.kinds(1)[-1] == "unshelved"
    assert desk.reader.suppressions() == []
    with pytest.raises(Problem), desk.ledger.writing() as book:
        actions.unshelve(book, 1, WHY, context())


def test_the_three_suppressions_are_kept_apart(desk: Desk) -> None:
    desk.take(transition())
    desk.shelve(1, 30)
    desk.suppress(SuppressionCause.MAINTENANCE, entity=PHU_AN, until_at=NOW + timedelta(hours=2))
    desk.suppress(SuppressionCause.PERMIT, rule="high-water", entity=PHU_AN, permit="GP-12")
    [alarm] = desk.all()
    assert alarm.suppressed == Suppressed.SHELVED | Suppressed.BY_DESIGN | Suppressed.OUT_OF_SERVICE
    desk.pass_time(60)
    assert desk.all()[0].suppressed == Suppressed.BY_DESIGN | Suppressed.OUT_OF_SERVICE
    desk.pass_time(180)
    assert desk.all()[0].suppressed == Suppressed.OUT_OF_SERVICE
    counts = desk.reader.counts(NOW)
    assert (counts.out_of_service, counts.by_design, counts.unacknowledged) == (1, 0, 0)


def test_a_maintenance_window_begins_by_itself(desk: Desk) -> None:
    wanted = Suppression(
        SuppressionCause.MAINTENANCE, "lan", "works", NOW + 10 * MINUTE, NOW + 20 * MINUTE,
        entity=PHU_AN,
    )  # fmt: skip
    with desk.ledger.writing() as book:
        actions.suppress(book, wanted, context())
    desk.take(transition())
    assert desk.all()[0].suppressed is Suppressed.NO
    assert desk.ledger.is_due(NOW + 11 * MINUTE)
    desk.pass_time(11)
    assert desk.all()[0].suppressed is Suppressed.BY_DESIGN
    desk.pass_time(21)
    assert desk.all()[0].suppressed is Suppressed.NO


def test_a_parent_alarm_suppresses_while_it_is_active(desk: Desk) -> None:
    desk.suppress(SuppressionCause.PARENT, rule="high-water", parent="station-silent")
    parent = {"rule": "station-silent"}
    desk.take(transition(), transition(True, 5, **parent))  # type: ignore[arg-type]
    child = desk.reader.page(AlarmQuery(rule="high-water"))[0]
    assert child.suppressed is Suppressed.BY_DESIGN
    desk.take(transition(True, 6, entity="urn:other"))
    other = desk.reader.page(AlarmQuery(entity="urn:other"))[0]
    assert other.suppressed is Suppressed.NO
    desk.take(transition(False, 9, **parent))  # type: ignore[arg-type]
    assert desk.reader.page(AlarmQuery(rule="high-water", entity=PHU_AN))[0].suppressed is (
        Suppressed.NO
    )


def test_flood_mode_leaves_urgent_alarms(desk: Desk) -> None:
    desk.suppress(
        SuppressionCause.FLOOD, least_urgent=Priority.MEDIUM, until_at=NOW + timedelta(hours=1)
    )
    desk.take(transition(), transition(entity="urn:low", priority=Priority.LOW))
    masks = {a.priority: a.suppressed for a in desk.all()}
    assert masks == {Priority.HIGH: Suppressed.NO, Priority.LOW: Suppressed.BY_DESIGN}


@pytest.mark.parametrize(
    ("cause", "given", "code"),
    [
        (SuppressionCause.MAINTENANCE, {"entity": "x"}, "suppression_incomplete"),
        (SuppressionCause.PERMIT, {"entity": "x"}, "suppression_incomplete"),
        (SuppressionCause.PERMIT, {"permit": "1"}, "suppression_boundless"),
        (SuppressionCause.PARENT, {"rule": "x"}, "suppression_incomplete"),
        (SuppressionCause.FLOOD, {"least_urgent": Priority.LOW}, "suppression_incomplete"),
        (SuppressionCause.MAINTENANCE, {"entity": "x", "until_at": NOW}, "suppression_over"),
    ],
)
def test_a_suppression_without_bounds_is_refused(
    desk: Desk, cause: SuppressionCause, given: dict[str, object], code: str
) -> None:
    with pytest.raises(Problem) as refused:
        desk.suppress(cause, **given)
    assert refused.value.code == code
    assert desk.reader.suppressions() == []


def test_nobody_acknowledged_in_time(desk: Desk) -> None:
    desk.take(transition(), transition(entity="urn:known"))
    desk.acknowledge(2)
    desk.pass_time(14)
    assert "escalated" not in desk.kinds(1)
    assert desk.ledger.is_due(NOW + 15 * MINUTE)
    desk.pass_time(15)
    desk.pass_time(16)
    assert desk.kinds(1).count("escalated") == 1
    assert desk.notices() >= {"alarm:1:escalated:1"}
    assert "alarm:2:escalated:1" not in desk.notices()


@pytest.mark.parametrize("hours", [3, -3])
def test_a_clock_that_is_set_escalates_nothing_early_or_late(desk: Desk, hours: float) -> None:
    jump = timedelta(hours=hours)
    desk.take(transition())
    desk.pass_time(14, jump)
    assert "escalated" not in desk.kinds(1)
    assert not desk.ledger.is_due(NOW + 14 * MINUTE + jump, NOW + 14 * MINUTE)
    assert desk.ledger.is_due(NOW + 15 * MINUTE + jump, NOW + 15 * MINUTE)
    desk.pass_time(15, jump)
    assert desk.kinds(1).count("escalated") == 1
    desk.pass_time(300, jump)
    assert desk.kinds(1).count("escalated") == 1


def test_people_leave_their_words_in_the_record(reopen: Opener) -> None:
    desk = Desk(reopen)
    desk.take(transition())
    with desk.ledger.writing() as book:
        actions.comment(book, 1, Why("lan", "pump checked"), context())
        actions.assign(book, 1, "minh", Why("lan"), context())
    desk = Desk(reopen)
    record = desk.reader.record(1)
    assert [(e.kind, e.by, e.reason, e.detail) for e in record[1:]] == [
        (Entry.COMMENTED, "lan", "pump checked", ""),
        (Entry.ASSIGNED, "lan", "", "minh"),
    ]
    assert desk.all()[0].owner == "minh"
    with pytest.raises(Problem), desk.ledger.writing() as book:
        actions.comment(book, 1, Why("lan", " "), context())


def test_a_latched_alarm_is_reset(desk: Desk) -> None:
    desk.take(transition(), facts=lambda _r, _v: RuleFacts(is_latching=True))
    with pytest.raises(Problem), desk.ledger.writing() as book:
        actions.reset(book, 1, WHY, context())
    desk.acknowledge(1)
    desk.take(transition(False, 5))
    with desk.ledger.writing() as book:
        assert actions.reset(book, 1, WHY, context()).state is AlarmState.NORMAL


def test_filters_choose(desk: Desk) -> None:
    place = Place(PHU_AN, "WaterObserved", "Trạm Phú An", 1.0, 2.0, ("ward:1", "province:74"))
    desk.take(
        transition(),
        transition(True, 60, rule="silent", entity="urn:x", priority=Priority.LOW),
        places={PHU_AN: place},
    )
    desk.acknowledge(2)
    wanted = {
        "area": AlarmQuery(area="province:74"),
        "text": AlarmQuery(text="tram phu"),
        "state": AlarmQuery(states=(AlarmState.ACTIVE_UNACKNOWLEDGED,)),
        "priority": AlarmQuery(priorities=(2,)),
        "type": AlarmQuery(types=("WaterObserved",)),
        "until": AlarmQuery(until_at=NOW + timedelta(seconds=30)),
    }
    found = {name: [a.id for a in desk.reader.page(query)] for name, query in wanted.items()}
    assert found == {key: [1] for key in wanted}
    assert [a.id for a in desk.reader.page(AlarmQuery(since=NOW + timedelta(seconds=30)))] == [2]
    assert desk.reader.page(AlarmQuery(text="%")) == []


def test_changes_are_found_by_their_revision(desk: Desk) -> None:
    desk.take(transition(), transition(entity="urn:b"))
    before = desk.reader.revision()
    desk.acknowledge(1)
    assert [a.id for a in desk.reader.changed_after(before, 10)] == [1]
    assert desk.reader.changed_after(desk.reader.revision(), 10) == []


def test_figures_count_what_was_announced(desk: Desk) -> None:
    desk.suppress(SuppressionCause.PERMIT, rule="off", permit="1")
    desk.take(transition(), transition(rule="off"), transition(False, 5))
    later = NOW + timedelta(hours=1)
    assert [a.condition for a in desk.reader.announced(NOW, later)] == [f"high-water@{PHU_AN}"]
    assert desk.reader.announced(NOW, later, "nobody") == []
    assert desk.reader.transitions(NOW, later) == {f"high-water@{PHU_AN}": 2, f"off@{PHU_AN}": 1}
    assert desk.reader.transitions(NOW, later, "nobody") == {}
    assert desk.reader.counts(later, "operator").out_of_service == 1
    assert desk.reader.counts(later, "nobody") == AlarmCounts()
