"""/entities and /entities/{id} (clauses 6.4 and 6.5)."""

from urllib.parse import quote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
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
    MapRequest,
    find_map,
    keep_map,
    read_map_request,
)
from dothi.facades.ngsi_ld.operations.query import linked_entities, read_names, read_type
from dothi.facades.ngsi_ld.routes.guard import Handler, entity_id_of, guarded, source_of
from dothi.facades.ngsi_ld.routes.output import MEDIA_TYPES, OUTPUT_PARAMETERS, Output
from dothi.facades.ngsi_ld.routes.readings import Readings
from dothi.facades.ngsi_ld.wire.answers import empty
from dothi.facades.ngsi_ld.wire.negotiation import choose_media_type
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.reading import Reader
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.model.condition import Condition
from dothi.ports.entity_query import Form

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


class _Wanted(Struct, frozen=True):
    """What a retrieval asks for beside the id."""

    output: Output
    form: Form | None
    """None: the entity has to be looked at before it is written."""
    names: tuple[str, ...]
    types: Condition | None
    map: MapRequest


def retrieve_handler(broker: Broker) -> Handler:
    async def read(request: Request) -> tuple[LdContext, _Wanted]:
        parameters = Parameters(request, _RETRIEVE)
        media = choose_media_type(request.headers.get("accept", ""), MEDIA_TYPES)
        context = await request_context(request, broker.contexts)
        output = Output(request, parameters, context, media)
        names = read_names(parameters, "attrs", context)
        wanted = read_map_request(parameters, request.headers.get(MAP_HEADER, ""))
        types = read_type(parameters, context)
        form = None if names or types else output.form(is_alone=True)
        return context, _Wanted(output, form, names, types, wanted)

    readings = Readings(broker.contexts, read)

    async def retrieve(request: Request) -> Response:
        entity_id = entity_id_of(request)
        wanted = await readings.of(request)
        output = wanted.output
        if wanted.form is not None:
            response = output.one_written(await retrieve_written(broker, entity_id, wanted.form))
        else:
            entity = await retrieve_entity(broker, entity_id, wanted.names, wanted.types)
            response = output.one(entity, await linked_entities(broker, [entity], output.join))
        if wanted.map.is_used:
            found = await find_map(broker, wanted.map.reference)
            if found is None:
                found = await keep_map(broker, [entity_id], wanted.map.lifetime)
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
