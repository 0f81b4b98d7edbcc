"""Procedures: which there are, storing a version, and running them in an incident."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.incidents import shapes
from dothi.api.incidents.deps import IncidentDeps, in_thread, number_in, version_of, who
from dothi.api.incidents.rooms import ROOT, answer_room, room_of
from dothi.api.incidents.shapes import Room
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.incidents import conduct
from dothi.incidents.calendar_file import CalendarFile
from dothi.incidents.conduct import Answered
from dothi.incidents.library import ProcedureLibrary
from dothi.incidents.procedure_file import decode_procedure
from dothi.model.problem import Problem
from dothi.model.procedure import Procedure


class ProcedureBody(Struct, forbid_unknown_fields=True):
    """The file of a procedure."""

    text: Annotated[str, Meta(min_length=1, max_length=200_000)]
    """TOML."""
    check_only: bool = False
    """Only say whether it can be read."""


class ActiveBody(Struct, forbid_unknown_fields=True):
    is_active: bool


class ProcedureVersion(Struct):
    """A stored version."""

    procedure: Procedure
    stored_at: datetime
    stored_by: str
    is_active: bool
    approved_by: str
    approved_at: datetime | None
    """null: a draft."""


class ProcedureText(Struct):
    text: str


class CalendarView(Struct):
    """The working calendar with its sources, and whether its days of today's year are known."""

    calendar: CalendarFile
    today: date
    is_working: bool
    is_known: bool


def versions_of(library: ProcedureLibrary) -> list[ProcedureVersion]:
    """By id, the newest first."""
    return [
        ProcedureVersion(
            s.procedure, s.stored_at, s.stored_by, s.is_active, s.approved_by, s.approved_at
        )
        for s in library.all()
    ]


class ProcedureHandlers:
    def __init__(self, deps: IncidentDeps) -> None:
        self._deps = deps
        self._centre = deps.centre
        self._library = deps.centre.library

    async def all(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(versions_of(self._library))

    async def text(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        name, version = request.path_params["procedure"], number_in(request, "version")
        found = await in_thread(self._library.text, name, version)
        if found is None:
            raise Problem(
                "procedure_not_found", "No such procedure", f"{name!r} version {version}", 404
            )
        return answer(ProcedureText(found))

    async def put(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, ProcedureBody)
        if body.check_only:
            return answer(decode_procedure(body.text, "text"))
        by, at = who(request), self._centre.now()

        def stored() -> Procedure:
            return self._library.add(body.text, "text", by, at, is_draft=True)

        return answer(await in_thread(stored), 201)

    async def activate(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, ActiveBody)
        name, version = request.path_params["procedure"], number_in(request, "version")
        await in_thread(self._library.activate, name, version, body.is_active)
        return await self.all(request)

    async def calendar(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        dated = self._library.calendar
        today = dated.calendar.day_of(self._centre.now())
        is_working, is_known = dated.calendar.is_working(today), dated.calendar.knows(today)
        return answer(CalendarView(dated.file, today, is_working, is_known))

    async def start(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, shapes.StartBody)
        number, by = number_in(request), who(request)

        def started() -> Room:
            record = self._centre.start(number, body.procedure, body.version, by, body.cause)
            return room_of(self._deps, record)

        return answer_room(await in_thread(started), 201)

    async def act(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, shapes.StepBody)
        number, run, by = number_in(request), number_in(request, "run"), who(request)
        step: str = request.path_params["step"]
        version = version_of(request, body.version)
        done = Answered(body.action, body.answers, body.reason, version)
        book = self._library.book

        def acted() -> Room:
            record = self._centre.change(
                number, by, lambda r, actor: conduct.act_on_step(r, run, step, done, book, actor)
            )
            return room_of(self._deps, record)

        return answer_room(await in_thread(acted))

    async def end(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, shapes.ReasonBody)
        number, run, by = number_in(request), number_in(request, "run"), who(request)
        book = self._library.book

        def ended() -> Room:
            record = self._centre.change(
                number, by, lambda r, actor: conduct.end(r, run, body.reason, book, actor)
            )
            return room_of(self._deps, record)

        return answer_room(await in_thread(ended))


def endpoints(deps: IncidentDeps) -> list[Endpoint]:
    """Routes about procedures."""
    h = ProcedureHandlers(deps)
    read, write, tags = Permission.READ, Permission.INCIDENTS_WRITE, ("procedures",)
    runs, version = f"{ROOT}/{{id}}/runs", "/api/v1/procedures/{procedure}/{version}"
    return [
        Endpoint(
            "GET", "/api/v1/procedures", read, h.all,
            "Every version of every procedure", NoQuery, None, list[ProcedureVersion], tags,
        ),
        Endpoint(
            "POST", "/api/v1/procedures", Permission.RULES_WRITE, h.put,
            "Store a version of a procedure as a draft, or only check it",
            NoQuery, ProcedureBody, Procedure, tags,
        ),
        Endpoint(
            "GET", version, read, h.text,
            "The file of a version", NoQuery, None, ProcedureText, tags,
        ),
        Endpoint(
            "PATCH", version, Permission.RULES_APPROVE, h.activate,
            "Let new runs take this version, or not", NoQuery, ActiveBody,
            list[ProcedureVersion], tags,
        ),
        Endpoint(
            "GET", "/api/v1/working-calendar", read, h.calendar,
            "Working days and holidays with their sources", NoQuery, None, CalendarView, tags,
        ),
        Endpoint(
            "POST", runs, write, h.start,
            "Start a procedure in an incident", NoQuery, shapes.StartBody, Room, tags,
        ),
        Endpoint(
            "POST", f"{runs}/{{run}}/steps/{{step}}", write, h.act,
            "Finish, skip, pause or resume a step", NoQuery, shapes.StepBody, Room, tags,
        ),
        Endpoint(
            "POST", f"{runs}/{{run}}/end", write, h.end,
            "Break a procedure off, with the reason", NoQuery, shapes.ReasonBody, Room, tags,
        ),
    ]  # fmt: skip
