"""Working days, half days and office hours of one calendar; pure, no data of its own.

Days are those of the calendar's time zone. A day weighs 1, 0.5 (half day) or 0 (free); limits in
working days count weights, limits in working hours count the intervals of the day.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from dothi.model.problem import Problem

_MOST_DAYS = 3660
"""Limits reach no farther than ten years: a calendar without any working day must not loop."""
_DAY = timedelta(days=1)


class Span(Struct, frozen=True):
    """Office hours on one day; `end` is later than `start`."""

    start: time
    end: time


class DayPlan(Struct, frozen=True):
    weight: float
    """Of a working day: 1, of a half day 0.5, of a free day 0."""
    hours: tuple[Span, ...] = ()


FREE = DayPlan(0.0)


class WorkingCalendar(Struct, frozen=True):
    """Made by `calendar_file.decode_calendar`."""

    zone: ZoneInfo
    week: tuple[DayPlan, ...]
    """Monday to Sunday."""
    special: Mapping[date, DayPlan]
    """Days that are not as the week says: holidays, days off in lieu, days worked instead."""
    known_from: date
    known_to: date
    """Exclusive. Outside, nobody has said which days are holidays."""
    is_end_midnight: bool = True
    """A limit in days ends with the day (24:00); else with its office hours."""

    def plan(self, day: date) -> DayPlan:
        return self.special.get(day, self.week[day.weekday()])

    def is_working(self, day: date) -> bool:
        return self.plan(day).weight > 0

    def knows(self, day: date) -> bool:
        """Whether the holidays of that day's year are in the data."""
        return self.known_from <= day < self.known_to

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def add_working_days(self, day: date, count: float) -> date:
        """The day on which `count` working days after `day` are full; `day` itself is not counted.

        With 0 the day itself, or the next working day after a free one.
        """
        if count <= 0:
            return self.next_working(day)
        total = 0.0
        for later in _after(day):
            total += self.plan(later).weight
            if total >= count - 1e-9:
                return later
        raise _endless()

    def working_days_between(self, start: date, end: date) -> float:
        """Weights of the days after `start` up to and with `end`; 0 when it is not later."""
        days = (end - start).days
        return sum(self.plan(start + timedelta(days=n)).weight for n in range(1, days + 1))

    def next_working(self, day: date) -> date:
        """The day itself when it is worked on, else the next that is."""
        if self.is_working(day):
            return day
        return next((later for later in _after(day) if self.is_working(later)), None) or _raise()

    def end_of(self, day: date) -> datetime:
        """When a limit that ends on this day runs out, UTC."""
        hours = self.plan(day).hours
        if self.is_end_midnight or not hours:
            return self._at(day + _DAY, time())
        return self._at(day, hours[-1].end)

    def add_working_time(self, start: datetime, length: timedelta) -> datetime:
        """The moment at which `length` of office hours has passed since `start`, UTC."""
        left = length
        first = self.day_of(start)
        for day in (first, *_after(first)):
            for opens, closes in self._open(day):
                begins = max(opens, start)
                if begins >= closes:
                    continue
                if closes - begins >= left:
                    return begins + left
                left -= closes - begins
        raise _endless()

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """Office hours that lie between the two moments; 0 when `end` is not later."""
        total = timedelta()
        day = self.day_of(start)
        while day <= self.day_of(end):
            for opens, closes in self._open(day):
                total += max(min(closes, end) - max(opens, start), timedelta())
            day += _DAY
        return total

    def _open(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for span in self.plan(day).hours:
            yield self._at(day, span.start), self._at(day, span.end)

    def _at(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)


def _after(day: date) -> Iterator[date]:
    return (day + timedelta(days=n) for n in range(1, _MOST_DAYS))


def _raise() -> date:
    raise _endless()


def _endless() -> Problem:
    return Problem(
        "calendar_without_working_days",
        "The working calendar has no day to end on",
        f"no end of the limit within {_MOST_DAYS // 366} years",
        500,
        remedy="check week and office hours in the file of setting incidents.calendar_file",
    )
