"""Shifts: when the present one began and when it ends, by the roster or else by the clock."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from dothi.model.shift import PlannedShift

_DAY = timedelta(days=1)


class Shift(Struct, frozen=True):
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


def planned_at(moment: datetime, planned: Iterable[PlannedShift], position: str) -> Shift | None:
    """The shift of the roster at a position that holds a moment; None: nobody is planned then.

    Where several overlap, as while a duty is handed over, the one that ends last.
    """
    found = [
        one for one in planned if one.position == position and one.starts_at <= moment < one.ends_at
    ]
    if not found:
        return None
    last = max(found, key=lambda one: (one.ends_at, one.starts_at))
    return Shift(last.starts_at, last.ends_at)
