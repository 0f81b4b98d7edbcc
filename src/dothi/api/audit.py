"""The record of who did what: questions, the check of its chain, files."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.people_deps import PeopleDeps, in_thread
from dothi.api.person import NoQuery
from dothi.api.query import decode_query
from dothi.api.series_query import Instant
from dothi.model.audit import AuditEntry
from dothi.model.problem import Problem
from dothi.model.table_text import harmless
from dothi.ports.audit import AuditQuestion

MOST_EXPORTED = 100_000
_Text = Annotated[str, Meta(max_length=100)]


class ExportQuery(Struct, forbid_unknown_fields=True):
    """Which entries; every condition that is given must hold."""

    who: _Text = ""
    kind: list[Annotated[str, Meta(pattern=r"^[a-z_]{1,50}$")]] = []
    """What subjects begin with, e.g. alarm, incident; several: any of them."""
    subject: Annotated[str, Meta(max_length=500)] = ""
    """Exactly this, or entries about several things of which it is one."""
    start: Instant | None = None
    end: Instant | None = None
    text: _Text = ""
    """In person, action, subject or detail."""
    format: Literal["csv", "json"] = "csv"


class AuditPageQuery(ExportQuery):
    """Newest first, page by page."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    before: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    """Only entries before this one."""


class EntryView(Struct):
    """One thing that somebody did."""

    seq: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: dict[str, str]
    previous: str
    """Digest of the entry before."""
    digest: str


class AuditPage(Struct):
    """`next`: give it as `before` for the next page; null: this was the last."""

    items: list[EntryView]
    next: int | None


class VerifiedView(Struct):
    """What a check of the whole chain found."""

    entries: int
    head: str
    broken_at: int | None
    why: str
    first_at: datetime | None
    last_at: datetime | None
    checked_at: datetime


def endpoints(deps: PeopleDeps) -> list[Endpoint]:
    """Routes about the audit record."""

    async def page(request: Request) -> Response:
        asked = decode_query(request, AuditPageQuery)
        question = replace(_question(asked), limit=asked.limit + 1, before=asked.before)
        found = await in_thread(deps.audit.find, question)
        items = [_view(one) for one in found[: asked.limit]]
        return answer(AuditPage(items, items[-1].seq if len(found) > asked.limit else None))

    async def people(request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await in_thread(deps.audit.people))

    async def export(request: Request) -> Response:
        asked = decode_query(request, ExportQuery)
        question = replace(_question(asked), limit=MOST_EXPORTED + 1)
        found = await in_thread(deps.audit.find, question)
        if len(found) > MOST_EXPORTED:
            raise Problem(
                "export_too_large",
                "Too much for one file",
                f"these are more than {MOST_EXPORTED:,} entries",
                413,
                where="query start",
                remedy="take a shorter span of time, or one person",
            )
        day = deps.clock.now().strftime("%Y%m%d")
        headers = {
            "content-disposition": f'attachment; filename="dothi-audit-{day}.{asked.format}"',
            "cache-control": "no-store",
        }
        if asked.format == "json":
            body = await in_thread(msgspec.json.encode, [_view(one) for one in found])
            return Response(body, 200, headers, "application/json")
        text = await in_thread(_csv, found)
        return Response(text, 200, headers, "text/csv; charset=utf-8")

    async def verify(request: Request) -> Response:
        decode_query(request, NoQuery)
        found = await in_thread(deps.audit.verify)
        span = found.first_at, found.last_at
        broken = found.broken_at, found.why
        return answer(VerifiedView(found.entries, found.head, *broken, *span, deps.clock.now()))

    may, tags, root = Permission.AUDIT_READ, ("audit",), "/api/v1/audit"
    return [
        Endpoint(
            "GET", root, may, page,
            "Who did what, newest first", AuditPageQuery, None, AuditPage, tags,
        ),
        Endpoint(
            "GET", f"{root}/people", may, people,
            "Everybody who stands in the record", NoQuery, None, list[str], tags,
        ),
        Endpoint(
            "GET", f"{root}/export", may, export,
            "Entries as a file, CSV or JSON; this is itself told", ExportQuery, None, None, tags,
        ),
        Endpoint(
            "GET", f"{root}/verify", may, verify,
            "Check the chain of the record", NoQuery, None, VerifiedView, tags,
        ),
    ]  # fmt: skip


def _question(asked: ExportQuery) -> AuditQuestion:
    return AuditQuestion(
        who=asked.who,
        kinds=asked.kind,
        subject=asked.subject,
        begin_at=asked.start,
        end_at=asked.end,
        text=asked.text,
    )


def _view(of: AuditEntry) -> EntryView:
    said = of.who, of.action, of.subject, dict(of.detail)
    return EntryView(of.seq, of.at, *said, of.previous, of.digest)


def _csv(entries: Sequence[AuditEntry]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EntryView.__struct_fields__)
    writer.writerows(_rows(entries))
    return out.getvalue()


def _rows(entries: Sequence[AuditEntry]) -> Iterator[list[object]]:
    for entry in entries:
        row = msgspec.to_builtins(_view(entry))
        row["detail"] = msgspec.json.encode(row["detail"]).decode()
        yield [harmless(cell) for cell in row.values()]
