"""Writing procedures: form and file checked against each other, clocks tried, versions approved."""

from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.incidents.deps import IncidentDeps, in_thread, number_in, who
from dothi.api.incidents.procedures import ProcedureVersion, versions_of
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.incidents.clock_preview import StepClock, preview
from dothi.incidents.procedure_file import decode_table, procedure_of
from dothi.incidents.procedure_shape import ProcedureTable
from dothi.incidents.procedure_text import write_toml
from dothi.incidents.procedure_words import words_of
from dothi.model.problem import Problem
from dothi.model.procedure import Words

_WHERE = "text"


class CheckBody(Struct, forbid_unknown_fields=True):
    """A procedure that somebody is writing: its file, or what the form holds."""

    text: Annotated[str, Meta(max_length=200_000)] = ""
    table: dict[str, Any] | None = None
    """The keys of the file as JSON; given, the text is made of it."""
    started_at: Annotated[datetime, Meta(tz=True)] | None = None
    """For the clocks; null: now."""


class Finding(Struct):
    """What is wrong."""

    words: Words
    """Names step and field."""
    line: int | None
    """In the text, from 1."""
    remedy: Words


class UnreadableVersion(Struct):
    """A stored version that this dothi cannot read: nothing starts it, and its file is kept."""

    id: str
    version: int
    stored_at: datetime
    stored_by: str
    finding: Finding


class CheckView(Struct):
    """Both forms of the procedure, and what comes of it."""

    text: str
    table: ProcedureTable | None
    """null: a key or value does not fit."""
    finding: Finding | None
    """null: it can be stored."""
    clocks: list[StepClock]
    """By step; empty where something is wrong."""


def endpoints(deps: IncidentDeps) -> list[Endpoint]:
    """Routes of the editor."""
    library = deps.centre.library

    async def check(request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, CheckBody)
        started_at = (body.started_at or deps.centre.now()).astimezone(UTC)
        return answer(await in_thread(checked, body, started_at))

    def checked(body: CheckBody, started_at: datetime) -> CheckView:
        text = body.text if body.table is None else write_toml(body.table)
        table = None
        try:
            table = decode_table(text, _WHERE)
            procedure = procedure_of(table, text, _WHERE)
        except Problem as problem:
            return CheckView(text, table, _finding(problem), [])
        clocks = preview(procedure, started_at, library.calendar.calendar)
        return CheckView(text, table, None, clocks)

    async def unreadable(request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(
            [
                UnreadableVersion(o.id, o.version, o.stored_at, o.stored_by, _finding(o.problem))
                for o in library.unreadable
            ]
        )

    async def approve(request: Request) -> Response:
        decode_query(request, NoQuery)
        name, version = request.path_params["procedure"], number_in(request, "version")
        by, at = who(request), deps.centre.now()

        def approved() -> list[ProcedureVersion]:
            library.approve(name, version, by, at, deps.approvers(by))
            return versions_of(library)

        return answer(await in_thread(approved))

    tags = ("procedures",)
    return [
        Endpoint(
            "POST", "/api/v1/procedures/check", Permission.READ, check,
            "Check a procedure that is being written, and try its clocks",
            NoQuery, CheckBody, CheckView, tags,
        ),
        Endpoint(
            "GET", "/api/v1/procedures/unreadable", Permission.READ, unreadable,
            "Stored versions that cannot be read, and what is wrong with each",
            NoQuery, None, list[UnreadableVersion], tags,
        ),
        Endpoint(
            "POST", "/api/v1/procedures/{procedure}/{version}/approve",
            Permission.RULES_APPROVE, approve,
            "Put a draft of a procedure in use, as the second person",
            NoQuery, None, list[ProcedureVersion], tags,
        ),
    ]  # fmt: skip


def _finding(problem: Problem) -> Finding:
    _, _, line = problem.where.partition("line ")
    number = int(line) if line.isdigit() else None
    return Finding(words_of(problem.detail), number, words_of(problem.remedy))
