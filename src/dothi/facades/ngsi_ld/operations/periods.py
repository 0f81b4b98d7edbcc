"""Periods of an aggregation (clause 4.5.19.1): ISO 8601 durations counted from a first instant."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dothi.facades.ngsi_ld.errors import bad_request_data

Ints = npt.NDArray[np.int64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,6})W|(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?)"
)
_LAST_YEAR = 9999


class Duration(Struct, frozen=True):
    """Months on the calendar and microseconds; both 0: the whole range."""

    months: int = 0
    us: int = 0

    @property
    def is_whole_range(self) -> bool:
        return not self.months and not self.us


def read_duration(text: str) -> Duration:
    """Of `aggrPeriodDuration`. Raises NgsiError BadRequestData."""
    if not text:
        return Duration()
    found = _DURATION.fullmatch(text)
    if found is None:
        raise bad_request_data(
            f"aggrPeriodDuration {text!r} is no duration such as PT4M, PT1H, P1D, P2W or P1Y6M"
        )
    weeks, years, months, days, hours, minutes = (int(part or 0) for part in found.groups()[:6])
    seconds = float(found[7] or 0)
    exact = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return Duration(years * 12 + months, exact // timedelta(microseconds=1))


def to_us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def number_periods(
    us: Ints, first_us: int, duration: Duration
) -> tuple[Ints, list[tuple[int, int]]]:
    """Period of every instant (all at or after the first), and start and end of each period.

    Periods are numbered from 0 and only those that hold an instant count.
    """
    if duration.months:
        edges = np.array(_edges(first_us, int(us.max()), duration), np.int64)
        at = np.searchsorted(edges, us, side="right") - 1
        numbers, periods = np.unique(at, return_inverse=True)
        spans = [(int(edges[n]), int(edges[n + 1])) for n in numbers.tolist()]
    else:
        at = (us - first_us) // duration.us
        numbers, periods = np.unique(at, return_inverse=True)
        starts = (first_us + numbers * duration.us).tolist()
        spans = [(start, start + duration.us) for start in starts]
    return periods.reshape(-1).astype(np.int64), spans


def _edges(first_us: int, last_us: int, duration: Duration) -> list[int]:
    """Starts of the periods, up to one beyond the last instant."""
    first = from_us(first_us)
    edges = [first_us]
    while edges[-1] <= last_us:
        n = len(edges)
        edges.append(to_us(_later(first, n * duration.months)) + n * duration.us)
    return edges


def _later(at: datetime, months: int) -> datetime:
    """So many months later; a day that the month does not have is its last."""
    count = at.year * 12 + at.month - 1 + months
    year, month = divmod(count, 12)
    if year > _LAST_YEAR:
        return datetime.max.replace(tzinfo=UTC)
    following = datetime(year + month // 11, (month + 1) % 12 + 1, 1, tzinfo=UTC)
    last_day = (following - timedelta(days=1)).day if year < _LAST_YEAR else 28
    return at.replace(year=year, month=month + 1, day=min(at.day, last_day))
