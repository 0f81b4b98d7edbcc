"""/temporal/entities and /temporal/entities/{id} (clauses 6.18 and 6.19)."""

import asyncio
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.errors import not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entity_maps import (
    MAP_HEADER,
    MAP_PARAMETERS,
    find_map,
    keep_map,
    map_url,
    read_map_request,
)
from dothi.facades.ngsi_ld.operations.projection import (
    PROJECTION_PARAMETERS,
    Projection,
    read_projection,
)
from dothi.facades.ngsi_ld.operations.recording import forget_evolution, record_evolution
from dothi.facades.ngsi_ld.operations.temporal_query import load_evolutions
from dothi.facades.ngsi_ld.operations.times import TIME_PARAMETERS, read_times
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.routes.guard import Handler, entity_id_of, guarded, source_of
from dothi.facades.ngsi_ld.routes.temporal_output import (
    OUTPUT_PARAMETERS,
    aggregated_entities,
    read_output,
)
from dothi.facades.ngsi_ld.wire.answers import empty
from dothi.facades.ngsi_ld.wire.evolution_reading import EvolutionReader
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.ports.evolution import EvolutionHead

_RETRIEVE = TIME_PARAMETERS | PROJECTION_PARAMETERS | OUTPUT_PARAMETERS | MAP_PARAMETERS | {"local"}
_WRITE = frozenset({"local"})


def create_handler(broker: Broker) -> Handler:
    """Create or update (clause 5.6.11)."""

    async def create(request: Request) -> Response:
        Parameters(request, _WRITE)
        payload = await read_payload(request, broker.settings.max_body_bytes)
        context = await payload.context(broker.contexts, payload.document)
        draft = EvolutionReader(context).entity(payload.document)
        is_new = await record_evolution(broker, source_of(request, broker), draft)
        if not is_new:
            return empty()
        return empty(201, {"location": f"{ROOT}/temporal/entities/{quote(draft.id, safe=':')}"})

    return guarded(create)


def retrieve_handler(broker: Broker) -> Handler:
    """Retrieve (clause 5.7.3)."""

    async def retrieve(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _RETRIEVE)
        media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
        context = await request_context(request, broker.contexts)
        times = read_times(parameters)
        projection = read_projection(parameters, context)
        output = read_output(parameters, context, media, times, projection)
        wanted = read_map_request(parameters, request.headers.get(MAP_HEADER, ""))
        head = await _known(broker, entity_id, projection)
        if output.aggregation is not None:
            [content] = await aggregated_entities(broker, output, [head])
            covered = None
        else:
            evolutions, covered = await asyncio.to_thread(
                load_evolutions, broker, [head], projection.wanted(), times
            )
            content = output.written(evolutions[0])
        if not content:
            raise not_found(f"the evolution of {entity_id} has none of the members asked for")
        response = output.response(content, covered)
        if wanted.is_used:
            kept = await find_map(broker, wanted.reference)
            kept = kept or await keep_map(broker, [entity_id], wanted.lifetime)
            response.headers[MAP_HEADER] = map_url(kept)
        return response

    return guarded(retrieve)


async def _known(broker: Broker, entity_id: str, projection: Projection) -> EvolutionHead:
    """The evolution. Raises ResourceNotFound, also when it has none of the attributes."""
    heads = await asyncio.to_thread(broker.evolutions.load, [entity_id])
    if not heads or not heads[0].is_recorded:
        raise not_found(f"there is no temporal evolution of {entity_id}")
    names = {one.name for one in heads[0].series}
    if projection.attributes and names.isdisjoint(projection.attributes):
        raise not_found(
            f"the evolution of {entity_id} has none of the attributes "
            f"{', '.join(projection.attributes)}"
        )
    return heads[0]


def delete_handler(broker: Broker) -> Handler:
    """Delete (clause 5.6.16)."""

    async def delete(request: Request) -> Response:
        entity_id = entity_id_of(request)
        Parameters(request, _WRITE)
        await request_context(request, broker.contexts)
        await forget_evolution(broker, source_of(request, broker), entity_id)
        return empty()

    return guarded(delete)
