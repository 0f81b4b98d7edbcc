"""Who is signed in, and what the map can show."""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.access.principal import Principal
from dothi.api.answer import answer
from dothi.api.deps import ApiDeps
from dothi.api.layers import Layer
from dothi.api.query import decode_query


class NoQuery(Struct, forbid_unknown_fields=True):
    """A request without parameters."""


class Me(Struct, frozen=True):
    """The one who asks."""

    name: str
    """Of a person the id."""
    title: str
    """The name that people read."""
    positions: list[str]
    permissions: list[str]
    version: str
    mode: str
    """normal, example or drill."""


def endpoints(deps: ApiDeps) -> list[Endpoint]:
    """Routes about the one who asks."""

    async def me(request: Request) -> Response:
        decode_query(request, NoQuery)
        principal: Principal = request.state.principal
        return answer(
            Me(
                principal.name,
                principal.title or principal.name,
                list(principal.positions),
                sorted(principal.permissions),
                deps.version,
                deps.mode,
            )
        )

    async def layers(request: Request) -> Response:
        decode_query(request, NoQuery)
        return answer(list(deps.layers))

    read, tags = Permission.READ, ("console",)
    return [
        Endpoint("GET", "/api/v1/me", read, me, "Who is signed in", NoQuery, None, Me, tags),
        Endpoint(
            "GET", "/api/v1/layers", read, layers, "Map layers", NoQuery, None, list[Layer], tags
        ),
    ]
