"""Shifts by the clock: when the present one began and when it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shift:
    """A stretch of duty."""

    begins_at: datetime
    ends_at: datetime


def shift_at(moment: datetime, starts: Sequence[time], zone: ZoneInfo) -> Shift:
    """The shift that holds a moment.

    Args:
        starts: local times at which shifts change, at least one.
        zone: where these times are told.
    """
    day = moment.astimezone(zone).date()
    changes = sorted(
        datetime.combine(day + n * _DAY, start, zone) for n in (-1, 0, 1, 2) for start in starts
    )
    at = max(i for i, change in enumerate(changes) if change <= moment)
    return Shift(changes[at], changes[at + 1])
