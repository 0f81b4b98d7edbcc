"""/entityMaps and /entityMaps/{id} (clauses 6.32 and 6.34)."""

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entity_maps import (
    MAP_HEADER,
    delete_map,
    make_map,
    map_body,
    read_map_request,
    retrieve_map,
    update_map,
)
from dothi.facades.ngsi_ld.operations.search import check_depth, read_search
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.routes.output import Output
from dothi.facades.ngsi_ld.routes.query import Query, asked_by_body, asked_by_parameters
from dothi.facades.ngsi_ld.wire.answers import answer, empty
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context

_ROOT = "/ngsi-ld/v1/entityMaps"
_MEDIA_TYPES = (JSON, LD_JSON)
_NONE: frozenset[str] = frozenset({"local"})


def make_handler(broker: Broker) -> Handler:
    async def make(request: Request) -> Response:
        return await _make(broker, request, await asked_by_parameters(broker, request))

    return guarded(make)


def post_handler(broker: Broker) -> Handler:
    async def make(request: Request) -> Response:
        return await _make(broker, request, await asked_by_body(broker, request))

    return guarded(make)


def retrieve_handler(broker: Broker) -> Handler:
    async def retrieve(request: Request) -> Response:
        Parameters(request, _NONE)
        media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
        context = await request_context(request, broker.contexts)
        found = await retrieve_map(broker, _map_id(request))
        return answer(map_body(found), media, context)

    return guarded(retrieve)


def update_handler(broker: Broker) -> Handler:
    async def update(request: Request) -> Response:
        Parameters(request, _NONE)
        payload = await read_payload(
            request, broker.settings.max_body_bytes, takes_merge_patch=True
        )
        await payload.context(broker.contexts, payload.document)
        await update_map(broker, _map_id(request), payload.document)
        return empty()

    return guarded(update)


def delete_handler(broker: Broker) -> Handler:
    async def delete(request: Request) -> Response:
        Parameters(request, _NONE)
        await request_context(request, broker.contexts)
        await delete_map(broker, _map_id(request))
        return empty()

    return guarded(delete)


async def _make(broker: Broker, request: Request, asked: Query) -> Response:
    """The same parameters as for a query are checked; some mean nothing here (clause 5.14.4)."""
    media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
    output = Output(request, asked.parameters, asked.context, media)
    search = read_search(asked.parameters, asked.context, broker.settings, asked.selectors)
    check_depth(search, output.join.levels)
    lifetime = read_map_request(asked.parameters, "").lifetime
    found = await make_map(broker, search, lifetime)
    response = answer(map_body(found), media, asked.context, 201)
    response.headers[MAP_HEADER] = f"{_ROOT}/{found.id}"
    return response


def _map_id(request: Request) -> str:
    found: str = request.path_params["map_id"].removesuffix("/")
    return found
