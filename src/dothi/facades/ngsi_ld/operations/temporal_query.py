"""Querying temporal evolutions (clause 5.7.4): from parameters to a search, and its page."""

import asyncio
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from msgspec.structs import replace

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.grammar.geo import parse_geo
from dothi.facades.ngsi_ld.grammar.q import parse_q, pattern_problem
from dothi.facades.ngsi_ld.grammar.scanner import GrammarError
from dothi.facades.ngsi_ld.grammar.scope import parse_scope_query
from dothi.facades.ngsi_ld.grammar.type_selection import parse_type_selection
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.conditions import attribute_names, linked_depth
from dothi.facades.ngsi_ld.operations.evolution import (
    Evolution,
    Range,
    Wanted,
    cut,
    evolutions_of,
    fetch_all,
    fetch_rows,
)
from dothi.facades.ngsi_ld.operations.projection import (
    PROJECTION_PARAMETERS,
    Projection,
    is_system,
    read_projection,
)
from dothi.facades.ngsi_ld.operations.search import check_weight
from dothi.facades.ngsi_ld.operations.temporal_scopes import keep_within, matching_spans
from dothi.facades.ngsi_ld.operations.times import (
    TIME_PARAMETERS,
    TimeProperty,
    TimeQuery,
    read_times,
)
from dothi.facades.ngsi_ld.wire.names import check_name, check_uri
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.model.condition import (
    Condition,
    Geo,
    all_of,
)
from dothi.ports.evolution import EntitySelector, EvolutionHead, EvolutionSearch

_GEO = ("georel", "geometry", "coordinates")
SEARCH_PARAMETERS = (
    frozenset({"id", "idPattern", "type", "q", *_GEO, "geoproperty", "local", "csf"})
    | frozenset({"limit", "offset", "count", "orderBy", "collation", "splitEntities"})
    | frozenset({"scopeQ", "expandValues", "jsonKeys"})
    | TIME_PARAMETERS
    | PROJECTION_PARAMETERS
)
_ANY_TYPE = "*"
_MAX_OFFSET = 1 << 40
_CHUNK = 100


class TemporalSearch(Struct, frozen=True):
    """A query; names are stored names."""

    search: EvolutionSearch
    condition: Condition | None
    scopes: Condition | None
    times: TimeQuery
    projection: Projection
    limit: int
    offset: int
    counts: bool


class TemporalPage(Struct, frozen=True):
    """One page of evolutions."""

    heads: list[EvolutionHead]
    has_next: bool
    total: int | None


def read_selector(parameters: Parameters, context: LdContext) -> EntitySelector:
    """What `id`, `idPattern` and `type` select. Raises NgsiError BadRequestData."""
    ids = parameters.names("id")
    for uri in ids:
        check_uri(uri, "parameter id")
    pattern = parameters.text("idPattern")
    if pattern and (problem := pattern_problem(pattern)):
        raise bad_request_data(f"parameter idPattern is no regular expression: {problem}")
    return EntitySelector(ids, pattern, _read_types(parameters, context))


def read_temporal_search(
    parameters: Parameters,
    context: LdContext,
    broker: Broker,
    selectors: Sequence[EntitySelector],
) -> TemporalSearch:
    """The search that the parameters describe. Raises NgsiError BadRequestData."""
    times = read_times(parameters, needs_relation=True)
    projection = read_projection(parameters, context)
    condition = _read_condition(parameters, context)
    _check_filter(parameters, context)
    is_all = parameters.is_true("local") or parameters.text("type") == _ANY_TYPE
    is_narrow = (
        any(selector.types is not None for selector in selectors)
        or any(not is_system(name) for name in projection.attributes)
        or (condition is not None and any(not is_system(n) for n in attribute_names(condition)))
    )
    if not (is_narrow or is_all):
        raise bad_request_data(
            "the query is too wide; give at least one of type, attrs, q, georel or local=true "
            "(attributes that every entity has do not count)"
        )
    limit = parameters.limit(broker.settings.default_limit, broker.settings.max_limit)
    counts = parameters.is_true("count")
    if limit == 0 and not counts:
        raise bad_request_data("parameter limit may be 0 only together with count=true")
    scopes = _read_scopes(parameters)
    check_weight([condition, scopes, *(s.types for s in selectors)], len(selectors) - 1)
    kept = tuple(s for s in selectors if s != EntitySelector())
    search = EvolutionSearch(
        kept if len(kept) == len(selectors) else (), projection.explicit, _read_order(parameters)
    )
    offset = parameters.count("offset", 0, _MAX_OFFSET)
    return TemporalSearch(search, condition, scopes, times, projection, limit, offset, counts)


