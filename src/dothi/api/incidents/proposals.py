"""Procedures that standing alarms call for: shown beside the alarm and on the desk."""

from datetime import datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.incidents.deps import IncidentDeps, in_thread
from dothi.api.query import Whole, decode_query
from dothi.incidents.calling import proposals
from dothi.model.procedure import Words


class ProposalQuery(Struct, forbid_unknown_fields=True):
    """All standing alarms, or one."""

    alarm: Whole | None = None


class CalledView(Struct):
    """Open an incident with this procedure?"""

    alarm: str
    """Subject, e.g. `alarm:12`."""
    alarm_title: str
    alarm_title_en: str
    """Empty: as `alarm_title`."""
    entity: str
    """Its name."""
    priority: int
    raised_at: datetime
    procedure: str
    title: Words
    is_example: bool
    is_automatic: bool
    """It opens by itself within seconds."""


def endpoints(deps: IncidentDeps) -> list[Endpoint]:
    """Nothing of what is answered is in an incident already."""

    def asked(query: ProposalQuery) -> list[CalledView]:
        if deps.news is None:
            return []
        only = [] if query.alarm is None else [f"alarm:{query.alarm}"]
        return [
            CalledView(
                one.alarm.subject,
                one.alarm.title,
                one.alarm.title_en,
                one.alarm.entity,
                one.alarm.priority,
                one.alarm.raised_at,
                one.called.procedure.id,
                one.called.procedure.title,
                one.called.procedure.is_example,
                one.called.is_automatic,
            )
            for one in proposals(deps.centre, deps.news, only)
        ]

    async def all_(request: Request) -> Response:
        return answer(await in_thread(asked, decode_query(request, ProposalQuery)))

    return [
        Endpoint(
            "GET", "/api/v1/procedure-proposals", Permission.READ, all_,
            "Procedures that standing alarms call for and that nobody has begun",
            ProposalQuery, None, list[CalledView], ("procedures",),
        ),
    ]  # fmt: skip
