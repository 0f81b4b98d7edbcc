"""From parameters to a search (clauses 5.7.2, 6.4.3.2)."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data, too_complex_query
from dothi.facades.ngsi_ld.grammar.geo import parse_geo, reference_geometry
from dothi.facades.ngsi_ld.grammar.order import parse_collation, parse_order
from dothi.facades.ngsi_ld.grammar.q import parse_q, pattern_problem
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.scope import parse_scope_query
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.facades.ngsi_ld.operations.conditions import is_selective, linked_depth, weight
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.facades.ngsi_ld.wire.names import check_name, check_uri
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.model.condition import Condition, Geo, all_of
from dothi.model.order import Collation, Order
from dothi.ports.entity_query import EntitySearch

FILTER_PARAMETERS = frozenset(
    {
        "id",
        "idPattern",
        "type",
        "attrs",
        "q",
        "expandValues",
        "jsonKeys",
        "georel",
        "geometry",
        "coordinates",
        "geoproperty",
        "scopeQ",
        "csf",
        "local",
        "splitEntities",
    }
)
ORDER_PARAMETERS = frozenset({"orderBy", "collation", "orderFrom", "orderGeometry"})
PAGE_PARAMETERS = frozenset({"limit", "offset", "count"})
_GEO_PARAMETERS = ("georel", "geometry", "coordinates")
_MAX_OFFSET = 1 << 40
_ANY_TYPE = "*"
_MAX_WEIGHT = 200


def read_search(
    parameters: Parameters,
    context: LdContext,
    settings: NgsiLdSettings,
    selectors: Condition | None = None,
) -> EntitySearch:
    """The page of a search that the parameters describe.

    Args:
        selectors: condition of the `entities` of a Query in a body.
    Raises:
        NgsiError: BadRequestData, TooManyResults, TooComplexQuery.
    """
    order = _order(parameters, context, settings.default_collation)
    search = replace(read_filter(parameters, context, selectors), order=order)
    is_narrow = is_local(parameters) or selectors is not None
    if not (is_narrow or is_selective(search.attributes, search.condition)):
        raise bad_request_data(
            "the query is too wide; give at least one of type, attrs, q (with one attribute that "
            "is not made by the system), georel or local=true"
        )
    limit = parameters.limit(settings.default_limit, settings.max_limit)
    if limit == 0 and not parameters.is_true("count"):
        raise bad_request_data("parameter limit may be 0 only together with count=true")
    return replace(search, limit=limit, offset=parameters.count("offset", 0, _MAX_OFFSET))


def read_filter(
    parameters: Parameters, context: LdContext, selectors: Condition | None = None
) -> EntitySearch:
    """Which entities the parameters mean, without order and page; it may be all.

    Raises:
        NgsiError: BadRequestData, TooComplexQuery.
    """
    ids = parameters.names("id")
    for uri in ids:
        check_uri(uri, "parameter id")
    pattern = parameters.text("idPattern")
    check_pattern(pattern, "parameter idPattern")
    attributes = read_names(parameters, "attrs", context)
    csf = parameters.text("csf")
    if csf:
        _parsed("csf", lambda: parse_q(csf, context.stored))
    parameters.is_true("splitEntities")
    q = _read_q(parameters, context)
    geo = _read_geo(parameters, context)
    types = read_type(parameters, context)
    found = [types, selectors, q, geo, _read_scope(parameters)]
    condition = all_of([part for part in found if part])
    check_weight([condition])
    return EntitySearch(ids, pattern, attributes, condition)


def check_weight(conditions: Iterable[Condition | None], others: int = 0) -> None:
    """Raises NgsiError TooComplexQuery when there is more to test than a store can be asked.

    Args:
        others: number of tests that are none of the conditions.
    """
    if others + sum(weight(one) for one in conditions if one is not None) > _MAX_WEIGHT:
        raise too_complex_query(f"the filters hold more than {_MAX_WEIGHT} tests and values")


def read_type(parameters: Parameters, context: LdContext) -> Condition | None:
    """The type selection; None: any. Raises NgsiError BadRequestData."""
    text = parameters.text("type")
    return None if not text or text == _ANY_TYPE else type_condition(text, context)


def type_condition(text: str, context: LdContext) -> Condition:
    """Condition of a type selection. Raises NgsiError BadRequestData."""
    found: Condition = _parsed("type", lambda: parse_type_selection(text, context.stored))
    return found


def read_names(parameters: Parameters, name: str, context: LdContext) -> tuple[str, ...]:
    """Stored names of a list of attribute names."""
    names = parameters.names(name)
    for one in names:
        check_name(one, f"parameter {name}")
    return tuple(context.stored(one) for one in names)


def check_pattern(pattern: str, where: str) -> None:
    """Raise BadRequestData when it is no regular expression."""
    if pattern and (problem := pattern_problem(pattern)):
        raise bad_request_data(f"{where} is no regular expression: {problem}")


def check_depth(search: EntitySearch, levels: int) -> None:
    """Raise BadRequestData when a filter looks deeper than linked entities are retrieved."""
    deepest = 0 if search.condition is None else linked_depth(search.condition)
    if deepest > levels:
        raise bad_request_data(
            f"parameter q looks {deepest} links deep, but join and joinLevel allow {levels}"
        )


def is_local(parameters: Parameters) -> bool:
    """Whether only what is here is meant. Raises NgsiError BadRequestData."""
    is_said = parameters.is_true("local")
    if parameters.text("type") != _ANY_TYPE:
        return is_said
    if "local" in parameters and not is_said:
        raise bad_request_data("type=* means local=true; leave out local=false")
    return True


def _parsed(name: str, parse: Any) -> Any:
    """What a grammar makes of a parameter; its error becomes BadRequestData."""
    try:
        return parse()
    except (GrammarError, ValueError) as error:
        raise bad_request_data(f"parameter {name}: {error}") from error


def _read_q(parameters: Parameters, context: LdContext) -> Condition | None:
    # Values of jsonKeys are no JSON-LD, whatever else is said of them.
    expanded = frozenset(read_names(parameters, "expandValues", context)) - frozenset(
        read_names(parameters, "jsonKeys", context)
    )
    text = parameters.text("q")
    if not text:
        return None
    found: Condition = _parsed("q", lambda: parse_q(text, context.stored, expanded))
    return found


def _read_scope(parameters: Parameters) -> Condition | None:
    text = parameters.text("scopeQ")
    if not text:
        return None
    found: Condition = _parsed("scopeQ", lambda: parse_scope_query(text))
    return found


def _read_geo(parameters: Parameters, context: LdContext) -> Geo | None:
    given = [name for name in _GEO_PARAMETERS if name in parameters]
    if not given:
        return None
    missing = [name for name in _GEO_PARAMETERS if name not in parameters]
    if missing:
        raise bad_request_data(f"{given[0]} needs also the parameters {', '.join(missing)}")
    georel, geometry, coordinates = (parameters.text(name) for name in _GEO_PARAMETERS)
    attribute = parameters.text("geoproperty") or "location"
    check_name(attribute, "parameter geoproperty")
    stored = context.stored(attribute)
    found: Geo = _parsed("georel", lambda: parse_geo(georel, geometry, coordinates, stored))
    return found


def _order(parameters: Parameters, context: LdContext, default_collation: str) -> Order | None:
    text = parameters.text("collation") or default_collation
    collation: Collation | None = None
    if text:
        collation = _parsed("collation", lambda: parse_collation(text))
    reference = _reference(parameters)
    order = parameters.text("orderBy")
    if not order:
        return None
    terms = _parsed("orderBy", lambda: parse_order(order, context.stored, reference))
    return Order(terms, collation)


def _reference(parameters: Parameters) -> str:
    """GeoJSON of orderFrom; empty when there is none."""
    kind = parameters.text("orderGeometry") or "Point"
    text = parameters.text("orderFrom")
    if not text:
        return ""

    def geometry() -> str:
        try:
            return reference_geometry(kind, msgspec.json.decode(text))
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"coordinates are no JSON array: {error}") from error

    found: str = _parsed("orderFrom", geometry)
    return found
