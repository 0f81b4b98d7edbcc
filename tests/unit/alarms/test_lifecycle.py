"""The state machine of one alarm."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from alarm_parts import NOW, PHU_AN, transition
from dothi.alarms import lifecycle
from dothi.alarms.lifecycle import Move, move_of
from dothi.model.alarm import Alarm, AlarmState, Place
from dothi.model.priority import Priority

ALARM = Alarm(
    id=1,
    condition=f"high-water@{PHU_AN}",
    rule="high-water",
    version=1,
    place=Place(PHU_AN),
    state=AlarmState.ACTIVE_UNACKNOWLEDGED,
    priority=Priority.HIGH,
    title="",
    title_en="",
    text="",
    raised_at=NOW,
    opened_at=NOW,
    active_at=NOW,
    seq=1,
)
BACK = transition(False, 10.0)


def test_acknowledged_then_gone_is_closed() -> None:
    known = lifecycle.acknowledged(ALARM, "operator 1", NOW)
    assert known.state is AlarmState.ACTIVE_ACKNOWLEDGED
    assert move_of(known, BACK) is Move.RETURNED
    closed = lifecycle.returned(known, BACK)
    assert closed.state is AlarmState.NORMAL
    assert closed.closed_at == BACK.at
    assert closed.acknowledged_by == "operator 1"


def test_gone_before_anybody_knew_waits_for_somebody() -> None:
    gone = lifecycle.returned(ALARM, BACK)
    assert gone.state is AlarmState.RETURNED_UNACKNOWLEDGED
    assert gone.is_open
    closed = lifecycle.acknowledged(gone, "operator 1", NOW + timedelta(minutes=1))
    assert closed.state is AlarmState.NORMAL


def test_active_again_before_it_was_closed_must_be_seen_again() -> None:
    gone = lifecycle.returned(ALARM, BACK)
    again = transition(True, 20.0)
    assert move_of(gone, again) is Move.AGAIN
    active = lifecycle.activated(gone, again)
    assert (active.id, active.activations) == (1, 2)
    assert active.state is AlarmState.ACTIVE_UNACKNOWLEDGED
    assert active.raised_at == NOW
    assert active.active_at == again.at


def test_a_closed_alarm_is_never_opened_again() -> None:
    closed = lifecycle.returned(lifecycle.acknowledged(ALARM, "x", NOW), BACK)
    assert move_of(closed, transition(True, 11.0)) is Move.NEW
    assert move_of(closed, transition(False, 11.0)) is Move.NOTHING
    with pytest.raises(KeyError):
        lifecycle.acknowledged(closed, "x", NOW)


def test_a_return_of_less_than_a_second_was_none() -> None:
    closed = lifecycle.returned(lifecycle.acknowledged(ALARM, "x", NOW), BACK)
    soon = transition(True, 10.9)
    assert move_of(closed, soon) is Move.RESUMED
    resumed = lifecycle.resumed(closed, soon)
    assert resumed.state is AlarmState.ACTIVE_ACKNOWLEDGED
    assert resumed.closed_at is None


def test_a_latching_alarm_wants_to_be_reset() -> None:
    latching = replace(ALARM, is_latching=True)
    held = lifecycle.returned(lifecycle.acknowledged(latching, "x", NOW), BACK)
    assert held.state is AlarmState.LATCHED
    assert lifecycle.acknowledged(lifecycle.returned(latching, BACK), "x", NOW).state is (
        AlarmState.LATCHED
    )
    assert move_of(held, transition(True, 20.0)) is Move.AGAIN
    closed = lifecycle.reset(held, NOW)
    assert closed.state is AlarmState.NORMAL


def test_a_more_urgent_priority_must_be_seen_again() -> None:
    known = lifecycle.acknowledged(ALARM, "x", NOW)
    urgent = transition(True, 5.0, priority=Priority.HIGHEST)
    assert move_of(known, urgent) is Move.CHANGED
    assert lifecycle.changed(known, urgent).state is AlarmState.ACTIVE_UNACKNOWLEDGED
    calm = transition(True, 5.0, priority=Priority.LOW)
    assert lifecycle.changed(known, calm).state is AlarmState.ACTIVE_ACKNOWLEDGED


def test_what_is_known_already_changes_nothing() -> None:
    assert move_of(ALARM, transition(True, 5.0)) is Move.NOTHING
    assert move_of(None, BACK) is Move.NOTHING
    assert move_of(lifecycle.returned(ALARM, BACK), BACK) is Move.NOTHING
