"""/entities and /entities/{id} (clauses 6.4 and 6.5)."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entities import (
    create_entity,
    delete_entity,
    retrieve_entity,
)
from dothi.facades.ngsi_ld.operations.query import (
    FILTER_PARAMETERS,
    PAGE_PARAMETERS,
    query_entities,
    read_names,
    read_search,
    read_type,
)
from dothi.facades.ngsi_ld.routes.guard import Handler, entity_id_of, guarded, source_of
from dothi.facades.ngsi_ld.wire.answers import answer, context_value, empty, raw_answer
from dothi.facades.ngsi_ld.wire.negotiation import (
    GEO_JSON,
    JSON,
    LD_JSON,
    choose_media_type,
    link_of_context,
)
from dothi.facades.ngsi_ld.wire.parameters import READ_PARAMETERS, Parameters
from dothi.facades.ngsi_ld.wire.reading import Reader
from dothi.facades.ngsi_ld.wire.representation import Writer, feature, geometry_of
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.ports.entity_query import StoredEntity

ROOT = "/ngsi-ld/v1"
_READ = READ_PARAMETERS | {"attrs", "geometryProperty", "datasetId"}
_RETRIEVE = _READ | {"type"}
_QUERY = _READ | FILTER_PARAMETERS | PAGE_PARAMETERS
_MEDIA_TYPES = (JSON, LD_JSON, GEO_JSON)
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
        media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
        context = await request_context(request, broker.contexts)
        output = _Output(request, parameters, context, media)
        names = read_names(parameters, "attrs", context)
        entity = await retrieve_entity(broker, entity_id, names, read_type(parameters, context))
        return output.one(entity)

    return guarded(retrieve)


def query_handler(broker: Broker) -> Handler:
    async def query(request: Request) -> Response:
        parameters = Parameters(request, _QUERY)
        media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
        context = await request_context(request, broker.contexts)
        output = _Output(request, parameters, context, media)
        search = read_search(parameters, context, broker)
        page = await query_entities(broker, search, counts=parameters.is_true("count"))
        response = output.many(page.entities)
        if page.total is not None:
            response.headers["NGSILD-Results-Count"] = str(page.total)
        if search.limit:
            back = max(search.offset - search.limit, 0)
            steps = [("prev", back)] if search.offset else []
            steps += [("next", search.offset + search.limit)] if page.has_next else []
            for relation, offset in steps:
                link = _page_link(request, search.limit, offset)
                response.headers.append("link", f'<{link}>;rel="{relation}";type="{media}"')
        return response

    return guarded(query)


def delete_handler(broker: Broker) -> Handler:
    async def delete(request: Request) -> Response:
        entity_id = entity_id_of(request)
        parameters = Parameters(request, _NO_PARAMETERS | {"type"})
        context = await request_context(request, broker.contexts)
        selection = read_type(parameters, context)
        await delete_entity(broker, source_of(request, broker), entity_id, selection)
        return empty()

    return guarded(delete)


class _Output:
    """How the entities of one answer are written."""

    def __init__(
        self, request: Request, parameters: Parameters, context: LdContext, media: str
    ) -> None:
        self._context = context
        self._media = media
        self._writer = Writer(context, parameters.format(), parameters.wants_system_attributes())
        self._geometry = context.stored(parameters.text("geometryProperty") or "location")
        self._dataset = parameters.text("datasetId").removeprefix("@none")
        self._has_context_in_body = request.headers.get("prefer", "") != "body=json"

    def one(self, entity: StoredEntity) -> Response:
        if self._media != GEO_JSON:
            return answer(self._writer.entity(entity), self._media, self._context)
        return self._geo_answer(self._feature(entity, has_context=self._has_context_in_body))

    def many(self, entities: list[StoredEntity]) -> Response:
        if self._media != GEO_JSON:
            written = [self._writer.entity(entity) for entity in entities]
            return answer(written, self._media, self._context)
        features = [self._feature(entity, has_context=False) for entity in entities]
        found: dict[str, Any] = {"type": "FeatureCollection", "features": features}
        if self._has_context_in_body:
            found["@context"] = context_value(self._context)
        return self._geo_answer(found)

    def _feature(self, entity: StoredEntity, *, has_context: bool) -> dict[str, Any]:
        geometry = geometry_of(entity, self._geometry, self._dataset)
        context = context_value(self._context) if has_context else None
        return feature(self._writer.entity(entity), geometry, context)

    def _geo_answer(self, content: dict[str, Any]) -> Response:
        response = raw_answer(content, GEO_JSON)
        if not self._has_context_in_body:
            response.headers.append("link", link_of_context(self._context.url))
        return response


def _page_link(request: Request, limit: int, offset: int) -> str:
    """Path of another page: the filters as they were sent, then limit and offset."""
    kept = [
        part
        for part in request.url.query.split("&")
        if part and part.partition("=")[0] not in {"limit", "offset"}
    ]
    query = "&".join([*kept, f"limit={limit}", f"offset={offset}"])
    return f"{request.url.path.rstrip('/')}?{query}"
