"""Public warnings: writing, submitting, releasing by a second person, updating, cancelling."""

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.access.principal import Principal
from dothi.api import warning_files
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.person import NoQuery
from dothi.api.query import Whole, decode_body, decode_query
from dothi.api.warning_view import (
    ForeignRow,
    ForeignView,
    Options,
    PreviewView,
    WarningRow,
    WarningView,
    answer_of,
    foreign_of,
    preview_of,
    row_of,
    view_of,
)
from dothi.model.cap import MsgType, Reference
from dothi.model.problem import Problem
from dothi.model.warning import ForeignWarning, WarningContent
from dothi.ports.warnings import Act, ForeignWarnings, WarningDesk, WarningReceiver

_Reason = Annotated[str, Meta(max_length=2_000)]


class BeginBody(Struct, forbid_unknown_fields=True):
    """A new warning: from an alarm or an incident, or by hand; without a content a first draft."""

    subject: Annotated[str, Meta(pattern=r"^((alarm|incident):\d{1,18})?$")] = ""
    content: WarningContent | None = None


class EditBody(Struct, forbid_unknown_fields=True):
    """The whole text of the message that is worked on."""

    version: Whole
    content: WarningContent


class ActBody(Struct, forbid_unknown_fields=True):
    """A step; to give back and to discard need a reason."""

    version: Whole
    reason: _Reason = ""


class FollowBody(Struct, forbid_unknown_fields=True):
    """Why a released warning is updated or cancelled."""

    reason: _Reason


class AnswerBody(Struct, forbid_unknown_fields=True):
    """An answer to a message of another authority."""

    msg_type: Literal["Ack", "Error"]
    note: _Reason = ""
    """What is wrong with it; an Error needs it."""


class PreviewBody(Struct, forbid_unknown_fields=True):
    """A text that somebody is writing."""

    content: WarningContent
    msg_type: Literal["Alert", "Update", "Cancel"] = "Alert"


