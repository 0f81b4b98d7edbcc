"""The file of a working calendar (TOML): week, office hours, and every day that differs, dated and
sourced. Decoded strictly: what is wrong is named with its place."""

import tomllib
from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from dothi.incidents.working_calendar import FREE, DayPlan, Span, WorkingCalendar
from dothi.model.problem import Problem

Mark = Literal["verified", "unverified"]
Worked = Literal["full", "half", "free"]
DayKind = Literal["holiday", "in_lieu", "half", "worked"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in both languages."""

    vi: str
    """Vietnamese."""
    en: str
    """English."""


class Week(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a day without an entry of its own is worked."""

    monday: Worked
    """A whole day, half a day, or free."""
    tuesday: Worked
    """As above."""
    wednesday: Worked
    """As above."""
    thursday: Worked
    """As above."""
    friday: Worked
    """As above."""
    saturday: Worked
    """As above."""
    sunday: Worked
    """As above."""
    source: str
    """Law or decision."""
    mark: Mark
    """Whether somebody compared it with the source."""


class Office(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Office hours, `07:30-11:30`, in the time zone of the calendar, in order."""

    full: tuple[str, ...]
    """Of a whole day."""
    half: tuple[str, ...]
    """Of a half day."""
    source: str
    """Decision of the province; empty: none, the hours are an example."""
    mark: Mark
    """Whether somebody compared it with the source."""


class Day(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day, or days up to and with `to`, that differ from the week."""

    on: date
    """The day, or the first of several."""
    kind: DayKind
    """holiday, in_lieu (off in exchange, or because a holiday fell on a rest day), half, worked."""
    name: Title
    """What the day is."""
    source: str
    """Law or decision that makes it so."""
    mark: Mark
    """unverified: computed, or not yet decided for the year."""
    to: date | None = None
    """The last of several days, inclusive."""
    note: str = ""
    """Why it is unverified, or anything else that must be known."""


class CalendarFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    title: Title
    """Name of the calendar."""
    zone: str
    """Time zone (IANA) of its days and hours."""
    known_from: date
    """First day of which the file says whether it is a holiday."""
    known_to: date
    """Exclusive: outside these dates the file says nothing about holidays."""
    limit_ends: Literal["midnight", "office"]
    """When a limit in days ends on its last day."""
    limit_ends_source: str
    """Law that says so."""
    week: Week
    """The seven days, Monday to Sunday."""
    office: Office
    """Office hours."""
    day: tuple[Day, ...] = ()
    """Days that differ from the week; each day once."""


class DatedCalendar(Struct, frozen=True):
    """The calendar and the file that it is made of, for the screens."""

    calendar: WorkingCalendar
    file: CalendarFile


def decode_calendar(text: str, where: str) -> DatedCalendar:
    """Raises Problem: not TOML, a key too many or too few, a day twice, hours out of order."""
    try:
        file = msgspec.convert(tomllib.loads(text), CalendarFile)
        zone = ZoneInfo(file.zone)
        plans: dict[str, DayPlan] = {
            "full": DayPlan(1.0, _spans(file.office.full)),
            "half": DayPlan(0.5, _spans(file.office.half)),
            "free": FREE,
        }
        special = _special(file.day, plans)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise _wrong(str(error), where) from error
    except ZoneInfoNotFoundError as error:
        raise _wrong(f"zone: {error}", where) from error
    week = tuple(plans[getattr(file.week, name)] for name in WEEKDAYS)
    if not any(plan.weight for plan in week):
        raise _wrong("week: no day is worked", where)
    made = WorkingCalendar(
        zone, week, special, file.known_from, file.known_to, file.limit_ends == "midnight"
    )
    return DatedCalendar(made, file)


def _special(days: tuple[Day, ...], plans: Mapping[str, DayPlan]) -> dict[date, DayPlan]:
    kinds: dict[DayKind, str] = {
        "holiday": "free",
        "in_lieu": "free",
        "half": "half",
        "worked": "full",
    }
    found: dict[date, DayPlan] = {}
    for entry in days:
        last = entry.to or entry.on
        if last < entry.on:
            raise ValueError(f"day {entry.on}: `to` {last} lies before it")
        for n in range((last - entry.on).days + 1):
            day = entry.on + timedelta(days=n)
            if day in found:
                raise ValueError(f"day {day} is given twice")
            found[day] = plans[kinds[entry.kind]]
    return found


def _spans(texts: tuple[str, ...]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for text in texts:
        opens, _, closes = text.partition("-")
        try:
            span = Span(time.fromisoformat(opens.strip()), time.fromisoformat(closes.strip()))
        except ValueError as error:
            raise ValueError(f"office hours {text!r}: write them as 07:30-11:30") from error
        if span.end <= span.start or (spans and span.start < spans[-1].end):
            raise ValueError(f"office hours {text!r}: they end before they begin, or overlap")
        spans.append(span)
    return tuple(spans)


def _wrong(detail: str, where: str) -> Problem:
    return Problem(
        "calendar_file_wrong",
        "The working calendar cannot be read",
        detail,
        where=where,
        remedy="docs/reference/procedures.md shows the file",
    )
