"""The record of who did what."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.people_deps import PeopleDeps, in_thread
from dothi.api.person import NoQuery
from dothi.api.query import decode_query


class AuditQuery(Struct, forbid_unknown_fields=True):
    """Newest first."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    before: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    text: Annotated[str, Meta(max_length=100)] = ""
    """In person, action or subject."""


class EntryView(Struct):
    """One thing that somebody did."""

    seq: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: dict[str, str]
    digest: str


class VerifiedView(Struct):
    """What a check of the whole chain found."""

    entries: int
    head: str
    broken_at: int | None
    why: str


def endpoints(deps: PeopleDeps) -> list[Endpoint]:
    """Routes about the audit record."""

    async def latest(request: Request) -> Response:
        asked = decode_query(request, AuditQuery)
        found = await in_thread(deps.audit.latest, asked.limit, asked.before, asked.text)
        return answer(
            [
                EntryView(e.seq, e.at, e.who, e.action, e.subject, dict(e.detail), e.digest)
                for e in found
            ]
        )

    async def verify(request: Request) -> Response:
        decode_query(request, NoQuery)
        found = await in_thread(deps.audit.verify)
        return answer(VerifiedView(found.entries, found.head, found.broken_at, found.why))

    administer, tags = Permission.PEOPLE_ADMINISTER, ("people",)
    root = "/api/v1/audit"
    return [
        Endpoint(
            "GET", root, administer, latest,
            "Who did what, newest first", AuditQuery, None, list[EntryView], tags,
        ),
        Endpoint(
            "GET", f"{root}/verify", administer, verify,
            "Check the chain of the record", NoQuery, None, VerifiedView, tags,
        ),
    ]  # fmt: skip
