"""Querying entities (clause 5.7.2): from parameters to a search, and its page."""

import asyncio
from dataclasses import dataclass

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.geo import parse_geo
from dothi.facades.ngsi_ld.grammar.q import parse_q, pattern_problem
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.wire.names import check_name, check_uri
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.model.condition import Condition, Geo, all_of
from dothi.ports.entity_query import EntitySearch, StoredEntity

FILTER_PARAMETERS = frozenset(
    {
        "id",
        "idPattern",
        "type",
        "attrs",
        "q",
        "georel",
        "geometry",
        "coordinates",
        "geoproperty",
        "local",
    }
)
PAGE_PARAMETERS = frozenset({"limit", "offset", "count"})
_GEO_PARAMETERS = ("georel", "geometry", "coordinates")
_MAX_OFFSET = 1 << 40


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query and how many entities match in all, when that was asked for."""

    entities: list[StoredEntity]
    has_next: bool
    total: int | None


def read_search(parameters: Parameters, context: LdContext, broker: Broker) -> EntitySearch:
    """The search that the parameters describe. Raises NgsiError BadRequestData."""
    ids = parameters.names("id")
    for uri in ids:
        check_uri(uri, "parameter id")
    pattern = parameters.text("idPattern")
    if pattern and (problem := pattern_problem(pattern)):
        raise bad_request_data(f"parameter idPattern is no regular expression: {problem}")
    attributes = read_names(parameters, "attrs", context)
    conditions = [
        read_type(parameters, context),
        _read_q(parameters, context),
        _read_geo(parameters, context),
    ]
    condition = all_of([part for part in conditions if part is not None])
    if not (ids or attributes or condition is not None or parameters.is_true("local")):
        raise bad_request_data(
            "the query is too wide; give at least one of type, attrs, q, georel, id or local=true"
        )
    highest = broker.settings.max_limit
    limit = parameters.count("limit", broker.settings.default_limit, highest)
    if limit == 0 and not parameters.is_true("count"):
        raise bad_request_data("parameter limit may be 0 only together with count=true")
    offset = parameters.count("offset", 0, _MAX_OFFSET)
    return EntitySearch(ids, pattern, attributes, condition, offset, limit)


def read_type(parameters: Parameters, context: LdContext) -> Condition | None:
    """The type selection. Raises NgsiError BadRequestData."""
    text = parameters.text("type")
    if not text:
        return None
    try:
        return parse_type_selection(text, context.stored)
    except GrammarError as error:
        raise bad_request_data(f"parameter type: {error}") from error


def read_names(parameters: Parameters, name: str, context: LdContext) -> tuple[str, ...]:
    """Stored names of a list of attribute names."""
    names = parameters.names(name)
    for one in names:
        check_name(one, f"parameter {name}")
    return tuple(context.stored(one) for one in names)


def _read_q(parameters: Parameters, context: LdContext) -> Condition | None:
    text = parameters.text("q")
    if not text:
        return None
    try:
        return parse_q(text, context.stored)
    except GrammarError as error:
        raise bad_request_data(f"parameter q: {error}") from error


def _read_geo(parameters: Parameters, context: LdContext) -> Geo | None:
    given = [name for name in _GEO_PARAMETERS if name in parameters]
    if not given:
        if "geoproperty" in parameters:
            raise bad_request_data("parameter geoproperty needs georel, geometry and coordinates")
        return None
    missing = [name for name in _GEO_PARAMETERS if name not in parameters]
    if missing:
        raise bad_request_data(f"{given[0]} needs also the parameters {', '.join(missing)}")
    georel, geometry, coordinates = (parameters.text(name) for name in _GEO_PARAMETERS)
    attribute = parameters.text("geoproperty") or "location"
    check_name(attribute, "parameter geoproperty")
    try:
        return parse_geo(georel, geometry, coordinates, context.stored(attribute))
    except ValueError as error:
        raise bad_request_data(f"geo-query: {error}") from error


async def query_entities(broker: Broker, search: EntitySearch, *, counts: bool) -> Page:
    """The entities of one page; attributes that were not asked for are left out."""
    return await asyncio.to_thread(_query, broker, search, counts)


def _query(broker: Broker, search: EntitySearch, counts: bool) -> Page:
    total = broker.entities.count(search) if counts else None
    if not search.limit:
        return Page([], False, total)
    one_more = EntitySearch(
        search.ids,
        search.id_pattern,
        search.attributes,
        search.condition,
        search.offset,
        search.limit + 1,
    )
    ids = broker.entities.find(one_more)
    entities = broker.entities.load(ids[: search.limit], search.attributes)
    return Page(entities, len(ids) > search.limit, total)