class WarningHandlers:
    """Each works on the desk in a worker thread."""

    def __init__(self, deps: ApiDeps, desk: WarningDesk) -> None:
        self._deps = deps
        self._desk = desk

    async def all(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        now_at = self._deps.clock.now()
        found = await self._deps.in_thread(self._desk.all)
        return answer([row_of(one, now_at) for one in found])

    async def options(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        desk = self._desk
        return answer(Options(desk.catalogue, list(desk.statuses), desk.sender, _person(request)))

    async def one(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return await self._told(request, _id(request))

    async def begin(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, BeginBody)
        content = body.content and await self._with_files(body.content)
        desk, person = self._desk, _person(request)
        number = await self._deps.in_thread(desk.create, body.subject, content, person)
        return await self._told(request, number, 201)

    async def preview(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, PreviewBody)
        kind = MsgType(body.msg_type)
        found = await self._deps.in_thread(self._desk.preview, body.content, kind)
        return answer(preview_of(found))

    async def edit(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, EditBody)
        act = Act(_id(request), _person(request), body.version)
        content = await self._with_files(body.content)
        await self._deps.in_thread(self._desk.edit, act, content)
        return await self._told(request, act.warning)

    async def submit(self, request: Request) -> Response:
        return await self._act(request, self._desk.submit)

    async def give_back(self, request: Request) -> Response:
        return await self._act(request, self._desk.give_back)

    async def discard(self, request: Request) -> Response:
        return await self._act(request, self._desk.discard)

    async def release(self, request: Request) -> Response:
        return await self._act(request, self._desk.release)

    async def update(self, request: Request) -> Response:
        return await self._follow(request, MsgType.UPDATE)

    async def cancel(self, request: Request) -> Response:
        return await self._follow(request, MsgType.CANCEL)

    async def foreign(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        kept, now_at = self._deps.foreign_warnings, self._deps.clock.now()
        found = await self._deps.in_thread(kept.all) if kept else []
        return answer([foreign_of(one, now_at) for one in found])

    async def foreign_one(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        kept, number = self._deps.foreign_warnings, _id(request)
        found = await self._deps.in_thread(kept.get, number) if kept else None
        if found is None:
            raise Problem("warning_not_found", "No such warning", f"there is no {number}", 404)
        assert kept is not None  # it was found there
        return answer(await self._deps.in_thread(self._foreign_view, kept, found))

    async def answer_foreign(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, AnswerBody)
        kept, desk, number = self._deps.foreign_warnings, self._deps.warning_answers, _id(request)
        if kept is None or desk is None:
            raise Problem("warning_not_found", "No such warning", f"there is no {number}", 404)
        kind = MsgType(body.msg_type)
        await self._deps.in_thread(desk.answer, number, kind, body.note.strip())
        found = await self._deps.in_thread(kept.get, number)
        assert found is not None  # it was answered
        return answer(await self._deps.in_thread(self._foreign_view, kept, found), 201)

    def _foreign_view(self, kept: ForeignWarnings, found: ForeignWarning) -> ForeignView:
        row = foreign_of(found, self._deps.clock.now())
        answers = kept.answers_to([Reference(found.sender, found.identifier, found.sent_at)])
        return ForeignView(row, found.document, [answer_of(one) for one in answers])

    async def _with_files(self, content: WarningContent) -> WarningContent:
        files = self._deps.warning_files
        if files is None or not content.attachments:
            return replace(content, attachments=())
        return await self._deps.in_thread(files.known, content)

    async def _act(self, request: Request, do: Callable[[Act], None]) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, ActBody)
        act = Act(_id(request), _person(request), body.version, body.reason.strip())
        await self._deps.in_thread(do, act)
        return await self._told(request, act.warning)

    async def _follow(self, request: Request, kind: MsgType) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, FollowBody)
        number, reason = _id(request), body.reason.strip()
        await self._deps.in_thread(self._desk.follow, number, kind, reason, _person(request))
        return await self._told(request, number, 201)

    async def _told(self, request: Request, number: int, status: int = 200) -> Response:
        view = await self._deps.in_thread(self._view, number, _person(request))
        return answer(view, status)

    def _view(self, number: int, person: str) -> WarningView:
        desk = self._desk
        warning = desk.get(number)
        refusal = desk.refusal(warning, person) if warning.open else None
        sent = [
            Reference(one.sender, one.identifier, one.sent_at)
            for one in warning.released
            if one.sent_at is not None
        ]
        kept, now_at = self._deps.foreign_warnings, self._deps.clock.now()
        answers = kept.answers_to(sent) if kept else []
        return view_of(warning, list(desk.events(number)), refusal, answers, now_at)


def _id(request: Request) -> int:
    return int(request.path_params["id"])


def _person(request: Request) -> str:
    principal: Principal = request.state.principal
    return principal.name


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about public warnings; none where there is no desk."""
    if deps.warnings is None:
        return []
    handlers = WarningHandlers(deps, deps.warnings)

    async def receivers(request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(deps.warning_receivers.views() if deps.warning_receivers else [])

    read, tags = Permission.READ, ("warnings",)
    write, release = Permission.WARNINGS_WRITE, Permission.WARNINGS_RELEASE
    root = "/api/v1/warnings"
    one = f"{root}/{{id:int}}"
    files = deps.warning_files
    return [
        *([] if files is None else warning_files.endpoints(files)),
        Endpoint(
            "GET", root, read, handlers.all,
            "Public warnings, the newest first", NoQuery, None, list[WarningRow], tags,
        ),
        Endpoint(
            "POST", root, write, handlers.begin,
            "Begin a public warning", NoQuery, BeginBody, WarningView, tags,
        ),
        Endpoint(
            "GET", f"{root}/options", read, handlers.options,
            "Events, levels of risk and statuses of warnings", NoQuery, None, Options, tags,
        ),
        Endpoint(
            "POST", f"{root}/preview", read, handlers.preview,
            "Check a warning and show it as it would go out",
            NoQuery, PreviewBody, PreviewView, tags,
        ),
        Endpoint(
            "GET", f"{root}/receivers", read, receivers,
            "Who is handed released warnings, and how that goes",
            NoQuery, None, list[WarningReceiver], tags,
        ),
        Endpoint(
            "GET", f"{root}/foreign", read, handlers.foreign,
            "Warnings of other authorities", NoQuery, None, list[ForeignRow], tags,
        ),
        Endpoint(
            "GET", f"{root}/foreign/{{id:int}}", read, handlers.foreign_one,
            "A warning of another authority", NoQuery, None, ForeignView, tags,
        ),
        Endpoint(
            "POST", f"{root}/foreign/{{id:int}}/answer", write, handlers.answer_foreign,
            "Answer a message of another authority: Ack, or Error with the reason",
            NoQuery, AnswerBody, ForeignView, tags,
        ),
        Endpoint(
            "GET", one, read, handlers.one,
            "A public warning with its messages and its record", NoQuery, None, WarningView, tags,
        ),
        Endpoint(
            "PUT", f"{one}/draft", write, handlers.edit,
            "Change the message that is worked on", NoQuery, EditBody, WarningView, tags,
        ),
        Endpoint(
            "POST", f"{one}/submit", write, handlers.submit,
            "Submit it for release", NoQuery, ActBody, WarningView, tags,
        ),
        Endpoint(
            "POST", f"{one}/return", release, handlers.give_back,
            "Give it back to its author", NoQuery, ActBody, WarningView, tags,
        ),
        Endpoint(
            "POST", f"{one}/discard", write, handlers.discard,
            "Discard the message that is worked on", NoQuery, ActBody, WarningView, tags,
        ),
        Endpoint(
            "POST", f"{one}/release", release, handlers.release,
            "Release it to the public, as the second person", NoQuery, ActBody, WarningView, tags,
        ),
        Endpoint(
            "POST", f"{one}/update", write, handlers.update,
            "Begin an update of a released warning", NoQuery, FollowBody, WarningView, tags,
        ),
        Endpoint(
            "POST", f"{one}/cancel", write, handlers.cancel,
            "Begin the cancellation of a released warning", NoQuery, FollowBody, WarningView, tags,
        ),
    ]  # fmt: skip
