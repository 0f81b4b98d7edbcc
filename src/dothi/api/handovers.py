"""Handover sheets: prepared, signed by both, kept."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.people_deps import PeopleDeps, asker, in_thread, number_in
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.model.handover import Handover
from dothi.model.problem import Problem


class OpenBody(Struct, forbid_unknown_fields=True):
    """The duty that ends."""

    duty: Annotated[int, Meta(ge=1, le=2**53)]


class NotesBody(Struct, forbid_unknown_fields=True):
    """Notes for whoever comes; what is open is read anew."""

    notes: Annotated[str, Meta(max_length=20_000)]
    revision: int
    """Of the sheet that was read: what somebody else wrote meanwhile is not overwritten."""


class SignBody(Struct, forbid_unknown_fields=True):
    """What is signed."""

    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """Of the sheet that was read."""
    missing_reason: Annotated[str, Meta(max_length=500)] = ""
    """Only who takes over alone: why the other cannot sign."""


class PageQuery(Struct, forbid_unknown_fields=True):
    """Newest first."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    before: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    position: Annotated[str, Meta(max_length=64)] = ""


class ItemView(Struct):
    """Something open."""

    kind: str
    subject: str
    title: str
    state: str
    since_at: datetime
    detail: str
    title_en: str = ""
    """Empty: the same; sheets of before there were two languages have none."""
    detail_en: str = ""


class SheetView(Struct):
    """What was or will be signed."""

    duty_began_at: datetime
    prepared_at: datetime
    items: list[ItemView]


class HandoverView(Struct):
    """One handover. Notes and sheet are fixed by the first signature."""

    id: int
    position: str
    duty: int
    outgoing: str
    opened_at: datetime
    revision: int
    notes: str
    digest: str
    """SHA-256 of `text`, hex."""
    text: str
    """The sheet as it is signed, byte for byte."""
    sheet: SheetView | None
    outgoing_signed_at: datetime | None
    incoming: str
    incoming_signed_at: datetime | None
    missing_reason: str
    closed_at: datetime | None


class HandoverHandlers:
    """Each asks the store in a worker thread."""

    def __init__(self, deps: PeopleDeps) -> None:
        self._deps = deps

    async def latest(self, request: Request) -> Response:
        asked = decode_query(request, PageQuery)
        handovers = self._deps.handovers
        found = await in_thread(handovers.latest, asked.limit, asked.before, asked.position)
        return answer([_view(one) for one in found])

    async def one(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(_view(await self._known(request)))

    async def open(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, OpenBody)
        return answer(
            _view(await in_thread(self._deps.desk.open, body.duty, asker(request).name)), 201
        )

    async def write(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, NotesBody)
        known, who = await self._known(request), asker(request).name
        desk = self._deps.desk
        return answer(_view(await in_thread(desk.write, known, body.notes, body.revision, who)))

    async def sign(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, SignBody)
        known, who = await self._known(request), asker(request).name
        signed = await in_thread(self._deps.desk.sign, known, who, body.digest, body.missing_reason)
        return answer(_view(signed))

    async def withdraw(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        known, who = await self._known(request), asker(request).name
        return answer(_view(await in_thread(self._deps.handovers.withdraw, known.id, who)))

    async def _known(self, request: Request) -> Handover:
        number = number_in(request)
        found = await in_thread(self._deps.handovers.get, number)
        if found is None:
            raise Problem(
                "handover_not_found",
                "No such sheet",
                f"there is no handover {number}",
                404,
                remedy="GET /api/v1/handovers lists them",
            )
        return found


def _view(of: Handover) -> HandoverView:
    return HandoverView(
        of.id,
        of.position,
        of.duty,
        of.outgoing,
        of.opened_at,
        of.revision,
        of.notes,
        of.digest,
        of.sheet,
        msgspec.json.decode(of.sheet, type=SheetView) if of.sheet else None,
        of.outgoing_signed_at,
        of.incoming,
        of.incoming_signed_at,
        of.missing_reason,
        of.closed_at,
    )


def endpoints(deps: PeopleDeps) -> list[Endpoint]:
    """Routes about handovers."""
    handlers = HandoverHandlers(deps)
    read, on_duty, tags = Permission.READ, Permission.DUTY, ("shifts",)
    root = "/api/v1/handovers"
    one = f"{root}/{{id}}"
    return [
        Endpoint(
            "GET", root, read, handlers.latest,
            "Handovers, newest first", PageQuery, None, list[HandoverView], tags,
        ),
        Endpoint(
            "GET", one, read, handlers.one, "One handover", NoQuery, None, HandoverView, tags,
        ),
        Endpoint(
            "POST", root, on_duty, handlers.open,
            "Prepare the sheet of a duty, or get the one that is there",
            NoQuery, OpenBody, HandoverView, tags,
        ),
        Endpoint(
            "PUT", f"{one}/notes", on_duty, handlers.write,
            "Write notes and read anew what is open", NoQuery, NotesBody, HandoverView, tags,
        ),
        Endpoint(
            "POST", f"{one}/sign", on_duty, handlers.sign,
            "Sign the sheet; the second signature hands the duty over",
            NoQuery, SignBody, HandoverView, tags,
        ),
        Endpoint(
            "POST", f"{one}/withdraw", on_duty, handlers.withdraw,
            "Take back the only signature", NoQuery, None, HandoverView, tags,
        ),
    ]  # fmt: skip
