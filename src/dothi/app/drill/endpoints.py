"""What the console asks of a drill."""

from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.person import NoQuery
from dothi.api.query import decode_query
from dothi.app.drill.play import DrillView, Play


def drill_endpoints(play: Play) -> list[Endpoint]:
    """Only a program that runs a drill has them."""

    async def show(request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(play.view())

    return [
        Endpoint(
            "GET",
            "/api/v1/drill",
            Permission.READ,
            show,
            "The drill that runs: its clock and what the instructor has said",
            NoQuery,
            None,
            DrillView,
            ("console",),
        )
    ]
