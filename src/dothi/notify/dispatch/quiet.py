"""Quiet hours: until when somebody is not to be disturbed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dothi.model.preference import QuietHours

_DAY = timedelta(days=1)
_MOST_LINKED = 20
"""So many stretches that follow each other without a pause are looked at (ten days)."""


def quiet_until(quiet: Sequence[QuietHours], now: datetime, zone: ZoneInfo) -> datetime | None:
    """End of the quiet time that `now` lies in, UTC; None: it lies in none."""
    until = now
    for _ in range(_MOST_LINKED):
        ends = [end for hours in quiet if (end := _end(hours, until, zone)) is not None]
        if not ends:
            break
        until = max(ends)
    return until if until > now else None


def _end(hours: QuietHours, moment: datetime, zone: ZoneInfo) -> datetime | None:
    local = moment.astimezone(zone)
    for day in (local.date() - _DAY, local.date()):
        if hours.weekdays and day.isoweekday() not in hours.weekdays:
            continue
        begins = datetime.combine(day, hours.begins, zone)
        last = day if hours.begins < hours.ends else day + _DAY
        ends = datetime.combine(last, hours.ends, zone)
        if begins <= local < ends:
            return ends.astimezone(UTC)
    return None
