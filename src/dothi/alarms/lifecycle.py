"""The state machine of one alarm: what a transition or a person does to it. Pure functions.

ISA-18.2-2016 clause 9 (alarm states and transitions), OPC UA Part 9 clause 5.8.
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from msgspec.structs import replace

from dothi.model.alarm import Alarm, AlarmState
from dothi.model.transition import Transition

SETTLE = timedelta(seconds=1)
"""A condition that comes back within this time of its return has not been away: transitions within
one second never make two alarms."""

_RETURN = {
    AlarmState.ACTIVE_UNACKNOWLEDGED: AlarmState.RETURNED_UNACKNOWLEDGED,
    AlarmState.ACTIVE_ACKNOWLEDGED: AlarmState.NORMAL,
}
_ACKNOWLEDGE = {
    AlarmState.ACTIVE_UNACKNOWLEDGED: AlarmState.ACTIVE_ACKNOWLEDGED,
    AlarmState.RETURNED_UNACKNOWLEDGED: AlarmState.NORMAL,
}


class Move(Enum):
    """What a transition means for the latest occurrence of its condition."""

    NOTHING = auto()
    NEW = auto()
    """Another occurrence begins."""
    AGAIN = auto()
    """Active again before it was closed."""
    RESUMED = auto()
    """The return is withdrawn: it was none."""
    CHANGED = auto()
    RETURNED = auto()


def move_of(latest: Alarm | None, transition: Transition) -> Move:
    """What to do with a transition; `latest`: the newest occurrence of its condition."""
    if latest is None or not latest.is_open:
        if not transition.is_active:
            return Move.NOTHING
        return (
            Move.RESUMED if latest is not None and _has_just_left(latest, transition) else Move.NEW
        )
    if not transition.is_active:
        return Move.RETURNED if latest.is_active else Move.NOTHING
    if not latest.is_active:
        return Move.AGAIN
    is_other = (latest.priority, latest.version) != (transition.priority, transition.version)
    return Move.CHANGED if is_other else Move.NOTHING


def _has_just_left(closed: Alarm, transition: Transition) -> bool:
    return closed.returned_at is not None and abs(transition.at - closed.returned_at) < SETTLE


def activated(alarm: Alarm, transition: Transition) -> Alarm:
    """Active again: nobody has seen this activation yet."""
    return _as_told(
        alarm,
        transition,
        state=AlarmState.ACTIVE_UNACKNOWLEDGED,
        active_at=transition.at,
        returned_at=None,
        acknowledged_at=None,
        acknowledged_by="",
        activations=alarm.activations + 1,
    )


def resumed(alarm: Alarm, transition: Transition) -> Alarm:
    """As it was before a return that did not last: who acknowledged it has seen it."""
    return _as_told(
        alarm,
        transition,
        state=AlarmState.ACTIVE_ACKNOWLEDGED,
        returned_at=None,
        closed_at=None,
    )


def changed(alarm: Alarm, transition: Transition) -> Alarm:
    """Of another priority or rule version; more urgent than before, it wants to be seen again."""
    told = _as_told(alarm, transition)
    if transition.priority >= alarm.priority:
        return told
    return replace(
        told,
        state=AlarmState.ACTIVE_UNACKNOWLEDGED,
        acknowledged_at=None,
        acknowledged_by="",
        activations=alarm.activations + 1,
    )


def returned(alarm: Alarm, transition: Transition) -> Alarm:
    """The condition is gone."""
    state = _RETURN[alarm.state]
    is_closed = state is AlarmState.NORMAL
    if is_closed and alarm.is_latching:
        state, is_closed = AlarmState.LATCHED, False
    return replace(
        alarm,
        state=state,
        returned_at=transition.at,
        closed_at=transition.at if is_closed else None,
        escalate_at=None,
    )


def acknowledged(alarm: Alarm, by: str, now: datetime) -> Alarm:
    """Somebody knows of it. Raises KeyError: it wants no acknowledgement."""
    state = _ACKNOWLEDGE[alarm.state]
    is_closed = state is AlarmState.NORMAL
    if is_closed and alarm.is_latching:
        state, is_closed = AlarmState.LATCHED, False
    return replace(
        alarm,
        state=state,
        acknowledged_at=now,
        acknowledged_by=by,
        closed_at=now if is_closed else None,
        escalate_at=None,
    )


def reset(alarm: Alarm, now: datetime) -> Alarm:
    """A person releases what its rule had latched."""
    assert alarm.state is AlarmState.LATCHED
    return replace(alarm, state=AlarmState.NORMAL, closed_at=now)


def _as_told(alarm: Alarm, transition: Transition, **changes: Any) -> Alarm:
    return replace(
        alarm,
        version=transition.version,
        priority=transition.priority,
        text=transition.text,
        text_en=transition.text_en,
        seq=transition.seq,
        **changes,
    )
