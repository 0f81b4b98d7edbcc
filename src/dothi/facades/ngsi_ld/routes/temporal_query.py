"""Querying evolutions by GET and POST (clauses 6.18.3.2 and 6.24)."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entity_maps import (
    MAP_HEADER,
    MAP_PARAMETERS,
    MapRequest,
    map_body,
    map_url,
    read_map_request,
)
from dothi.facades.ngsi_ld.operations.temporal_maps import make_temporal_map, page_of_map
from dothi.facades.ngsi_ld.operations.temporal_query import (
    SEARCH_PARAMETERS,
    TemporalPage,
    TemporalSearch,
    evolutions_of_page,
    query_evolutions,
    read_selector,
    read_temporal_search,
)
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.routes.temporal_output import (
    OUTPUT_PARAMETERS,
    aggregated_entities,
    read_output,
)
from dothi.facades.ngsi_ld.wire.answers import answer
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.paging import page_link
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.facades.ngsi_ld.wire.temporal import TemporalFormat
from dothi.ports.entity_maps import EntityMap
from dothi.ports.evolution import EntitySelector

_QUERY = SEARCH_PARAMETERS | OUTPUT_PARAMETERS | MAP_PARAMETERS
_PAGING = frozenset({"limit", "offset", "count", "local", "splitEntities"})
_POST = OUTPUT_PARAMETERS | MAP_PARAMETERS | _PAGING
_LISTS = ("attrs", "pick", "omit", "datasetId")
_TEXTS = ("q", "csf", "lang", "scopeQ", "expandValues", "jsonKeys")
_TEMPORAL = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN")
_AGGREGATION = ("aggrMethods", "aggrPeriodDuration")
_GEO = ("georel", "geometry", "coordinates", "geoproperty")


def query_handler(broker: Broker) -> Handler:
    """By GET."""

    async def query(request: Request) -> Response:
        return await _answer(request, broker, await _by_parameters(request, broker))

    return guarded(query)


def post_query_handler(broker: Broker) -> Handler:
    """By POST with a Query as its body (clause 5.2.23)."""

    async def query(request: Request) -> Response:
        return await _answer(request, broker, await _by_body(request, broker))

    return guarded(query)


def map_handler(broker: Broker) -> Handler:
    """GET /temporal/entityMaps (clauses 5.14.5 and 6.35)."""

    async def make(request: Request) -> Response:
        return await _map(request, broker, await _by_parameters(request, broker))

    return guarded(make)


def post_map_handler(broker: Broker) -> Handler:
    """POST /temporal/entityMaps."""

    async def make(request: Request) -> Response:
        return await _map(request, broker, await _by_body(request, broker))

    return guarded(make)


class _Asked(Struct, frozen=True):
    """A query, however it was sent."""

    parameters: Parameters
    context: LdContext
    media: str
    selectors: Sequence[EntitySelector]


async def _by_parameters(request: Request, broker: Broker) -> _Asked:
    parameters = Parameters(request, _QUERY)
    media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
    context = await request_context(request, broker.contexts)
    return _Asked(parameters, context, media, [read_selector(parameters, context)])


async def _by_body(request: Request, broker: Broker) -> _Asked:
    given = Parameters(request, _POST)
    media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
    payload = await read_payload(request, broker.settings.max_body_bytes)
    context = await payload.context(broker.contexts, payload.document)
    document = payload.document
    if not isinstance(document, dict) or document.get("type") != "Query":
        raise bad_request_data('the body must be an object of the type "Query"')
    parameters = Parameters.of({**given.values, **_members(document)})
    return _Asked(parameters, context, media, _selectors(document.get("entities", []), context))


async def _map(request: Request, broker: Broker, query: _Asked) -> Response:
    asked = read_temporal_search(query.parameters, query.context, broker, query.selectors)
    found = await make_temporal_map(broker, asked, read_map_request(query.parameters, ""))
    response = answer(map_body(found), query.media, query.context, 201)
    response.headers[MAP_HEADER] = map_url(found)
    return response


async def _answer(request: Request, broker: Broker, query: _Asked) -> Response:
    parameters, context, media = query.parameters, query.context, query.media
    asked = read_temporal_search(parameters, context, broker, query.selectors)
    is_post = request.method == "POST"
    # A body has no options; methods in it ask for aggregation by themselves.
    default = (
        TemporalFormat.AGGREGATED
        if is_post and "aggrMethods" in parameters
        else TemporalFormat.NORMALIZED
    )
    output = read_output(parameters, context, media, asked.times, asked.projection, default=default)
    wanted = read_map_request(parameters, request.headers.get(MAP_HEADER, ""))
    page, found, is_new = await _page(broker, asked, wanted)
    covered = None
    if output.aggregation is not None:
        written = await aggregated_entities(broker, output, page.heads)
    else:
        evolutions, covered = await evolutions_of_page(broker, asked, page.heads)
        written = [output.written(evolution) for evolution in evolutions]
    response = output.response([one for one in written if one], covered)
    _link(request, response, asked, page, media)
    if found is not None:
        response.headers[MAP_HEADER] = map_url(found)
        response.status_code = 201 if is_new else response.status_code
    return response


async def _page(
    broker: Broker, asked: TemporalSearch, wanted: MapRequest
) -> tuple[TemporalPage, EntityMap | None, bool]:
    if wanted.is_used:
        return await page_of_map(broker, asked, wanted)
    return await query_evolutions(broker, asked), None, False


def _link(
    request: Request, response: Response, asked: TemporalSearch, page: TemporalPage, media: str
) -> None:
    if page.total is not None:
        response.headers["NGSILD-Results-Count"] = str(page.total)
    if not asked.limit:
        return
    steps = [("prev", max(asked.offset - asked.limit, 0))] if asked.offset else []
    steps += [("next", asked.offset + asked.limit)] if page.has_next else []
    for relation, offset in steps:
        link = page_link(request, asked.limit, offset)
        response.headers.append("link", f'<{link}>;rel="{relation}";type="{media}"')


def _members(document: dict[str, Any]) -> dict[str, str]:
    """Members of a Query as the parameters that mean the same."""
    found = {name: _text(document[name], name) for name in (*_TEXTS, *_LISTS) if name in document}
    parts = (
        ("temporalQ", (*_TEMPORAL, *_AGGREGATION)),
        ("aggrParams", _AGGREGATION),
        ("geoQ", _GEO),
        ("ordering", ("orderBy", "collation")),
    )
    for part, names in parts:
        inner = document.get(part, {})
        if not isinstance(inner, dict):
            raise bad_request_data(f"the member {part} must be an object")
        for name in names:
            if name in inner:
                found[name] = _text(inner[name], f"{part}.{name}")
    return found


def _text(value: Any, where: str) -> str:
    if where == "geoQ.coordinates" and not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return ",".join(value)
    if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return str(value)
    raise bad_request_data(f"{where} must be a string, a number or an array of strings")


def _selectors(raw: Any, context: LdContext) -> list[EntitySelector]:
    if not isinstance(raw, list):
        raise bad_request_data("entities must be an array of objects with type, id or idPattern")
    found = []
    for n, one in enumerate(raw):
        if not isinstance(one, dict) or one.keys().isdisjoint({"type", "id", "idPattern"}):
            raise bad_request_data(f"entities[{n}] needs one of type, id and idPattern")
        texts = {
            name: _text(one[name], f"entities[{n}].{name}")
            for name in ("type", "id", "idPattern")
            if name in one
        }
        found.append(read_selector(Parameters.of(texts), context))
    return found or [EntitySelector()]
