"""What keeps alarms from the operators: shelved, suppressed by design, out of service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.alarms import actions
from dothi.alarms.changes import Context, Why
from dothi.alarms.suppression import allows, is_in_force
from dothi.api.alarm_actions import MaybeReason, Name, Reason, aware, name_of, why_of
from dothi.api.alarm_deps import AlarmDeps
from dothi.api.alarm_view import SuppressionView
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.api.series_query import Instant
from dothi.model.alarm import OPEN, Alarm, Suppressed, Suppression, SuppressionCause
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.ports.alarms import AlarmBook, AlarmQuery, AlarmReader

_MOST_COUNTED = 5_000


class SuppressionsQuery(Struct, forbid_unknown_fields=True):
    """`ended_since`: also those that ended then or later."""

    ended_since: Instant | None = None


class Suppressing(Struct, forbid_unknown_fields=True):
    """What is kept from the operators: every given condition must hold."""

    cause: Literal["parent", "maintenance", "flood", "permit"]
    reason: Reason
    from_at: datetime | None = None
    """Default: now."""
    until_at: datetime | None = None
    rule: Name = ""
    entity: Name = ""
    area: Name = ""
    parent: Name = ""
    """Rule whose active alarm at the same entity suppresses (cause parent)."""
    least_urgent: Annotated[int, Meta(ge=1, le=4)] | None = None
    """Only alarms of this priority and less urgent ones (cause flood)."""
    permit: Name = ""
    """Number of the permit (cause permit: out of service)."""


class SuppressionHandlers:
    """Each is one transaction in a worker thread."""

    def __init__(self, deps: ApiDeps, alarms: AlarmDeps) -> None:
        self._deps = deps
        self._alarms = alarms

    async def all(self, request: Request) -> Response:
        asked = decode_query(request, SuppressionsQuery)
        return answer(await self._deps.in_thread(self._all, asked.ended_since))

    async def begin(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, Suppressing)
        wanted = Suppression(
            cause=SuppressionCause(body.cause),
            by=name_of(request),
            reason=body.reason.strip(),
            from_at=aware(body.from_at or self._deps.clock.now(), "from_at"),
            until_at=None if body.until_at is None else aware(body.until_at, "until_at"),
            rule=body.rule,
            entity=body.entity,
            area=body.area,
            parent=body.parent,
            least_urgent=None if body.least_urgent is None else Priority(body.least_urgent),
            permit=body.permit.strip(),
        )
        return answer(await self._deps.in_thread(self._begin, wanted), 201)

    async def end(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, MaybeReason)
        why, number = why_of(request, body.reason), int(request.path_params["id"])
        return answer(await self._deps.in_thread(self._end, number, why))

    def _all(self, ended_since: datetime | None) -> list[SuppressionView]:
        reader, now = self._alarms.reader, self._deps.clock.now()
        kept = kept_alarms(reader)
        return [suppression_view(one, now, kept) for one in reader.suppressions(ended_since)]

    def _begin(self, wanted: Suppression) -> SuppressionView:
        now = self._deps.clock.now()
        with self._alarms.ledger.writing() as book:
            made = actions.suppress(book, wanted, self._alarms.context(now))
        return suppression_view(made, now, kept_alarms(self._alarms.reader))

    def _end(self, number: int, why: Why) -> SuppressionView:
        now = self._deps.clock.now()
        with self._alarms.ledger.writing() as book:
            ended = _end(book, number, why, self._alarms.context(now))
        return suppression_view(ended, now, ())


def kept_alarms(reader: AlarmReader) -> list[Alarm]:
    """Open alarms that are kept from the operators."""
    return reader.page(AlarmQuery(states=OPEN, is_suppressed=True, limit=_MOST_COUNTED))


def kept_by(
    alarm: Alarm, reader: AlarmReader, now: datetime
) -> list[tuple[Suppression, datetime, Sequence[Alarm]]]:
    """What keeps one alarm from the operators, as `suppression_view` takes it."""
    if not alarm.suppressed:
        return []
    return [
        (one, now, (alarm,))
        for one in reader.suppressions()
        if is_in_force(one, now) and _keeps(one, alarm)
    ]


def suppression_view(
    one: Suppression, now: datetime, kept: Sequence[Alarm] = ()
) -> SuppressionView:
    """`kept`: alarms that are kept from the operators, by whatever it is."""
    is_now = is_in_force(one, now)
    state = "in_force" if is_now else "planned" if one.ended_at is None else "ended"
    if one.until_at is not None and one.until_at <= now:
        state = "ended"
    return SuppressionView(
        id=one.id,
        cause=str(one.cause),
        by=one.by,
        reason=one.reason,
        from_at=one.from_at,
        until_at=one.until_at,
        rule=one.rule,
        entity=one.entity,
        area=one.area,
        parent=one.parent,
        least_urgent=None if one.least_urgent is None else int(one.least_urgent),
        permit=one.permit,
        ended_at=one.ended_at,
        ended_by=one.ended_by,
        state=state,
        alarms=sum(_keeps(one, alarm) for alarm in kept) if is_now else 0,
    )


def _keeps(one: Suppression, alarm: Alarm) -> bool:
    return alarm.suppressed & one.cause.kind != Suppressed.NO and allows(one, alarm)


def _end(book: AlarmBook, number: int, why: Why, context: Context) -> Suppression:
    for one in book.suppressions():
        if one.id == number:
            return actions.end(book, one, why, context)
    raise Problem(
        "suppression_unknown",
        "Unknown suppression",
        f"no suppression {number} is in force",
        404,
        where=f"suppression {number}",
        remedy="GET /api/v1/alarms/suppressions lists them",
    )


def endpoints(deps: ApiDeps, alarms: AlarmDeps) -> list[Endpoint]:
    """Routes about suppressions."""
    does = SuppressionHandlers(deps, alarms)
    root, tags = "/api/v1/alarms/suppressions", ("alarms",)
    return [
        Endpoint(
            "GET", root, Permission.READ, does.all,
            "What is shelved, suppressed by design or out of service, now or later",
            SuppressionsQuery, None, list[SuppressionView], tags,
        ),
        Endpoint(
            "POST", root, Permission.ALARMS_OPERATE, does.begin,
            "Suppress by design or take out of service",
            NoQuery, Suppressing, SuppressionView, tags,
        ),
        Endpoint(
            "POST", f"{root}/{{id:int}}/end", Permission.ALARMS_OPERATE, does.end,
            "End a suppression before its time", NoQuery, MaybeReason, SuppressionView, tags,
        ),
    ]  # fmt: skip
