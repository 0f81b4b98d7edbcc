"""Querying entities (clause 5.7.2): a page of a search, and what its relationships lead to."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from dothi.facades.ngsi_ld.errors import NgsiError, too_complex_query
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.gathering import Glance
from dothi.facades.ngsi_ld.operations.join import Join, follow
from dothi.facades.ngsi_ld.operations.search import (
    FILTER_PARAMETERS,
    ORDER_PARAMETERS,
    PAGE_PARAMETERS,
    read_filter,
    read_names,
    read_type,
)
from dothi.ports.entity_query import EntitySearch, Form, Found, StoredEntity, TooManyToOrder

__all__ = [
    "FILTER_PARAMETERS",
    "ORDER_PARAMETERS",
    "PAGE_PARAMETERS",
    "Page",
    "linked_entities",
    "query_entities",
    "query_written",
    "read_filter",
    "read_names",
    "read_type",
]


class Page(Struct, frozen=True):
    """One page of a query and how many entities match in all, when that was asked for."""

    entities: list[StoredEntity]
    has_next: bool = False
    total: int | None = None
    written: list[bytes] | None = None
    """The entities in the form that was asked for, in the place of `entities`."""


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
        raise _too_many(error) from error


async def query_written(broker: Broker, search: EntitySearch, form: Form, *, counts: bool) -> Page:
    """The same page with its entities written; what is at hand is given without a wait."""
    found = _peek(broker, search, form, counts) if search.limit else None
    if found is not None:
        return found
    if search.limit and search.looks_at_values and not counts:
        glimpse = await broker.glances.ask(Glance(broker.entities, search, form))
        if glimpse is not None:
            return Page([], glimpse.has_next, None, glimpse.written)
    try:
        return await asyncio.to_thread(_query_written, broker, search, form, counts)
    except TooManyToOrder as error:
        raise _too_many(error) from error


async def linked_entities(
    broker: Broker, entities: Sequence[StoredEntity], join: Join
) -> dict[str, StoredEntity]:
    """What the relationships of the entities lead to, by id."""
    if not join.levels or not entities:
        return {}
    return await asyncio.to_thread(follow, broker.entities, entities, join)


def _query(broker: Broker, search: EntitySearch, counts: bool, names: Sequence[str]) -> Page:
    ids, total = _found(broker, search, counts)
    limit = search.limit or 0
    entities = broker.entities.load(ids[:limit], names or search.attributes)
    return Page(entities, len(ids) > limit, total)


def _query_written(broker: Broker, search: EntitySearch, form: Form, counts: bool) -> Page:
    ids, total = _found(broker, search, counts)
    limit = search.limit or 0
    return Page([], len(ids) > limit, total, broker.entities.written(ids[:limit], form))


def _found(broker: Broker, search: EntitySearch, counts: bool) -> Found:
    """Ids of the page and one more, when there are more."""
    total = broker.entities.count(search) if counts else None
    return Found(broker.entities.find(_and_one(search)) if search.limit else [], total)


def _peek(broker: Broker, search: EntitySearch, form: Form, counts: bool) -> Page | None:
    found = broker.entities.peek_found(_and_one(search), counts=counts)
    limit = search.limit or 0
    written = None if found is None else broker.entities.peek_written(found.ids[:limit], form)
    if found is None or written is None:
        return None
    return Page([], len(found.ids) > limit, found.total, written)


def _and_one(search: EntitySearch) -> EntitySearch:
    return replace(search, limit=(search.limit or 0) + 1)


def _too_many(error: TooManyToOrder) -> NgsiError:
    return too_complex_query(f"{error}; narrow the query down, or leave out orderBy")
