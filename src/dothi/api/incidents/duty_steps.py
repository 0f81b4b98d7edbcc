"""Steps of running procedures for a phone on duty."""

from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.incidents.deps import IncidentDeps, in_thread
from dothi.api.person import NoQuery
from dothi.api.query import decode_query
from dothi.incidents.open_steps import OpenStep, open_steps


def endpoints(deps: IncidentDeps) -> list[Endpoint]:
    """One answer with the forms, so that a step can be done where there is no network."""

    async def all_(request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(await in_thread(open_steps, deps.centre))

    return [
        Endpoint(
            "GET", "/api/v1/duty/steps", Permission.READ, all_,
            "Open steps of running procedures, for a phone",
            NoQuery, None, list[OpenStep], ("procedures",),
        ),
    ]  # fmt: skip
