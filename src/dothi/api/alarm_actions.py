"""What people do to alarms: acknowledge, comment, assign, shelve, suppress, take out of service."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.access.principal import Principal
from dothi.alarms import actions
from dothi.alarms.actions import MOST_AT_ONCE, Seen
from dothi.alarms.changes import Context, Why
from dothi.api.alarm_deps import AlarmDeps
from dothi.api.alarm_view import SuppressionView, suppression_view
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.live.alarm_view import AlarmView, alarm_view
from dothi.model.alarm import Alarm, Suppression, SuppressionCause
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.ports.alarms import AlarmBook

Reason = Annotated[str, Meta(max_length=2_000)]
Name = Annotated[str, Meta(max_length=300)]
T = TypeVar("T")


class SeenAlarm(Struct, forbid_unknown_fields=True):
    """An alarm as it was shown."""

    id: Annotated[int, Meta(ge=1)]
    activations: Annotated[int, Meta(ge=1)]
    """What the list or the detail said: a later activation was not seen."""


class Acknowledging(Struct, forbid_unknown_fields=True):
    """Alarms of the visible page."""

    alarms: Annotated[list[SeenAlarm], Meta(min_length=1, max_length=MOST_AT_ONCE)]
    comment: Reason = ""


class Remark(Struct, forbid_unknown_fields=True):
    """A text of a person."""

    reason: Reason


class Assigning(Struct, forbid_unknown_fields=True):
    """Whose it is from now on."""

    owner: Name
    """Person; empty: nobody."""
    reason: Reason = ""


class Shelving(Struct, forbid_unknown_fields=True):
    """Until when, and why."""

    until_at: datetime
    reason: Reason


class MaybeReason(Struct, forbid_unknown_fields=True):
    """Why, where one wants to say it."""

    reason: Reason = ""


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


class AlarmActions:
    """Each is one transaction in a worker thread."""

    def __init__(self, deps: ApiDeps, alarms: AlarmDeps) -> None:
        self._deps = deps
        self._alarms = alarms

    async def acknowledge(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, Acknowledging)
        seen = [Seen(one.id, one.activations) for one in body.alarms]
        why = _why(request, body.comment)
        changed = await self._do(lambda book, now: actions.acknowledge(book, seen, why, now))
        return answer([alarm_view(one) for one in changed])

    async def comment(self, request: Request) -> Response:
        alarm, body = await self._asked(request, Remark)
        why = _why(request, body.reason)
        return await self._one(lambda book, now: actions.comment(book, alarm, why, now))

    async def assign(self, request: Request) -> Response:
        alarm, body = await self._asked(request, Assigning)
        why = _why(request, body.reason)
        return await self._one(lambda book, now: actions.assign(book, alarm, body.owner, why, now))

    async def reset(self, request: Request) -> Response:
        alarm, body = await self._asked(request, MaybeReason)
        why = _why(request, body.reason)
        return await self._one(lambda book, now: actions.reset(book, alarm, why, now))

    async def shelve(self, request: Request) -> Response:
        alarm, body = await self._asked(request, Shelving)
        until_at, why = _aware(body.until_at, "until_at"), _why(request, body.reason)
        ends_at = self._alarms.shift_at(self._deps.clock.now()).ends_at
        return await self._one(
            lambda book, now: actions.shelve(book, alarm, until_at, why, now, ends_at)
        )

    async def unshelve(self, request: Request) -> Response:
        alarm, body = await self._asked(request, MaybeReason)
        why = _why(request, body.reason)
        return await self._one(lambda book, now: actions.unshelve(book, alarm, why, now))

    async def suppressions(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        found = await self._deps.in_thread(self._alarms.reader.suppressions)
        return answer([suppression_view(one) for one in found])

    async def suppress(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, Suppressing)
        wanted = Suppression(
            cause=SuppressionCause(body.cause),
            by=_name_of(request),
            reason=body.reason,
            from_at=_aware(body.from_at or self._deps.clock.now(), "from_at"),
            until_at=None if body.until_at is None else _aware(body.until_at, "until_at"),
            rule=body.rule,
            entity=body.entity,
            area=body.area,
            parent=body.parent,
            least_urgent=None if body.least_urgent is None else Priority(body.least_urgent),
            permit=body.permit,
        )
        made = await self._do(lambda book, now: actions.suppress(book, wanted, now))
        return answer(suppression_view(made), 201)

    async def end(self, request: Request) -> Response:
        number, body = await self._asked(request, MaybeReason)
        why = _why(request, body.reason)
        ended = await self._do(lambda book, now: _end(book, number, why, now))
        return answer(suppression_view(ended))

    async def _asked(self, request: Request, shape: type[T]) -> tuple[int, T]:
        decode_query(request, NoQuery)
        return int(request.path_params["id"]), await decode_body(request, shape)

    async def _one(self, act: Callable[[AlarmBook, Context], Alarm]) -> Response:
        return answer(alarm_view(await self._do(act)))

    async def _do(self, act: Callable[[AlarmBook, Context], T]) -> T:
        def work() -> T:
            with self._alarms.ledger.writing() as book:
                return act(book, self._alarms.context(self._deps.clock.now()))

        return await self._deps.in_thread(work)


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


def _aware(moment: datetime, name: str) -> datetime:
    if moment.tzinfo is None:
        raise Problem(
            "body_invalid",
            "Body not understood",
            f"{name}: a time needs a zone",
            where=name,
            remedy="write it as 2026-11-22T08:00:00Z",
        )
    return moment.astimezone(UTC)


def _why(request: Request, reason: str) -> Why:
    return Why(_name_of(request), reason.strip())


def _name_of(request: Request) -> str:
    principal: Principal = request.state.principal
    return principal.name


def endpoints(deps: ApiDeps, alarms: AlarmDeps) -> list[Endpoint]:
    """Routes by which people act on alarms."""
    does = AlarmActions(deps, alarms)
    read, operate, tags = Permission.READ, Permission.ALARMS_OPERATE, ("alarms",)
    root = "/api/v1/alarms"
    return [
        Endpoint(
            "POST", f"{root}/acknowledge", operate, does.acknowledge,
            "Acknowledge alarms that were seen", NoQuery, Acknowledging, list[AlarmView], tags,
        ),
        Endpoint(
            "GET", f"{root}/suppressions", read, does.suppressions,
            "What is shelved, suppressed by design or out of service, now or later",
            NoQuery, None, list[SuppressionView], tags,
        ),
        Endpoint(
            "POST", f"{root}/suppressions", operate, does.suppress,
            "Suppress by design or take out of service",
            NoQuery, Suppressing, SuppressionView, tags,
        ),
        Endpoint(
            "POST", f"{root}/suppressions/{{id:int}}/end", operate, does.end,
            "End a suppression before its time", NoQuery, MaybeReason, SuppressionView, tags,
        ),
        *(
            Endpoint(
                "POST", f"{root}/{{id:int}}/{name}", operate, handler,
                summary, NoQuery, body, AlarmView, tags,
            )
            for name, handler, summary, body in (
                ("comment", does.comment, "Put a remark into the record", Remark),
                ("assign", does.assign, "Make somebody the owner", Assigning),
                ("reset", does.reset, "Release a latched alarm", MaybeReason),
                ("shelve", does.shelve, "Shelve, with reason and end", Shelving),
                ("unshelve", does.unshelve, "Take back from the shelf", MaybeReason),
            )
        ),
    ]  # fmt: skip
