"""What the routes about shifts take and answer."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from dothi.access.position import Positions
from dothi.api.series_query import Instant
from dothi.duty.roster import short_rests
from dothi.model.shift import Absence, Duty, PlannedShift
from dothi.ports.shifts import Roster

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Reason = Annotated[str, Meta(max_length=500)]


class RangeQuery(Struct, forbid_unknown_fields=True):
    """What touches [start, end); at most 100 days."""

    start: Instant
    end: Instant


class PlanBody(Struct, forbid_unknown_fields=True):
    """A roster from a pattern; or one shift by hand (`start` and `end`, one person)."""

    position: Id
    people: Annotated[list[Id], Meta(min_length=1, max_length=50)]
    """In the order in which they begin with the first shift of a day."""
    pattern: str = ""
    first_day: date | None = None
    days: Annotated[int, Meta(ge=1, le=92)] = 7
    start: Instant | None = None
    end: Instant | None = None


class ReassignBody(Struct, forbid_unknown_fields=True):
    """Who works the shift instead, and why."""

    person: Id
    reason: Reason = ""


class ReasonBody(Struct, forbid_unknown_fields=True):
    """Why."""

    reason: Reason = ""


class AbsenceBody(Struct, forbid_unknown_fields=True):
    """Somebody is away."""

    person: Id
    start: Instant
    end: Instant
    reason: Reason = ""


class TakeBody(Struct, forbid_unknown_fields=True):
    """A position to take over without a sheet."""

    position: Id


class ShiftView(Struct):
    """A row of the roster."""

    id: int
    person: str
    position: str
    starts_at: datetime
    ends_at: datetime
    pattern: str
    note: str
    is_absent: bool
    """The person is away for a part of it: somebody else is needed."""
    is_rest_short: bool
    """It begins sooner after the shift before than the person may rest."""


class AbsenceView(Struct):
    """Somebody is away."""

    id: int
    person: str
    starts_at: datetime
    ends_at: datetime
    reason: str


class DutyView(Struct):
    """Somebody has or had the duty."""

    id: int
    person: str
    position: str
    began_at: datetime
    ended_at: datetime | None
    end_reason: str


class RestView(Struct):
    """The rest between two shifts, and where that stands."""

    hours: float
    source: str
    valid_from: date
    mark: str


class RosterView(Struct):
    """Plan, absences and what really was."""

    shifts: list[ShiftView]
    absences: list[AbsenceView]
    duties: list[DutyView]
    rest: RestView | None


class PatternView(Struct):
    """How a day can be cut into shifts."""

    id: str
    title_vi: str
    title_en: str
    starts: list[str]
    """By the clock of Asia/Ho_Chi_Minh, hh:mm."""
    hours: float | None


class PositionNow(Struct):
    """A position that is handed over, now."""

    position: str
    duties: list[DutyView]
    """Who has it; empty: nobody has taken it over."""
    planned: list[ShiftView]
    """Who should have it by the roster."""
    next: ShiftView | None
    """The next planned shift within a day."""


class NowView(Struct):
    """Who is on at which position."""

    at: datetime
    positions: list[PositionNow]


def roster_view(roster: Roster, positions: Positions, start: datetime) -> RosterView:
    """`roster` may begin before `start`, so that rests are seen; the answer does not."""
    rest = positions.rest
    tired = short_rests(roster.shifts, rest.hours) if rest else frozenset()
    return RosterView(
        [
            shift_view(shift, roster.absences, tired)
            for shift in roster.shifts
            if shift.ends_at > start
        ],
        [absence_view(one) for one in roster.absences if one.ends_at > start],
        [duty_view(one) for one in roster.duties if one.ended_at is None or one.ended_at > start],
        RestView(rest.hours, rest.source, rest.valid_from, rest.mark) if rest else None,
    )


def shift_view(
    shift: PlannedShift, absences: Sequence[Absence], tired: frozenset[int] = frozenset()
) -> ShiftView:
    """One row."""
    is_absent = any(
        one.person == shift.person
        and one.starts_at < shift.ends_at
        and one.ends_at > shift.starts_at
        for one in absences
    )
    return ShiftView(
        shift.id,
        shift.person,
        shift.position,
        shift.starts_at,
        shift.ends_at,
        shift.pattern,
        shift.note,
        is_absent,
        shift.id in tired,
    )


def absence_view(of: Absence) -> AbsenceView:
    """One absence."""
    return AbsenceView(of.id, of.person, of.starts_at, of.ends_at, of.reason)


def duty_view(of: Duty) -> DutyView:
    """One duty."""
    return DutyView(of.id, of.person, of.position, of.began_at, of.ended_at, of.end_reason)
