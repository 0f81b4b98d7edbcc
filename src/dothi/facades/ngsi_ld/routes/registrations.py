"""/csourceRegistrations and /csourceRegistrations/{id} (clauses 6.8 and 6.9)."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.q import parse_q, pattern_problem
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.query import read_names, read_type
from dothi.facades.ngsi_ld.operations.registering import (
    create_registration,
    delete_registration,
    find_registration,
    query_registrations,
    update_registration,
)
from dothi.facades.ngsi_ld.registrations.geo_query import read_geo_query
from dothi.facades.ngsi_ld.registrations.matching import Wanted
from dothi.facades.ngsi_ld.registrations.query import (
    RegistrationQuery,
    TimeRelation,
    checked_scope_query,
    time_relation,
)
from dothi.facades.ngsi_ld.registrations.reading import canonical
from dothi.facades.ngsi_ld.registrations.registry import Entry
from dothi.facades.ngsi_ld.registrations.writing import written
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.wire.answers import answer, empty
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.paging import LIST_PARAMETERS, ListPage
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.condition import Condition

_MEDIA_TYPES = (JSON, LD_JSON)
_NONE: frozenset[str] = frozenset({"local"})
_OUTPUT = frozenset({"options", "sysAttrs", "local"})
_TIME = frozenset({"timerel", "timeAt", "endTimeAt", "timeproperty"})
_GEO = frozenset({"georel", "geometry", "coordinates", "geoproperty"})
_QUERY = (
    _OUTPUT
    | LIST_PARAMETERS
    | _GEO
    | _TIME
    | {"id", "idPattern", "type", "attrs", "pick", "omit", "q", "csf", "scopeQ", "lang"}
    | {"geometryProperty", "datasetId"}
)
_NOT_ATTRIBUTES = frozenset({"id", "type", "scope"})


def create_handler(broker: Broker) -> Handler:
    async def create(request: Request) -> Response:
        Parameters(request, _NONE)
        payload = await read_payload(request, broker.settings.max_body_bytes)
        context = await payload.context(broker.contexts, payload.document)
        made = await create_registration(broker, canonical(payload.document, context))
        path = f"{ROOT}/csourceRegistrations/{quote(made.id, safe=':')}"
        return empty(201, {"location": path})

    return guarded(create)


def query_handler(broker: Broker) -> Handler:
    async def query(request: Request) -> Response:
        parameters = Parameters(request, _QUERY)
        media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
        context = await request_context(request, broker.contexts)
        page: ListPage[Entry] = ListPage(
            parameters, broker.settings.default_limit, broker.settings.max_limit
        )
        found = query_registrations(broker, _read_query(parameters, context))
        has_times = _wants_times(parameters)
        shown = [_shown(entry, context, has_times=has_times) for entry in page.of(found)]
        return page.describe(request, answer(shown, media, context), media)

    return guarded(query)


def retrieve_handler(broker: Broker) -> Handler:
    async def retrieve(request: Request) -> Response:
        uri = registration_id_of(request)
        parameters = Parameters(request, _OUTPUT)
        media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
        context = await request_context(request, broker.contexts)
        entry = find_registration(broker, uri)
        return answer(_shown(entry, context, has_times=_wants_times(parameters)), media, context)

    return guarded(retrieve)


def update_handler(broker: Broker) -> Handler:
    async def update(request: Request) -> Response:
        uri = registration_id_of(request)
        Parameters(request, _NONE)
        payload = await read_payload(
            request, broker.settings.max_body_bytes, takes_merge_patch=True
        )
        context = await payload.context(broker.contexts, payload.document)
        fragment = canonical(payload.document, context)
        if not payload.document.keys() - {"@context"}:
            raise bad_request_data("the body holds no member of a registration")
        await update_registration(broker, uri, fragment)
        return empty()

    return guarded(update)


def delete_handler(broker: Broker) -> Handler:
    async def delete(request: Request) -> Response:
        uri = registration_id_of(request)
        Parameters(request, _NONE)
        await request_context(request, broker.contexts)
        await delete_registration(broker, uri)
        return empty()

    return guarded(delete)


def registration_id_of(request: Request) -> str:
    """The id of the path. Raises BadRequestData."""
    found: str = request.path_params["registration_id"].removesuffix("/")
    check_uri(found, "the id in the path")
    return found


def _wants_times(parameters: Parameters) -> bool:
    return parameters.wants_system_attributes()


def _shown(entry: Entry, context: LdContext, *, has_times: bool) -> dict[str, Any]:
    found = written(entry.registration.document, context) | entry.use.members()
    if has_times:
        found["createdAt"] = format_date_time(entry.created_at)
        found["modifiedAt"] = format_date_time(entry.modified_at)
    return found


def _read_query(parameters: Parameters, context: LdContext) -> RegistrationQuery:
    """Raises BadRequestData, also for a query that nothing restricts."""
    ids = parameters.names("id")
    for uri in ids:
        check_uri(uri, "parameter id")
    pattern = parameters.text("idPattern")
    if pattern and (problem := pattern_problem(pattern)):
        raise bad_request_data(f"parameter idPattern is no regular expression: {problem}")
    picked = [n for n in read_names(parameters, "pick", context) if n not in _NOT_ATTRIBUTES]
    q, csf = _condition(parameters, "q", context), _condition(parameters, "csf", context)
    geo = read_geo_query({n: parameters.text(n) for n in _GEO if n in parameters}, context)
    types = read_type(parameters, context)
    names = [*read_names(parameters, "attrs", context), *picked]
    if not (types or names or q or geo or ids):
        raise bad_request_data(
            "the query is too wide; give at least one of type, attrs, q, georel or id"
        )
    return RegistrationQuery(
        (Wanted(ids, pattern, types),),
        frozenset(names),
        q,
        csf,
        geo,
        checked_scope_query(parameters.text("scopeQ"), "parameter scopeQ"),
        _read_time(parameters),
    )


def _condition(parameters: Parameters, name: str, context: LdContext) -> Condition | None:
    text = parameters.text(name)
    if not text:
        return None
    try:
        return parse_q(text, context.stored)
    except GrammarError as error:
        raise bad_request_data(f"parameter {name}: {error}") from error


def _read_time(parameters: Parameters) -> TimeRelation | None:
    relation = parameters.text("timerel")
    at, end = parameters.time("timeAt"), parameters.time("endTimeAt")
    name = parameters.text("timeproperty") or "observedAt"
    return time_relation(relation, at, end, name)
