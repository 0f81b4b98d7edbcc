"""What people do to alarms, checked: each raises Problem and changes nothing when it may not be.

Every function writes into the transaction of the book that it is given.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from dothi.alarms import lifecycle
from dothi.alarms.changes import Changes, Context, Why
from dothi.model.alarm import (
    Alarm,
    AlarmState,
    Entry,
    Suppressed,
    Suppression,
    SuppressionCause,
)
from dothi.model.problem import Problem
from dothi.ports.alarms import AlarmBook

MOST_AT_ONCE = 200
"""Alarms of one action: a page of the list and no more."""


class Seen(Struct, frozen=True):
    """An alarm as somebody saw it."""

    id: int
    activations: int
    """How often it had become active then: a later activation was not seen."""


def acknowledge(book: AlarmBook, seen: Sequence[Seen], why: Why, context: Context) -> list[Alarm]:
    """Somebody knows of these alarms; those that are acknowledged already stay as they are.

    Raises:
        Problem: alarm_unknown; alarm_not_seen (409): one became active again since it was seen.
    """
    found = _wanted(book, [one.id for one in seen])
    for one in seen:
        if one.activations < found[one.id].activations:
            raise Problem(
                "alarm_not_seen",
                "The alarm has changed since",
                f"alarm {one.id} became active again after it was shown",
                409,
                where=f"alarm {one.id}",
                remedy="look at it again and acknowledge what it shows now",
            )
    changes = Changes(book, context)
    wanting = [alarm for alarm in found.values() if alarm.needs_acknowledgement]
    for alarm in wanting:
        after = lifecycle.acknowledged(alarm, why.by, context.now_at)
        changes.note(after, Entry.ACKNOWLEDGED, why)
    changes.save()
    book.answered(wanting, why.by, context.now_at)
    return list(book.get(found).values())


def reset(book: AlarmBook, alarm: int, why: Why, context: Context) -> Alarm:
    """Release a latched alarm. Raises Problem: alarm_unknown, alarm_not_latched (409)."""
    found = _wanted(book, [alarm])[alarm]
    if found.state is not AlarmState.LATCHED:
        raise Problem(
            "alarm_not_latched",
            "The alarm is not latched",
            f"alarm {alarm} is {found.state.replace('_', ' ')}",
            409,
            where=f"alarm {alarm}",
            remedy="only an alarm that is gone and acknowledged and whose rule latches is reset",
        )
    return _noted(book, lifecycle.reset(found, context.now_at), Entry.RESET, why, context)


def comment(book: AlarmBook, alarm: int, why: Why, context: Context) -> Alarm:
    """Put a remark into the record. Raises Problem: alarm_unknown, reason_missing."""
    _need_reason(why, "the comment")
    return _noted(book, _wanted(book, [alarm])[alarm], Entry.COMMENTED, why, context)


def assign(book: AlarmBook, alarm: int, owner: str, why: Why, context: Context) -> Alarm:
    """Make somebody its owner; "": nobody. Raises Problem: alarm_unknown."""
    found = replace(_wanted(book, [alarm])[alarm], owner=owner)
    return _noted(book, found, Entry.ASSIGNED, replace(why, detail=owner), context)


def shelve(
    book: AlarmBook, alarm: int, until_at: datetime, why: Why, context: Context, ends_at: datetime
) -> Alarm:
    """Keep the condition of an alarm from the operators for a while, whatever occurs.

    Args:
        ends_at: end of the shift, the latest end there may be.
    Raises:
        Problem: alarm_unknown, reason_missing, shelf_too_short, shelf_too_long, or (409)
            alarm_shelved.
    """
    _need_reason(why, "shelving")
    found = _wanted(book, [alarm])[alarm]
    least_at = context.now_at + timedelta(seconds=context.limits.shelve_at_least_s)
    # A minute of grace: the request has been on its way.
    if until_at < least_at - timedelta(minutes=1):
        raise _shelf_wrong("short", f"earliest end: {least_at.isoformat(timespec='minutes')}")
    # Near the end of a shift the shortest shelf reaches into the next one.
    if until_at > max(ends_at, least_at + timedelta(minutes=1)):
        raise _shelf_wrong("long", f"end of the shift: {ends_at.isoformat(timespec='minutes')}")
    if found.suppressed & Suppressed.SHELVED:
        raise Problem(
            "alarm_shelved",
            "The alarm is shelved already",
            f"alarm {alarm} is shelved",
            409,
            where=f"alarm {alarm}",
            remedy="take it back from the shelf first",
        )
    suppress(
        book,
        Suppression(
            SuppressionCause.OPERATOR,
            *(why.by, why.reason, context.now_at, until_at),
            rule=found.rule,
            entity=found.place.entity,
        ),
        context,
    )
    return book.get([alarm])[alarm]


def unshelve(book: AlarmBook, alarm: int, why: Why, context: Context) -> Alarm:
    """Take the condition of an alarm back from the shelf. Raises Problem: alarm_unknown,
    alarm_not_shelved (409)."""
    found = _wanted(book, [alarm])[alarm]
    shelves = [
        one
        for one in book.suppressions()
        if one.cause is SuppressionCause.OPERATOR
        and (one.rule, one.entity) == (found.rule, found.place.entity)
    ]
    if not shelves:
        raise Problem(
            "alarm_not_shelved",
            "The alarm is not shelved",
            f"alarm {alarm} stands on no shelf",
            409,
            where=f"alarm {alarm}",
        )
    for one in shelves:
        end(book, one, why, context)
    return book.get([alarm])[alarm]


def suppress(book: AlarmBook, wanted: Suppression, context: Context) -> Suppression:
    """Begin a suppression, or note it when its time has not come. Raises Problem."""
    _check(wanted, context.now_at)
    has_begun = wanted.from_at <= context.now_at
    made = replace(wanted, has_begun=has_begun)
    made = replace(made, id=book.put_suppression(made))
    if has_begun:
        changes = Changes(book, context)
        changes.suppress_again(
            book.open_matching(made), Why(made.by, made.reason, f"suppression {made.id}")
        )
        changes.save()
    return made


def end(book: AlarmBook, suppression: Suppression, why: Why, context: Context) -> Suppression:
    """End a suppression before its time."""
    ended = replace(suppression, ended_at=context.now_at, ended_by=why.by)
    book.put_suppression(ended)
    changes = Changes(book, context)
    changes.suppress_again(book.open_matching(ended), why)
    changes.save()
    return ended


def _check(wanted: Suppression, now: datetime) -> None:
    _need_reason(Why(wanted.by, wanted.reason), "a suppression")
    lacking = {
        SuppressionCause.OPERATOR: (wanted.until_at, "until_at", "shelving is never unlimited"),
        SuppressionCause.MAINTENANCE: (wanted.until_at, "until_at", "a maintenance window ends"),
        SuppressionCause.FLOOD: (wanted.least_urgent, "least_urgent", "it leaves urgent ones"),
        SuppressionCause.PARENT: (wanted.parent, "parent", "the rule whose alarm suppresses"),
        SuppressionCause.PERMIT: (wanted.permit, "permit", "number of the permit"),
    }
    value, name, text = lacking[wanted.cause]
    if not value:
        raise Problem(
            "suppression_incomplete",
            "Something is missing",
            f"a suppression with the cause {wanted.cause} needs {name}",
            where=name,
            remedy=text,
        )
    if wanted.cause is SuppressionCause.FLOOD and wanted.until_at is None:
        raise Problem(
            *("suppression_incomplete", "Something is missing", "flood mode needs until_at"),
            where="until_at",
        )
    if wanted.until_at is not None and wanted.until_at <= max(now, wanted.from_at):
        raise Problem(
            "suppression_over",
            "The end lies before the beginning",
            f"until_at is {wanted.until_at.isoformat()}",
            where="until_at",
            remedy="give a later time",
        )
    if wanted.cause not in (SuppressionCause.FLOOD,) and not (
        wanted.rule or wanted.entity or wanted.area
    ):
        raise Problem(
            "suppression_boundless",
            "It would suppress everything",
            "neither rule, entity nor area is given",
            where="rule, entity, area",
            remedy="name at least one of them",
        )


def _noted(book: AlarmBook, alarm: Alarm, kind: Entry, why: Why, context: Context) -> Alarm:
    changes = Changes(book, context)
    changes.note(alarm, kind, why)
    changes.save()
    return book.get([alarm.id])[alarm.id]


def _wanted(book: AlarmBook, ids: Collection[int]) -> Mapping[int, Alarm]:
    found = book.get(ids)
    missing = sorted(set(ids) - found.keys())
    if missing:
        raise unknown_alarm(missing[0])
    return found


def unknown_alarm(alarm: int) -> Problem:
    """There is no such alarm."""
    return Problem(
        "alarm_unknown",
        "Unknown alarm",
        f"there is no alarm {alarm}",
        404,
        where=f"alarm {alarm}",
        remedy="see the list of alarms",
    )


def _need_reason(why: Why, what: str) -> None:
    if not why.reason.strip():
        raise Problem(
            "reason_missing",
            "A reason is missing",
            f"{what} needs a text",
            where="reason",
            remedy="say why, in a few words",
        )


def _shelf_wrong(how: str, limit: str) -> Problem:
    return Problem(
        f"shelf_too_{how}",
        f"The shelf time is too {how}",
        limit,
        where="until_at",
        remedy="choose a time between 15 minutes from now and the end of the shift",
    )