async def query_evolutions(broker: Broker, asked: TemporalSearch) -> TemporalPage:
    """Entities with instances that meet everything that is asked for."""
    return await asyncio.to_thread(_query, broker, asked)


async def evolutions_of_page(
    broker: Broker, asked: TemporalSearch, heads: Sequence[EvolutionHead]
) -> tuple[list[Evolution], Range | None]:
    """The evolutions of the page, and what of them it covers when that is not everything."""
    return await asyncio.to_thread(_load_page, broker, asked, heads)


def _load_page(
    broker: Broker, asked: TemporalSearch, heads: Sequence[EvolutionHead]
) -> tuple[list[Evolution], Range | None]:
    wanted, times = asked.projection.wanted(), asked.times
    if asked.scopes is None:
        return load_evolutions(broker, heads, wanted, times)
    evolutions = _scoped(broker, heads, asked, wanted)
    return evolutions, cut(evolutions, times, broker.settings.temporal_page)


def _scoped(
    broker: Broker, heads: Sequence[EvolutionHead], asked: TemporalSearch, wanted: Wanted
) -> list[Evolution]:
    """Evolutions with what happened while a scope matched; the others are left out."""
    assert asked.scopes is not None
    spans = matching_spans(broker, heads, asked.scopes, asked.times)
    held = [head for head in heads if head.id in spans]
    every = replace(asked.times, last_n=None)
    evolutions = evolutions_of(held, fetch_all(broker, held, wanted, every), every)
    for evolution in evolutions:
        keep_within(evolution, spans[evolution.head.id], asked.times)
        if asked.times.last_n is not None:
            for name, rows in evolution.rows.items():
                evolution.rows[name] = rows[-asked.times.last_n :]
    return [evolution for evolution in evolutions if evolution.has_attributes]


def load_evolutions(
    broker: Broker, heads: Sequence[EvolutionHead], wanted: Wanted, times: TimeQuery
) -> tuple[list[Evolution], Range | None]:
    """Instances of the heads within the times, at most a page of each attribute; blocking."""
    page = broker.settings.temporal_page
    rows = fetch_rows(broker, heads, wanted, times, page + 1)
    evolutions = evolutions_of(heads, rows, times)
    return evolutions, cut(evolutions, times, page)


def _query(broker: Broker, asked: TemporalSearch) -> TemporalPage:
    found: list[EvolutionHead] = []
    total = 0
    for ids in _chunks(broker, asked.search):
        heads = [head for head in broker.evolutions.load(ids) if head.is_recorded]
        for head in _holding(broker, heads, asked):
            total += 1
            if total > asked.offset and len(found) <= asked.limit:
                found.append(head)
        if not asked.counts and len(found) > asked.limit:
            break
    has_next = len(found) > asked.limit
    return TemporalPage(found[: asked.limit], has_next, total if asked.counts else None)


def _chunks(broker: Broker, search: EvolutionSearch) -> Iterator[list[str]]:
    if any(selector.id_pattern for selector in search.selectors):
        ids = broker.evolutions.find(search)
        yield from (ids[n : n + _CHUNK] for n in range(0, len(ids), _CHUNK))
        return
    after = ""
    while ids := broker.evolutions.find(search, after, _CHUNK):
        yield ids
        after = ids[-1]


