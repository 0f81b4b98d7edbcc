"""Querying entities (clause 5.7.2): a page of a search, and what its relationships lead to."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import too_complex_query
from dothi.facades.ngsi_ld.operations import search as searches
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.join import Join, follow
from dothi.facades.ngsi_ld.operations.search import (
    FILTER_PARAMETERS,
    ORDER_PARAMETERS,
    PAGE_PARAMETERS,
    read_filter,
    read_names,
    read_type,
)
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.ports.entity_query import EntitySearch, StoredEntity, TooManyToOrder

__all__ = [
    "FILTER_PARAMETERS",
    "ORDER_PARAMETERS",
    "PAGE_PARAMETERS",
    "Page",
    "linked_entities",
    "query_entities",
    "read_filter",
    "read_names",
    "read_search",
    "read_type",
]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query and how many entities match in all, when that was asked for."""

    entities: list[StoredEntity]
    has_next: bool = False
    total: int | None = None


def read_search(parameters: Parameters, context: LdContext, broker: Broker) -> EntitySearch:
    """The search that the parameters describe. Raises NgsiError BadRequestData."""
    return searches.read_search(parameters, context, broker.settings)


async def query_entities(
    broker: Broker,
    search: EntitySearch,
    *,
    counts: bool,
    names: Sequence[str] = (),
) -> Page:
    """The entities of one page.

    Args:
        names: only these attributes are loaded (empty: all, or those of the search).
    Raises:
        NgsiError: TooComplexQuery when too many entities would have to be ordered.
    """
    try:
        return await asyncio.to_thread(_query, broker, search, counts, names)
    except TooManyToOrder as error:
        raise too_complex_query(f"{error}; narrow the query down, or leave out orderBy") from error


async def linked_entities(
    broker: Broker, entities: Sequence[StoredEntity], join: Join
) -> dict[str, StoredEntity]:
    """What the relationships of the entities lead to, by id."""
    if not join.levels or not entities:
        return {}
    return await asyncio.to_thread(follow, broker.entities, entities, join)


def _query(broker: Broker, search: EntitySearch, counts: bool, names: Sequence[str]) -> Page:
    total = broker.entities.count(search) if counts else None
    if not search.limit:
        return Page([], False, total)
    ids = broker.entities.find(replace(search, limit=search.limit + 1))
    entities = broker.entities.load(ids[: search.limit], names or search.attributes)
    return Page(entities, len(ids) > search.limit, total)
