"""Where registered sources send what they notify on our behalf (clause 5.8.6).

Who may send knows the id of a subscription that was made at one source alone. The tenant stands in
the path, because the source names its own tenant in the header.
"""

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.facades.ngsi_ld.distributed.caller import caller_of
from dothi.facades.ngsi_ld.distributed.inbound import Inbound
from dothi.facades.ngsi_ld.distributed.legs import INBOUND, Legs
from dothi.facades.ngsi_ld.errors import invalid_request, loop_detected, not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.routes.contexts import BaseUrl
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.routes.tenancy import Hubs
from dothi.facades.ngsi_ld.wire.answers import empty, problem
from dothi.facades.ngsi_ld.wire.request import read_body
from dothi.ports.hubs import HubPorts

Find = Callable[[HubPorts, str], Inbound | None]
"""What takes notifications for a hub of a tenant; None: it has no subscriptions."""


def inbound_endpoints(hubs: Hubs, find: Find, max_body_bytes: int) -> list[Endpoint]:
    """POST at and below INBOUND."""

    async def receive(request: Request) -> Response:
        tenant = str(request.path_params.get("tenant", "")).rstrip("/")
        raw = await read_body(request, max_body_bytes)
        try:
            body = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise invalid_request(f"the body is no JSON: {error}") from error
        async with hubs.use(tenant) as hub:
            inbound = find(hub, tenant)
            if inbound is None:
                raise not_found("nobody waits for notifications here")
            await inbound.receive(body)
        return empty(200)

    return [
        Endpoint(
            "POST",
            path,
            Permission.PUBLIC,
            guarded(receive),
            "Take a notification of a registered source",
            tags=("NGSI-LD",),
        )
        for path in (INBOUND, f"{INBOUND}/{{tenant:path}}")
    ]


def reached(endpoint: Endpoint, legs: Legs, base: BaseUrl) -> Handler:
    """The handler, which also learns under which address others reach us."""
    own = endpoint.handler

    async def answer(request: Request) -> Response:
        legs.reached_at(base(request))
        response: Response = await own(request)
        return response

    return answer


def without_loops(endpoint: Endpoint, broker: Broker) -> Handler:
    """The handler, which refuses what went through this broker already (clause 6.3.17)."""
    own = endpoint.handler

    async def answer(request: Request) -> Response:
        if "via" in request.headers:
            context = await broker.contexts.resolve(None)
            if caller_of(request, context, broker.sources.alias).is_loop:
                return problem(loop_detected("the Via header names this broker already"))
        response: Response = await own(request)
        return response

    return guarded(answer)