def _holding(
    broker: Broker, heads: list[EvolutionHead], asked: TemporalSearch
) -> list[EvolutionHead]:
    """Those with instances in the time that is asked for, which meet the condition."""
    wanted = Wanted(asked.projection.explicit, asked.projection.datasets)
    times = replace(asked.times, last_n=None)
    if not heads:
        return []
    rows = fetch_rows(broker, heads, wanted, times, 1)
    with_rows = {e.head.id for e in evolutions_of(heads, rows, times) if e.has_attributes}
    held = [head for head in heads if head.id in with_rows]
    if asked.scopes is not None and held:
        held = [evolution.head for evolution in _scoped(broker, held, asked, wanted)]
    if asked.condition is None or not held:
        return held
    names = tuple(dict.fromkeys(attribute_names(asked.condition)))
    instances = held_rows(fetch_all(broker, held, Wanted(names), times), times)
    matching = broker.evolutions.matching(asked.condition, held, instances)
    return [head for head in held if head.id in matching]


def held_rows(rows: pa.Table, times: TimeQuery) -> pa.Table:
    """RAW_ANSWER rows whose time lies within (by the commit for times of the system)."""
    if times.by is TimeProperty.OBSERVED:
        return rows.filter(pc.is_valid(rows["observed_at"])) if times.is_bounded else rows
    committed = rows["committed_at"]
    keep = pc.is_valid(committed)
    if times.start_at is not None:
        keep = pc.and_(keep, pc.greater_equal(committed, pa.scalar(times.start_at)))
    if times.end_at is not None:
        keep = pc.and_(keep, pc.less(committed, pa.scalar(times.end_at)))
    return rows.filter(keep)


def _read_types(parameters: Parameters, context: LdContext) -> Condition | None:
    text = parameters.text("type")
    if not text or text == _ANY_TYPE:
        return None
    try:
        return parse_type_selection(text, context.stored)
    except GrammarError as error:
        raise bad_request_data(f"parameter type: {error}") from error


def _read_scopes(parameters: Parameters) -> Condition | None:
    text = parameters.text("scopeQ")
    if not text:
        return None
    try:
        return parse_scope_query(text)
    except GrammarError as error:
        raise bad_request_data(f"parameter scopeQ: {error}") from error


def _read_condition(parameters: Parameters, context: LdContext) -> Condition | None:
    parts: list[Condition] = []
    expanded, as_sent = (
        frozenset(context.stored(name) for name in parameters.names(list_name))
        for list_name in ("expandValues", "jsonKeys")
    )
    if text := parameters.text("q"):
        try:
            found = parse_q(text, context.stored, expanded - as_sent)
            if linked_depth(found):
                raise bad_request_data("parameter q: filters on linked entities have no place here")
            parts.append(found)
        except GrammarError as error:
            raise bad_request_data(f"parameter q: {error}") from error
    geo = _read_geo(parameters, context)
    return all_of(parts if geo is None else [*parts, geo])


def _check_filter(parameters: Parameters, context: LdContext) -> None:
    """A filter on context sources must be readable; there are none to filter here."""
    if text := parameters.text("csf"):
        try:
            parse_q(text, context.stored)
        except GrammarError as error:
            raise bad_request_data(f"parameter csf: {error}") from error


def _read_geo(parameters: Parameters, context: LdContext) -> Geo | None:
    given = [name for name in _GEO if name in parameters]
    if not given:
        return None  # a geoproperty alone is passed over (table 6.18.3.2-1)
    missing = [name for name in _GEO if name not in parameters]
    if missing:
        raise bad_request_data(f"{given[0]} needs also the parameters {', '.join(missing)}")
    georel, geometry, coordinates = (parameters.text(name) for name in _GEO)
    attribute = parameters.text("geoproperty") or "location"
    check_name(attribute, "parameter geoproperty")
    try:
        return parse_geo(georel, geometry, coordinates, context.stored(attribute))
    except ValueError as error:
        raise bad_request_data(f"geo-query: {error}") from error


def _read_order(parameters: Parameters) -> str:
    text = parameters.text("orderBy")
    if not text:
        return ""
    name, _, style = text.partition(";")
    if name != "id" or style not in {"", "asc", "desc"}:
        raise bad_request_data(
            f"parameter orderBy must be id, id;asc or id;desc for evolutions, not {text!r}"
        )
    return style or "asc"
