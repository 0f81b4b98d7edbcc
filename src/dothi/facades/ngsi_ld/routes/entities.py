"""/entities and /entities/{id} (clauses 6.4 and 6.5)."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entities import (
    create_entity,
    delete_entity,
    retrieve_entity,
    retrieve_written,
)
from dothi.facades.ngsi_ld.operations.entity_maps import (
    MAP_HEADER,
    MAP_PARAMETERS,
    find_map,
    keep_map,
    read_map_request,
)
from dothi.facades.ngsi_ld.operations.query import linked_entities, read_names, read_type
from dothi.facades.ngsi_ld.routes.guard import Handler, entity_id_of, guarded, source_of
from dothi.facades.ngsi_ld.routes.output import MEDIA_TYPES, OUTPUT_PARAMETERS, Output
from dothi.facades.ngsi_ld.wire.answers import empty
from dothi.facades.ngsi_ld.wire.negotiation import choose_media_type
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.reading import Reader
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context

ROOT = "/ngsi-ld/v1"
_RETRIEVE = OUTPUT_PARAMETERS | MAP_PARAMETERS | {"attrs", "type"}
_NO_PARAMETERS: frozenset[str] = frozenset({"local"})


def create_handler(broker: Broker) -> Handler:
    async def create(request: Request) -> Response:
        Parameters(request, _NO_PARAMETERS)
        payload = await read_payload(request, broker.settings.max_body_bytes)
        context = await payload.context(broker.contexts, payload.document)
        draft = Reader(context).entity(payload.document)
        await create_entity(broker, source_of(request, broker), draft)
        return empty(201, {"location": f"{ROOT}/entities/{quote(draft.id, safe=':')}"})

    return guarded(create)


def retrieve_handler(broker: Broker) -> Handler:
    async def retrieve(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _RETRIEVE)
        media = choose_media_type(request.headers.get("accept", ""), MEDIA_TYPES)
        context = await request_context(request, broker.contexts)
        output = Output(request, parameters, context, media)
        names = read_names(parameters, "attrs", context)
        wanted = read_map_request(parameters, request.headers.get(MAP_HEADER, ""))
        types = read_type(parameters, context)
        form = None if names or types else output.form(is_alone=True)
        if form is not None:
            response = output.one_written(await retrieve_written(broker, entity_id, form))
        else:
            entity = await retrieve_entity(broker, entity_id, names, types)
            response = output.one(entity, await linked_entities(broker, [entity], output.join))
        if wanted.is_used:
            found = await find_map(broker, wanted.reference)
            if found is None:
                found = await keep_map(broker, [entity_id], wanted.lifetime)
            response.headers[MAP_HEADER] = f"{ROOT}/entityMaps/{found.id}"
        return response

    return guarded(retrieve)


def delete_handler(broker: Broker) -> Handler:
    async def delete(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _NO_PARAMETERS | {"type"})
        context = await request_context(request, broker.contexts)
        selection = read_type(parameters, context)
        await delete_entity(broker, source_of(request, broker), entity_id, selection)
        return empty()

    return guarded(delete)
