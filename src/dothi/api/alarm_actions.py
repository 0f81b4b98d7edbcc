"""What people do to alarms: acknowledge, comment, assign, shelve."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.access.principal import Principal
from dothi.alarms import actions
from dothi.alarms.actions import MOST_AT_ONCE, Seen
from dothi.alarms.changes import Context, Why
from dothi.alarms.shift import Shift
from dothi.api.alarm_deps import AlarmDeps
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import Whole, decode_body, decode_query
from dothi.live.alarm_view import AlarmView, alarm_view
from dothi.model.alarm import Alarm
from dothi.model.problem import Problem
from dothi.ports.alarms import AlarmBook

Reason = Annotated[str, Meta(max_length=2_000)]
Name = Annotated[str, Meta(max_length=300)]
T = TypeVar("T")


class SeenAlarm(Struct, forbid_unknown_fields=True):
    """An alarm as it was shown."""

    id: Whole
    activations: Whole
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


class AlarmActions:
    """Each is one transaction in a worker thread."""

    def __init__(self, deps: ApiDeps, alarms: AlarmDeps) -> None:
        self._deps = deps
        self._alarms = alarms

    async def acknowledge(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, Acknowledging)
        seen = [Seen(one.id, one.activations) for one in body.alarms]
        why = why_of(request, body.comment)
        changed = await self._do(lambda book, now: actions.acknowledge(book, seen, why, now))
        return answer([alarm_view(one) for one in changed])

    async def comment(self, request: Request) -> Response:
        alarm, body = await self._asked(request, Remark)
        why = why_of(request, body.reason)
        return await self._one(lambda book, now: actions.comment(book, alarm, why, now))

    async def assign(self, request: Request) -> Response:
        alarm, body = await self._asked(request, Assigning)
        why = why_of(request, body.reason)
        return await self._one(lambda book, now: actions.assign(book, alarm, body.owner, why, now))

    async def reset(self, request: Request) -> Response:
        alarm, body = await self._asked(request, MaybeReason)
        why = why_of(request, body.reason)
        return await self._one(lambda book, now: actions.reset(book, alarm, why, now))

    async def shelve(self, request: Request) -> Response:
        alarm, body = await self._asked(request, Shelving)
        until_at, why = aware(body.until_at, "until_at"), why_of(request, body.reason)
        shift = await self._deps.in_thread(self._shift_of, alarm)
        return await self._one(
            lambda book, now: actions.shelve(book, alarm, until_at, why, now, shift.ends_at)
        )

    def _shift_of(self, number: int) -> Shift:
        """The present one of the position that answers for the alarm."""
        alarm = self._alarms.reader.get(number)
        position = "" if alarm is None else alarm.position
        return self._alarms.shift_at(self._deps.clock.now(), position)

    async def unshelve(self, request: Request) -> Response:
        alarm, body = await self._asked(request, MaybeReason)
        why = why_of(request, body.reason)
        return await self._one(lambda book, now: actions.unshelve(book, alarm, why, now))

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


def aware(moment: datetime, name: str) -> datetime:
    if moment.tzinfo is None:
        raise Problem(
            "body_invalid",
            "Body not understood",
            f"{name}: a time needs a zone",
            where=name,
            remedy="write it as 2026-11-22T08:00:00Z",
        )
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise Problem(
            "body_invalid",
            "Body not understood",
            f"{name}: there is no such time in UTC",
            where=name,
            remedy="give a time of these days",
        ) from error


def why_of(request: Request, reason: str) -> Why:
    return Why(name_of(request), reason.strip())


def name_of(request: Request) -> str:
    principal: Principal = request.state.principal
    return principal.name


def endpoints(deps: ApiDeps, alarms: AlarmDeps) -> list[Endpoint]:
    """Routes by which people act on alarms."""
    does = AlarmActions(deps, alarms)
    operate, tags = Permission.ALARMS_OPERATE, ("alarms",)
    root = "/api/v1/alarms"
    return [
        Endpoint(
            "POST", f"{root}/acknowledge", operate, does.acknowledge,
            "Acknowledge alarms that were seen", NoQuery, Acknowledging, list[AlarmView], tags,
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
