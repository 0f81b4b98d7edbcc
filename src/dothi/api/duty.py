"""What somebody on duty needs on a phone, in one answer."""

from datetime import datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.access.principal import Principal
from dothi.api.answer import answer
from dothi.api.people_deps import PeopleDeps, asker, in_thread
from dothi.api.person import NoQuery
from dothi.api.query import decode_query
from dothi.api.shift_view import DutyView, duty_view
from dothi.model.handover import DutyTask


class DutyPage(Struct):
    """Alarms come from /api/v1/alarms."""

    at: datetime
    person: str
    name: str
    permissions: list[str]
    duties: list[DutyView]
    """Of the one who asks, now."""
    tasks: list[DutyTask]
    """Open tasks in incidents whose owner is the one who asks, the most urgent first."""


def endpoints(deps: PeopleDeps) -> list[Endpoint]:
    """Routes of the mobile duty page."""

    def page(principal: Principal) -> DutyPage:
        duties = [one for one in deps.shifts.current() if one.person == principal.name]
        tasks = deps.tasks.tasks_of(principal.name) if deps.tasks is not None else ()
        return DutyPage(
            deps.clock.now(),
            principal.name,
            principal.title or principal.name,
            sorted(principal.permissions),
            [duty_view(one) for one in duties],
            list(tasks),
        )

    async def own(request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await in_thread(page, asker(request)))

    return [
        Endpoint(
            "GET", "/api/v1/duty", Permission.READ, own,
            "Own duties and tasks, for a phone", NoQuery, None, DutyPage, ("shifts",),
        ),
    ]  # fmt: skip
