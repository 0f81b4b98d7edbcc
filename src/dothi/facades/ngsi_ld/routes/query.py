"""GET /entities and POST /entityOperations/query (clauses 6.4.3.2 and 6.23.3.1)."""

import re
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.conditions import SYSTEM_NAMES
from dothi.facades.ngsi_ld.operations.entity_maps import (
    MAP_HEADER,
    MAP_PARAMETERS,
    MapRequest,
    find_map,
    make_map,
    page_by_map,
    read_map_request,
)
from dothi.facades.ngsi_ld.operations.query import (
    Page,
    linked_entities,
    query_entities,
    query_written,
)
from dothi.facades.ngsi_ld.operations.query_body import means_all, read_query, selection
from dothi.facades.ngsi_ld.operations.search import (
    FILTER_PARAMETERS,
    ORDER_PARAMETERS,
    PAGE_PARAMETERS,
    check_depth,
    read_search,
)
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.routes.output import MEDIA_TYPES, OUTPUT_PARAMETERS, Output
from dothi.facades.ngsi_ld.routes.readings import Readings
from dothi.facades.ngsi_ld.wire.negotiation import choose_media_type
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.model.condition import Condition
from dothi.ports.entity_query import EntitySearch, Form

QUERY_PARAMETERS = (
    OUTPUT_PARAMETERS | FILTER_PARAMETERS | PAGE_PARAMETERS | ORDER_PARAMETERS | MAP_PARAMETERS
)
_ROOT = "/ngsi-ld/v1"
_OF_PAGE = re.compile(r"(?:^|&)(?:limit|offset)=[^&]*")


class Query(Struct, frozen=True):
    """A query as it was asked, by whichever method."""

    parameters: Parameters
    context: LdContext
    selectors: Condition | None = None


class _Wanted(Struct, frozen=True):
    """What a query asks for."""

    search: EntitySearch
    output: Output
    form: Form | None
    """None: the entities have to be looked at before they are written."""
    map: MapRequest
    counts: bool
    media: str


def query_handler(broker: Broker) -> Handler:
    async def read(request: Request) -> tuple[LdContext, _Wanted]:
        asked = await asked_by_parameters(broker, request)
        return asked.context, _wanted(broker, request, asked)

    readings = Readings(broker.contexts, read)

    async def query(request: Request) -> Response:
        return await _answer(broker, request, await readings.of(request))

    return guarded(query)


def post_handler(broker: Broker) -> Handler:
    async def query(request: Request) -> Response:
        asked = await asked_by_body(broker, request)
        return await _answer(broker, request, _wanted(broker, request, asked))

    return guarded(query)


async def asked_by_parameters(broker: Broker, request: Request) -> Query:
    """The query of a GET. Raises NgsiError."""
    parameters = Parameters(request, QUERY_PARAMETERS)
    return Query(parameters, await request_context(request, broker.contexts))


async def asked_by_body(broker: Broker, request: Request) -> Query:
    """The query of a POST: the data type Query, and URL parameters beside it. Raises NgsiError."""
    parameters = Parameters(request, QUERY_PARAMETERS)
    payload = await read_payload(request, broker.settings.max_body_bytes)
    context = await payload.context(broker.contexts, payload.document)
    found, selectors = read_query(payload.document)
    if means_all(selectors) and "local" not in parameters:
        found["local"] = "true"
    parameters.add(found.items(), QUERY_PARAMETERS)
    return Query(parameters, context, selection(selectors, context))


def _wanted(broker: Broker, request: Request, asked: Query) -> _Wanted:
    parameters, context = asked.parameters, asked.context
    media = choose_media_type(request.headers.get("accept", ""), MEDIA_TYPES)
    output = Output(request, parameters, context, media)
    search = read_search(parameters, context, broker.settings, asked.selectors)
    check_depth(search, output.join.levels)
    wanted = read_map_request(parameters, request.headers.get(MAP_HEADER, ""))
    shown = output.projection.attributes()
    if shown and not wanted.is_used and SYSTEM_NAMES.isdisjoint(shown):
        # Of other entities nothing would be shown.
        search = replace(search, attributes=shown)
    counts = parameters.is_true("count")
    is_plain = not (wanted.is_used or search.attributes)
    form = output.form(is_alone=False) if is_plain else None
    return _Wanted(search, output, form, wanted, counts, media)


async def _answer(broker: Broker, request: Request, wanted: _Wanted) -> Response:
    search, output, counts = wanted.search, wanted.output, wanted.counts
    header, is_new = "", False
    if wanted.form is not None:
        page = await query_written(broker, search, wanted.form, counts=counts)
        response = output.many_written(page.written or [])
    else:
        page, header, is_new = await _page(broker, search, wanted.map, counts, output.names)
        linked = await linked_entities(broker, page.entities, output.join)
        response = output.many(page.entities, linked)
    if page.total is not None:
        response.headers["NGSILD-Results-Count"] = str(page.total)
    if header:
        response.headers[MAP_HEADER] = header
        response.status_code = 201 if is_new else 200
    for link in page_links(request, search, page, wanted.media):
        response.headers.append("link", link)
    return response


async def _page(
    broker: Broker,
    search: EntitySearch,
    wanted: MapRequest,
    counts: bool,
    names: tuple[str, ...],
) -> tuple[Page, str, bool]:
    """The page, the URL of the map that it belongs to, and whether that is new."""
    if not wanted.is_used:
        return await query_entities(broker, search, counts=counts, names=names), "", False
    found = await find_map(broker, wanted.reference)
    is_new = found is None
    if found is None:
        found = await make_map(broker, search, wanted.lifetime)
    page = await page_by_map(broker, search, found, counts=counts, names=names)
    return page, f"{_ROOT}/entityMaps/{found.id}", is_new


def page_links(request: Request, search: EntitySearch, page: Page, media: str) -> list[str]:
    """Link headers to the pages before and after (clause 6.3.10)."""
    if not search.limit:
        return []
    back = replace(search, offset=max(search.offset - search.limit, 0))
    steps = [("prev", back.offset)] if search.offset else []
    steps += [("next", search.offset + search.limit)] if page.has_next else []
    return [
        f'<{_page_link(request, search.limit, offset)}>;rel="{relation}";type="{media}"'
        for relation, offset in steps
    ]


def _page_link(request: Request, limit: int, offset: int) -> str:
    """Path of another page: parameters in the order of their names, as readable as a link may be.

    A comma is written as %2C: clients split the values of the header at commas.
    """
    others = _OF_PAGE.sub("", request.scope["query_string"].decode("latin-1"))
    query = "&".join(sorted([*_encoded(others), f"limit={limit}", f"offset={offset}"]))
    return f"{request.url.path.rstrip('/')}?{query}"


@lru_cache(maxsize=512)
def _encoded(query: str) -> list[str]:
    """Each parameter of a query string; who walks through pages has the same ones each time."""
    given = parse_qsl(query, keep_blank_values=True)
    return [urlencode([one], safe=":*/()", quote_via=quote) for one in given]
