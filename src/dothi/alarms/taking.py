"""Transitions of rules become alarms; time that passes ends shelves and escalates."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from dothi.alarms import lifecycle
from dothi.alarms.changes import Changes, Context, Why
from dothi.alarms.chatter import is_chattering, proposed_off_delay_s, with_transition
from dothi.alarms.lifecycle import Move
from dothi.alarms.limits import Chattering
from dothi.model.alarm import (
    Alarm,
    AlarmEntry,
    AlarmState,
    Entry,
    Place,
    Suppression,
    SuppressionCause,
    condition_of,
)
from dothi.model.transition import Transition
from dothi.ports.alarms import AlarmBook

_ACTIVATIONS = {
    Move.NEW: Entry.RAISED,
    Move.AGAIN: Entry.ACTIVATED,
    Move.RESUMED: Entry.ACTIVATED,
    Move.CHANGED: Entry.CHANGED,
}


def take(book: AlarmBook, transitions: Sequence[Transition], context: Context) -> None:
    """Let transitions, in order, act on alarms; writes into the transaction of the book."""
    changes = Changes(book, context)
    parents = changes.parents
    changes.read(
        {t.condition for t in transitions}
        | {condition_of(parent, t.entity) for parent in parents for t in transitions}
    )
    for transition in transitions:
        _take_one(changes, transition)
    at = {t.entity for t in transitions if t.rule in parents}
    if at:
        changes.save()  # alarms of this very run are among the children
        changes.suppress_again(book.open_at(at), Why(reason=SuppressionCause.PARENT))
    changes.save()


def _take_one(changes: Changes, transition: Transition) -> None:
    latest = changes.latest.get(transition.condition)
    move = lifecycle.move_of(latest, transition)
    if move is Move.NOTHING:
        return
    if move is Move.NEW:
        alarm = _new(changes, latest, transition)
    else:
        assert latest is not None
        alarm = _moved(changes, move, latest, transition)
    if move not in (Move.NEW, Move.CHANGED):
        alarm = _with_chatter(changes.context.limits.chattering, alarm, transition.at)
    if move is Move.RETURNED:
        why = Why(detail=transition.text, detail_en=transition.text_en)
        changes.note(alarm, Entry.RETURNED, why, transition.at)
    else:
        _put_activation(changes, move, latest, alarm, transition)
    if alarm.is_chattering and not (latest is not None and latest.is_chattering):
        proposal = f"off_delay_s={proposed_off_delay_s(alarm.recent_at)}"
        changes.note(alarm, Entry.CHATTERING, Why(detail=proposal), transition.at)


def _put_activation(
    changes: Changes, move: Move, latest: Alarm | None, alarm: Alarm, transition: Transition
) -> None:
    is_news = alarm.state is AlarmState.ACTIVE_UNACKNOWLEDGED and (
        latest is None or alarm.activations != latest.activations or alarm.id != latest.id
    )
    is_announced = is_news and not alarm.suppressed
    changes.put(alarm, _entry(changes, alarm, move, transition, is_announced))
    was_chattering = latest is not None and latest.is_chattering
    if is_announced and not (was_chattering and alarm.is_chattering):
        changes.announce(alarm)


def _entry(
    changes: Changes, alarm: Alarm, move: Move, transition: Transition, is_announced: bool
) -> AlarmEntry:
    return AlarmEntry(
        alarm.id,
        _ACTIVATIONS[move],
        transition.at,
        changes.context.now_at,
        alarm.state,
        detail=transition.text,
        detail_en=transition.text_en,
        explanation=transition.explanation,
        is_announced=is_announced,
    )


def _new(changes: Changes, before: Alarm | None, transition: Transition) -> Alarm:
    context = changes.context
    facts = context.facts(transition.rule, transition.version)
    chattering = context.limits.chattering
    recent = with_transition(before.recent_at if before else (), transition.at, chattering)
    # All at once: to replace a part of it costs as much as to make it.
    alarm = Alarm(
        id=changes.book.next_id(),
        condition=transition.condition,
        rule=transition.rule,
        version=transition.version,
        place=context.places.get(transition.entity) or Place(transition.entity),
        state=AlarmState.ACTIVE_UNACKNOWLEDGED,
        priority=transition.priority,
        title=facts.title or facts.title_en or transition.rule,
        title_en=facts.title_en or facts.title or transition.rule,
        text=transition.text,
        text_en=transition.text_en,
        raised_at=transition.at,
        opened_at=context.now_at,
        active_at=transition.at,
        seq=transition.seq,
        domain=facts.domain,
        position=facts.position or context.position,
        is_latching=facts.is_latching,
        escalate_at=context.escalate_at(transition),
        recent_at=recent,
        is_chattering=is_chattering(recent, chattering),
    )
    suppressed = changes.suppressed(alarm)
    return replace(alarm, suppressed=suppressed) if suppressed else alarm


def _moved(changes: Changes, move: Move, latest: Alarm, transition: Transition) -> Alarm:
    if move is Move.RETURNED:
        return lifecycle.returned(latest, transition)
    if move is Move.RESUMED:
        return lifecycle.resumed(latest, transition)
    if move is Move.AGAIN:
        alarm = lifecycle.activated(latest, transition)
    else:
        alarm = lifecycle.changed(latest, transition)
    suppressed = changes.suppressed(alarm)
    if suppressed != alarm.suppressed:
        alarm = replace(alarm, suppressed=suppressed)
    if alarm.activations == latest.activations:
        return alarm
    return replace(alarm, escalate_at=changes.context.escalate_at(alarm))


def _with_chatter(limits: Chattering, alarm: Alarm, at: datetime) -> Alarm:
    recent = with_transition(alarm.recent_at, at, limits)
    return replace(alarm, recent_at=recent, is_chattering=is_chattering(recent, limits))


def pass_time(book: AlarmBook, context: Context) -> None:
    """Begin and end suppressions whose time has come, escalate what nobody acknowledged."""
    standing = book.suppressions()
    ended = [
        replace(one, ended_at=one.until_at, has_begun=True)
        for one in standing
        if one.until_at is not None and one.until_at <= context.now_at
    ]
    over = {one.id for one in ended}
    begun = [
        replace(one, has_begun=True)
        for one in standing
        if one.id not in over and not one.has_begun and one.from_at <= context.now_at
    ]
    for one in (*begun, *ended):
        book.put_suppression(one)
    changes = Changes(book, context)
    for one in begun:
        changes.suppress_again(book.open_matching(one), Why(one.by, one.reason))
    for one in ended:
        _end(changes, one)
    for alarm in map(changes.now_of, book.to_escalate(context.timer_at)):
        if alarm.escalate_at is not None and not alarm.suppressed:
            _escalate(changes, alarm)
    changes.save()


def _end(changes: Changes, over: Suppression) -> None:
    """Its time is over; whoever shelved something is told."""
    freed = changes.suppress_again(changes.book.open_matching(over), Why(reason="time_over"))
    if over.cause is SuppressionCause.OPERATOR:
        for alarm in freed:
            changes.tell("shelf.ended", alarm, f"shelf:{over.id}:ended", by=over.by)


def _escalate(changes: Changes, alarm: Alarm) -> None:
    after = replace(alarm, escalate_at=None, escalations=alarm.escalations + 1)
    changes.note(after, Entry.ESCALATED)
    key = f"alarm:{alarm.id}:escalated:{after.escalations}"
    changes.tell("alarm.escalated", after, key, changes.context.escalate_to)
