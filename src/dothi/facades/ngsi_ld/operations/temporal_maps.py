"""EntityMaps of temporal queries: the entities of a query, fixed (clauses 5.7.3, 5.7.4, 5.14.5)."""

import asyncio

from msgspec.structs import replace

from dothi.facades.ngsi_ld.errors import too_many_results
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entity_maps import (
    MAX_ENTITIES,
    MapRequest,
    find_map,
    keep_map,
)
from dothi.facades.ngsi_ld.operations.temporal_query import (
    TemporalPage,
    TemporalSearch,
    query_evolutions,
)
from dothi.ports.entity_maps import EntityMap
from dothi.ports.evolution import EntitySelector


async def make_temporal_map(broker: Broker, asked: TemporalSearch, wanted: MapRequest) -> EntityMap:
    """Fix what the query finds. Raises NgsiError TooManyResults."""
    every = replace(asked, offset=0, limit=MAX_ENTITIES, counts=False)
    page = await query_evolutions(broker, every)
    if page.has_next:
        raise too_many_results(f"an EntityMap holds at most {MAX_ENTITIES} entities")
    return await keep_map(broker, [head.id for head in page.heads], wanted.lifetime)


async def page_of_map(
    broker: Broker, asked: TemporalSearch, wanted: MapRequest
) -> tuple[TemporalPage, EntityMap, bool]:
    """A page of the entities of a map that meet the query, the map, and whether it is new."""
    found = await find_map(broker, wanted.reference)
    if found is None:
        made = await make_temporal_map(broker, asked, wanted)
        return await query_evolutions(broker, _within(asked, made)), made, True
    page = await query_evolutions(broker, _within(asked, found))
    await _prune(broker, asked, found)
    return page, found, False


async def _prune(broker: Broker, asked: TemporalSearch, found: EntityMap) -> None:
    """Entities that no longer fit the query leave the map (clause 5.5.9.3)."""
    every = replace(_within(asked, found), offset=0, limit=MAX_ENTITIES, counts=False)
    page = await query_evolutions(broker, every)
    fitting = {head.id for head in page.heads}
    if len(fitting) < len(found.entities):
        left = {uri: known for uri, known in found.entities.items() if uri in fitting}
        await asyncio.to_thread(broker.maps.replace, replace(found, entities=left))


def _within(asked: TemporalSearch, found: EntityMap) -> TemporalSearch:
    """The query, among the entities of the map alone."""
    ids = tuple(found.entities)
    selectors = asked.search.selectors or (EntitySelector(),)
    narrowed = tuple(replace(one, ids=_both(one.ids, ids)) for one in selectors)
    return replace(asked, search=replace(asked.search, selectors=narrowed))


def _both(asked: tuple[str, ...], held: tuple[str, ...]) -> tuple[str, ...]:
    """Never empty: that would mean all entities."""
    wanted = frozenset(asked)
    return tuple(uri for uri in held if not wanted or uri in wanted) or ("",)
