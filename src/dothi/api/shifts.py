"""The duty roster, and taking positions over."""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.people_deps import PeopleDeps, asker, in_thread, number_in
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.api.shift_view import (
    AbsenceBody,
    AbsenceView,
    DutyView,
    NowView,
    PatternView,
    PlanBody,
    PositionNow,
    RangeQuery,
    ReasonBody,
    ReassignBody,
    RosterView,
    ShiftView,
    TakeBody,
    absence_view,
    duty_view,
    roster_view,
    shift_view,
)
from dothi.duty.roster import RosterOrder, rows_of
from dothi.model.problem import Problem
from dothi.model.shift import Absence, PlannedShift

_DAY = timedelta(days=1)
_LONGEST_SHIFT = timedelta(days=2)
_LONGEST_RANGE = timedelta(days=100)
_LONGEST_ABSENCE = timedelta(days=366)
_YEARS = range(2000, 2101)


class ShiftHandlers:
    """Each asks the store in a worker thread."""

    def __init__(self, deps: PeopleDeps) -> None:
        self._deps = deps

    async def now(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await in_thread(self._now))

    async def roster(self, request: Request) -> Response:
        asked = decode_query(request, RangeQuery)
        start, end = _span(asked.start, asked.end, _LONGEST_RANGE)
        found = await in_thread(self._deps.shifts.roster, start - _LONGEST_SHIFT, end)
        return answer(roster_view(found, self._deps.positions, start))

    async def patterns(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(
            [
                PatternView(p.id, p.title_vi, p.title_en, [f"{s:%H:%M}" for s in p.starts], p.hours)
                for p in self._deps.positions.patterns.values()
            ]
        )

    async def plan(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, PlanBody)
        rows = self._rows(body)
        await in_thread(self._require_holders, body.position, body.people)
        stored = await in_thread(self._deps.shifts.plan, rows, asker(request).name)
        return answer([shift_view(shift, ()) for shift in stored], 201)

    async def reassign(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, ReassignBody)
        await in_thread(self._deps.require_people, body.person)
        by, number = asker(request).name, number_in(request)
        changed = await in_thread(self._deps.shifts.reassign, number, body.person, by, body.reason)
        return answer(shift_view(changed, ()))

    async def cancel(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, ReasonBody)
        by, number = asker(request).name, number_in(request)
        await in_thread(self._deps.shifts.cancel, number, by, body.reason)
        return Response(status_code=204)

    async def add_absence(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, AbsenceBody)
        span = _span(body.start, body.end, _LONGEST_ABSENCE)
        await in_thread(self._deps.require_people, body.person)
        given = Absence(0, body.person, *span, body.reason)
        stored = await in_thread(self._deps.shifts.add_absence, given, asker(request).name)
        return answer(absence_view(stored), 201)

    async def remove_absence(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        by, number = asker(request).name, number_in(request)
        await in_thread(self._deps.shifts.remove_absence, number, by)
        return Response(status_code=204)

    async def take(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, TakeBody)
        taken = await in_thread(self._deps.desk.take, asker(request).name, body.position)
        return answer(duty_view(taken), 201)

    async def leave(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, ReasonBody)
        who, number = asker(request).name, number_in(request)
        return answer(duty_view(await in_thread(self._deps.desk.leave, number, who, body.reason)))

    def _now(self) -> NowView:
        deps, now = self._deps, self._deps.clock.now()
        duties = deps.shifts.current()
        roster = deps.shifts.roster(now, now + _DAY)
        listed = [p.id for p in deps.positions.by_id.values() if p.is_on_shift]
        listed += [d.position for d in duties if d.position not in listed]
        found = []
        for position in dict.fromkeys(listed):
            rows = [shift for shift in roster.shifts if shift.position == position]
            views = [shift_view(shift, roster.absences) for shift in rows]
            found.append(
                PositionNow(
                    position,
                    [duty_view(duty) for duty in duties if duty.position == position],
                    [view for view in views if view.starts_at <= now],
                    next((view for view in views if view.starts_at > now), None),
                )
            )
        return NowView(now, found)

    def _rows(self, body: PlanBody) -> list[PlannedShift]:
        """Raises Problem: neither a pattern with a first day nor one shift with its span."""
        if body.start is not None and body.end is not None and len(body.people) == 1:
            span = _span(body.start, body.end, _LONGEST_SHIFT)
            return [PlannedShift(0, body.people[0], body.position, *span)]
        pattern = self._deps.positions.patterns.get(body.pattern)
        if pattern is None or body.first_day is None or body.first_day.year not in _YEARS:
            raise Problem(
                "roster_invalid",
                "The roster cannot be made so",
                "a pattern and its first day are needed, or one person with start and end",
                where="pattern, first_day",
                remedy=f"patterns: {', '.join(self._deps.positions.patterns)}",
            )
        return rows_of(RosterOrder(pattern, body.position, body.people, body.first_day, body.days))

    def _require_holders(self, position: str, ids: list[str]) -> None:
        self._deps.require_people(*ids)
        for one in ids:
            person = self._deps.people.get(one)
            if person is None or position not in person.positions:
                raise Problem(
                    "position_not_held",
                    "Not at this position",
                    f"{one} does not hold the position {position}",
                    409,
                    where="people",
                    remedy="give the position on the screen of people first",
                )


def _span(start: datetime, end: datetime, longest: timedelta) -> tuple[datetime, datetime]:
    """In UTC. Raises Problem: not in order, too long, or outside of the years."""
    if start.year not in _YEARS or end.year not in _YEARS or not start < end <= start + longest:
        raise Problem(
            "span_invalid",
            "This is no span of time",
            f"from {start.isoformat()} to {end.isoformat()}",
            where="start, end",
            remedy=f"end after start, at most {longest.days} days later, years 2000 to 2100",
        )
    return start.astimezone(UTC), end.astimezone(UTC)


def endpoints(deps: PeopleDeps) -> list[Endpoint]:
    """Routes about shifts."""
    handlers = ShiftHandlers(deps)
    read, administer, on_duty = Permission.READ, Permission.PEOPLE_ADMINISTER, Permission.DUTY
    root, tags = "/api/v1/shifts", ("shifts",)
    return [
        Endpoint(
            "GET", root, read, handlers.roster,
            "The roster, absences and duties of some days", RangeQuery, None, RosterView, tags,
        ),
        Endpoint(
            "GET", f"{root}/now", read, handlers.now,
            "Who is on at which position", NoQuery, None, NowView, tags,
        ),
        Endpoint(
            "GET", f"{root}/patterns", read, handlers.patterns,
            "How a day can be cut into shifts", NoQuery, None, list[PatternView], tags,
        ),
        Endpoint(
            "POST", root, administer, handlers.plan,
            "Plan shifts from a pattern, or one by hand",
            NoQuery, PlanBody, list[ShiftView], tags,
        ),
        Endpoint(
            "PATCH", f"{root}/{{id}}", administer, handlers.reassign,
            "Another person works a planned shift", NoQuery, ReassignBody, ShiftView, tags,
        ),
        Endpoint(
            "POST", f"{root}/{{id}}/cancel", administer, handlers.cancel,
            "Take a planned shift out of the roster", NoQuery, ReasonBody, None, tags,
        ),
        Endpoint(
            "POST", f"{root}/absences", administer, handlers.add_absence,
            "Somebody is away", NoQuery, AbsenceBody, AbsenceView, tags,
        ),
        Endpoint(
            "DELETE", f"{root}/absences/{{id}}", administer, handlers.remove_absence,
            "Somebody is not away after all", NoQuery, None, None, tags,
        ),
        Endpoint(
            "POST", f"{root}/take", on_duty, handlers.take,
            "Take over a position without a sheet", NoQuery, TakeBody, DutyView, tags,
        ),
        Endpoint(
            "POST", f"{root}/duties/{{id}}/leave", on_duty, handlers.leave,
            "End the own duty with nobody to hand over to", NoQuery, ReasonBody, DutyView, tags,
        ),
    ]  # fmt: skip
