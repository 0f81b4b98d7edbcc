"""Rows of the roster from a pattern, and rests that are too short."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from dothi.access.position import Pattern
from dothi.model.problem import Problem
from dothi.model.shift import PlannedShift
from dothi.model.zone import ZONE

_MOST_DAYS = 92


class RosterOrder(Struct, frozen=True):
    """Who shares the shifts of a position."""

    pattern: Pattern
    position: str
    people: Sequence[str]
    """In the order in which they begin with the first shift of a day."""
    first_day: date
    days: int


def rows_of(order: RosterOrder) -> list[PlannedShift]:
    """Shifts in order of time.

    Each person has the first shift of a day, on the next day the second, and so on; after the last
    shift come the free days. Four people on three shifts of 8 h work three days and rest one;
    four on two shifts of 12 h work day, night, and rest two.

    Raises:
        Problem: too many days, or fewer people than shifts in a day.
    """
    starts = order.pattern.starts
    if not 1 <= order.days <= _MOST_DAYS:
        raise _wrong("days", f"{order.days} days", f"1 to {_MOST_DAYS} at a time")
    if len(set(order.people)) != len(order.people) or len(order.people) < len(starts):
        raise _wrong(
            "people",
            f"{len(set(order.people))} people for {len(starts)} shifts a day",
            f"name at least {len(starts)} people, each once, in the order in which they begin",
        )
    return [
        PlannedShift(
            0,
            order.people[(day - shift) % len(order.people)],
            order.position,
            *_span(order.pattern, order.first_day + timedelta(day), shift),
            order.pattern.id,
        )
        for day in range(order.days)
        for shift in range(len(starts))
    ]


def short_rests(shifts: Iterable[PlannedShift], rest_hours: float) -> frozenset[int]:
    """Ids of shifts that begin sooner after the person's shift before than she or he may rest."""
    by_person = defaultdict(list)
    for shift in shifts:
        by_person[shift.person].append(shift)
    rest = timedelta(hours=rest_hours)
    return frozenset(
        later.id
        for own in by_person.values()
        for earlier, later in pairwise(sorted(own, key=lambda shift: shift.starts_at))
        if earlier.ends_at < later.starts_at < earlier.ends_at + rest
    )


def _span(pattern: Pattern, day: date, shift: int) -> tuple[datetime, datetime]:
    start = datetime.combine(day, pattern.starts[shift], ZONE)
    if pattern.hours is not None:
        end = start + timedelta(hours=pattern.hours)
    elif shift + 1 < len(pattern.starts):
        end = datetime.combine(day, pattern.starts[shift + 1], ZONE)
    else:
        end = datetime.combine(day + timedelta(1), pattern.starts[0], ZONE)
    return start.astimezone(UTC), end.astimezone(UTC)


def _wrong(field: str, detail: str, remedy: str) -> Problem:
    return Problem(
        "roster_invalid", "The roster cannot be made so", detail, where=field, remedy=remedy
    )
