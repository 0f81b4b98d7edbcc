"""Entity maps: the entities of a query, fixed for paging (clauses 5.14, 5.5.9.3, 5.2.39)."""

import asyncio
import re
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dothi.facades.ngsi_ld.errors import bad_request_data, not_found, too_many_results
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.query import Page
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.times import format_date_time, parse_date_time
from dothi.ports.entity_maps import EntityMap
from dothi.ports.entity_query import EntitySearch

MAP_PARAMETERS = frozenset({"entityMap", "entityMapLifetime"})
MAP_HEADER = "NGSILD-EntityMap"
_LOCAL = ("@none",)
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,6})?)S)?)?"
)
_SECONDS = (604_800, 86_400, 3600, 60, 1)
_DEFAULT_LIFETIME = timedelta(hours=1)
_MAX_LIFETIME = timedelta(days=1)
MAX_ENTITIES = 100_000


class MapRequest(Struct, frozen=True):
    """What a request says about entity maps."""

    reference: str = ""
    """URL or id of the map to page by."""
    is_wanted: bool = False
    lifetime: timedelta = _DEFAULT_LIFETIME

    @property
    def is_used(self) -> bool:
        return self.is_wanted or bool(self.reference)


def read_map_request(parameters: Parameters, reference: str) -> MapRequest:
    """From the parameters and the header. Raises NgsiError BadRequestData."""
    is_wanted = parameters.is_true("entityMap")
    text = parameters.text("entityMapLifetime")
    return MapRequest(reference, is_wanted, _lifetime(text) if text else _DEFAULT_LIFETIME)


def _lifetime(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise bad_request_data(
            f"parameter entityMapLifetime {text!r} is no duration such as PT10M or PT1H"
        )
    seconds = sum(float(p or 0) * size for p, size in zip(found.groups(), _SECONDS, strict=True))
    return min(timedelta(seconds=seconds), _MAX_LIFETIME)


async def make_map(broker: Broker, search: EntitySearch, lifetime: timedelta) -> EntityMap:
    """Fix what the search finds. Raises NgsiError TooManyResults."""
    every = replace(search, offset=0, limit=MAX_ENTITIES + 1)
    ids = await asyncio.to_thread(broker.entities.find, every)
    if len(ids) > MAX_ENTITIES:
        raise too_many_results(f"an EntityMap holds at most {MAX_ENTITIES} entities")
    return await keep_map(broker, ids, lifetime)


async def keep_map(broker: Broker, ids: list[str], lifetime: timedelta) -> EntityMap:
    """Keep a new map of these entities."""
    known: dict[str, tuple[str, ...]] = dict.fromkeys(ids, _LOCAL)
    if broker.others is not None:
        told = await asyncio.to_thread(broker.others, ids)
        known = {uri: tuple(told.get(uri, ())) or _LOCAL for uri in ids}
    made_at = broker.clock.now()
    found = EntityMap(f"urn:ngsi-ld:EntityMap:{uuid.uuid4()}", made_at + lifetime, known)
    await asyncio.to_thread(broker.maps.add, found)
    return found


async def find_map(broker: Broker, reference: str) -> EntityMap | None:
    """The map that a header names by its URL or id; None when it is gone."""
    map_id = reference.rpartition("/")[2]
    return await asyncio.to_thread(broker.maps.find, map_id) if map_id else None


async def retrieve_map(broker: Broker, map_id: str) -> EntityMap:
    """The map. Raises NgsiError BadRequestData, ResourceNotFound."""
    check_uri(map_id, "the id of the EntityMap in the path")
    found = await asyncio.to_thread(broker.maps.find, map_id)
    if found is None:
        raise not_found(f"there is no EntityMap {map_id}, or it has expired")
    return found


async def update_map(broker: Broker, map_id: str, fragment: Any) -> None:
    """Change the expiry; members that only the broker makes are passed over (clause 5.14.2)."""
    found = await retrieve_map(broker, map_id)
    if not isinstance(fragment, dict):
        raise bad_request_data("an EntityMap must be a JSON object")
    if fragment.get("type", "EntityMap") != "EntityMap":
        raise bad_request_data('type must be "EntityMap"')
    if "expiresAt" not in fragment:
        return
    try:
        wanted = parse_date_time(fragment["expiresAt"])
    except ValueError as error:
        raise bad_request_data(f"expiresAt: {error}") from error
    changed = replace(found, expires_at=wanted)
    if not await asyncio.to_thread(broker.maps.replace, changed):
        raise not_found(f"there is no EntityMap {map_id}")


async def delete_map(broker: Broker, map_id: str) -> None:
    """Raises NgsiError BadRequestData, ResourceNotFound."""
    check_uri(map_id, "the id of the EntityMap in the path")
    if not await asyncio.to_thread(broker.maps.delete, map_id):
        raise not_found(f"there is no EntityMap {map_id}, or it has expired")


async def page_by_map(
    broker: Broker, search: EntitySearch, found: EntityMap, *, counts: bool, names: Sequence[str]
) -> Page:
    """A page of the map's entities; those that no longer fit the query leave the map.

    `names`: only these attributes are loaded; empty: all, or those of the search.
    """
    return await asyncio.to_thread(_page, broker, search, found, counts, names)


def map_url(found: EntityMap) -> str:
    """Where the map can be read, as the header NGSILD-EntityMap tells it."""
    return f"/ngsi-ld/v1/entityMaps/{found.id}"


def map_body(found: EntityMap) -> dict[str, Any]:
    """The JSON of a map (clause 5.2.39)."""
    return {
        "id": found.id,
        "type": "EntityMap",
        "expiresAt": format_date_time(found.expires_at),
        "entityMap": found.entities,
        "linkedMaps": found.linked,
    }


def _page(
    broker: Broker, search: EntitySearch, found: EntityMap, counts: bool, names: Sequence[str]
) -> Page:
    wanted = tuple(found.entities)
    if search.ids:
        wanted = tuple(uri for uri in wanted if uri in set(search.ids))
    fitting: set[str] = set()
    if wanted:
        every = replace(search, ids=wanted, order=None, offset=0, limit=None)
        fitting = set(broker.entities.find(every))
    if len(fitting) < len(wanted):
        gone = set(wanted) - fitting
        left = {uri: known for uri, known in found.entities.items() if uri not in gone}
        broker.maps.replace(replace(found, entities=left))
    ids = [uri for uri in wanted if uri in fitting]
    limit = search.limit or 0
    page = ids[search.offset : search.offset + limit]
    entities = broker.entities.load(page, names or search.attributes)
    total = len(ids) if counts else None
    return Page(entities, bool(limit) and len(ids) > search.offset + limit, total)
