"""/info/sourceIdentity: who this broker is, so that others can recognise it (5.15, 6.33)."""

import time

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.alias import tenant_alias
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.wire.answers import answer
from dothi.facades.ngsi_ld.wire.negotiation import (
    JSON,
    LD_JSON,
    choose_media_type,
    context_link,
)
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.times import format_date_time


def identity_handler(broker: Broker) -> Handler:
    """Each tenant has a name of its own; one that does not exist has none (5.5.10)."""
    started_s = time.monotonic()

    async def identify(request: Request) -> Response:
        Parameters(request, frozenset({"local"}))
        media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
        context = await broker.contexts.resolve(context_link(request.headers.getlist("link")))
        alias = tenant_alias(broker.sources.alias, request.headers.get("ngsild-tenant", ""))
        found = {
            "id": f"urn:ngsi-ld:ContextSource:{alias}",
            "type": "ContextSourceIdentity",
            "contextSourceAlias": alias,
            "contextSourceUptime": f"PT{int(time.monotonic() - started_s)}S",
            "contextSourceTimeAt": format_date_time(broker.clock.now()),
        }
        return answer(found, media, context)

    return guarded(identify)
