"""The after-action report of an incident, as HTML or PDF."""

from typing import Literal

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.incidents.deps import IncidentDeps, in_thread, number_in
from dothi.api.incidents.rooms import ROOT
from dothi.api.query import decode_query
from dothi.incidents.report.as_html import as_html
from dothi.incidents.report.as_typst import as_typst
from dothi.incidents.report.build import Beside, build_report

_NAMES = {"vi": "bao-cao-su-co", "en": "incident-report"}


class ReportParameters(Struct, forbid_unknown_fields=True):
    """Which report."""

    lang: Literal["vi", "en"] = "vi"
    format: Literal["html", "pdf"] = "html"


def endpoints(deps: IncidentDeps) -> list[Endpoint]:
    """Routes about reports."""

    async def report(request: Request) -> Response:
        asked = decode_query(request, ReportParameters)
        number = number_in(request)
        content = await in_thread(_made, deps, number, asked)
        media = "application/pdf" if asked.format == "pdf" else "text/html; charset=utf-8"
        name = f"{_NAMES[asked.lang]}-{number}.{asked.format}"
        headers = {
            "content-disposition": f'inline; filename="{name}"',
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        }
        return Response(content, media_type=media, headers=headers)

    return [
        Endpoint(
            "GET", f"{ROOT}/{{id}}/report", Permission.READ, report,
            "After-action report from the record (HTML or PDF)", ReportParameters, None, None,
            ("incidents",),
        ),
    ]  # fmt: skip


def _made(deps: IncidentDeps, number: int, asked: ReportParameters) -> bytes:
    centre = deps.centre
    record, book = centre.get(number), centre.library.book
    beside = Beside(deps.roles, centre.warnings_about(number), deps.name_of)
    document = build_report(record, book, asked.lang, centre.now(), beside)
    if asked.format == "html":
        return as_html(document).encode()
    return deps.typeset(as_typst(document))
