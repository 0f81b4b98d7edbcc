"""Legal clocks: when a limit runs out, over pauses, on a working calendar.

Limits in days follow the Civil Code 2015 (91/2015/QH13): the first day is not counted (Article
147.2); the limit ends with its last day (148.1); a last day that is free moves to the next working
day (148.5). Minutes and hours run from the moment itself (147.1).
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from dothi.incidents.working_calendar import WorkingCalendar
from dothi.model.procedure import Limit, LimitKind, Pause

_LIMIT = re.compile(
    r"(?P<amount>\d+(?:\.\d+)?)\s*(?P<working>working\s+)?"
    r"(?P<unit>s|min|minutes?|h|hours?|days?)"
)
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_HALF = 0.5


def parse_limit(text: str, *, may_be_half: bool = False) -> Limit:
    """`may_be_half`: half working days are taken too, as they once were.

    Raises ValueError: what is written is no limit."""
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"{text!r} is no time limit; write for example 30 min, 72 h, 3 days, 2 working days, "
            "4 working hours"
        )
    amount, is_working = float(found["amount"]), found["working"] is not None
    unit = _unit(found["unit"])
    if amount <= 0:
        raise ValueError(f"{text!r} leaves no time: a limit is more than 0")
    if unit == "day":
        if amount % (_HALF if may_be_half and is_working else 1):
            # A limit in days ends with a day (Article 148): half of one would say the same as 1.
            raise ValueError(f"{text!r}: days are whole; for half a day write 4 working hours")
        return Limit(LimitKind.WORKING_DAYS if is_working else LimitKind.DAYS, amount, text.strip())
    kind = LimitKind.WORKING_TIME if is_working else LimitKind.ELAPSED
    return Limit(kind, amount * _SECONDS[unit], text.strip())


def due_at(
    limit: Limit, start: datetime, pauses: Sequence[Pause], calendar: WorkingCalendar
) -> datetime | None:
    """When the limit runs out, UTC; None while it is paused.

    `pauses` follow one another and lie after `start`.
    """
    begin, left = start, limit.amount
    for pause in pauses:
        if pause.to_at is None:
            return None
        left = max(0.0, left - _used(limit.kind, begin, pause.from_at, calendar))
        begin = pause.to_at
    return _end(limit.kind, begin, left, calendar)


def _used(kind: LimitKind, begin: datetime, end: datetime, calendar: WorkingCalendar) -> float:
    """How much of a limit passed, in its own measure."""
    match kind:
        case LimitKind.ELAPSED:
            return (end - begin).total_seconds()
        case LimitKind.WORKING_TIME:
            return calendar.working_time_between(begin, end).total_seconds()
        case LimitKind.DAYS:
            return float((calendar.day_of(end) - calendar.day_of(begin)).days)
        case LimitKind.WORKING_DAYS:
            return calendar.working_days_between(calendar.day_of(begin), calendar.day_of(end))


def _end(kind: LimitKind, begin: datetime, left: float, calendar: WorkingCalendar) -> datetime:
    match kind:
        case LimitKind.ELAPSED:
            return begin + timedelta(seconds=left)
        case LimitKind.WORKING_TIME:
            return calendar.add_working_time(begin, timedelta(seconds=left))
        case LimitKind.DAYS:
            last = calendar.day_of(begin) + timedelta(days=int(left))
            return calendar.end_of(calendar.next_working(last))
        case LimitKind.WORKING_DAYS:
            return calendar.end_of(calendar.add_working_days(calendar.day_of(begin), left))


def _unit(word: str) -> str:
    if word.startswith("day"):
        return "day"
    return {"minute": "min", "minutes": "min", "hour": "h", "hours": "h"}.get(word, word)
