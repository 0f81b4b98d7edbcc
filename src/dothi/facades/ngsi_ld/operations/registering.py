"""Making, changing and finding context source registrations (clauses 5.9 and 5.10)."""

import asyncio
import uuid
from collections.abc import Iterable
from typing import Any

from dothi.facades.ngsi_ld.errors import already_exists, bad_request_data, conflict, not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.data import Information, Mode, Registration
from dothi.facades.ngsi_ld.registrations.matching import Wanted, matching_information
from dothi.facades.ngsi_ld.registrations.query import RegistrationQuery
from dothi.facades.ngsi_ld.registrations.reading import TYPE, checked
from dothi.facades.ngsi_ld.registrations.registry import Entry
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.model.condition import AnyOf, Condition, HasType, any_of
from dothi.ports.entity_query import EntitySearch


async def create_registration(broker: Broker, document: dict[str, Any]) -> Registration:
    """Register a source.

    Raises:
        NgsiError: BadRequestData, AlreadyExists, or Conflict with data or another registration.
    """
    document = {name: value for name, value in document.items() if value != NGSI_NULL}
    document.setdefault("id", f"urn:ngsi-ld:{TYPE}:{uuid.uuid4()}")
    made = checked(document)
    async with broker.locks.hold([made.id]):
        if broker.sources.get(made.id) is not None:
            raise already_exists(f"there is a registration {made.id} already")
        _refuse_the_past(broker, made)
        await _check_conflicts(broker, made)
        await broker.sources.put(made)
    return made


async def update_registration(broker: Broker, uri: str, fragment: dict[str, Any]) -> None:
    """Change the given members; NGSI-LD null takes one away (clause 5.5.8)."""
    async with broker.locks.hold([uri]):
        entry = find_registration(broker, uri)
        if fragment.pop("id", uri) not in {uri, NGSI_NULL}:
            raise bad_request_data("the id of a registration cannot be changed")
        if fragment.get("type", TYPE) != TYPE:
            raise bad_request_data(f"the type of a registration is {TYPE}")
        merged = {**entry.registration.document, **fragment}
        made = checked({name: value for name, value in merged.items() if value != NGSI_NULL})
        _refuse_the_past(broker, made)
        await _check_conflicts(broker, made)
        await broker.sources.put(made)


async def delete_registration(broker: Broker, uri: str) -> None:
    """Forget a registration. Raises ResourceNotFound."""
    async with broker.locks.hold([uri]):
        find_registration(broker, uri)
        await broker.sources.remove(uri)


def find_registration(broker: Broker, uri: str) -> Entry:
    """Raises ResourceNotFound, also for one that has expired."""
    entry = broker.sources.get(uri)
    if entry is None:
        raise not_found(f"there is no registration {uri}")
    return entry


def query_registrations(broker: Broker, query: RegistrationQuery) -> list[Entry]:
    """Every registration that may hold what is asked for, in the order of creation."""
    return [entry for entry in broker.sources if query.meets(entry.registration)]


def _refuse_the_past(broker: Broker, made: Registration) -> None:
    if not made.is_live(broker.clock.now()):
        raise bad_request_data("expiresAt is in the past")


async def _check_conflicts(broker: Broker, made: Registration) -> None:
    """Registered data of a proxied source may not lie here nor at another exclusive source."""
    if not made.mode.is_proxied:
        return
    for entry in broker.sources:
        other = entry.registration
        if other.id == made.id or not other.mode.is_proxied:
            continue
        if Mode.EXCLUSIVE in {made.mode, other.mode} and _overlap(made, other):
            raise conflict(
                f"the {other.mode} registration {other.id} covers attributes of this entity already"
            )
    for part in made.information:
        found = await asyncio.to_thread(broker.entities.find, _search(part))
        if found:
            raise conflict(
                f"the entity {found[0]} is stored here and matches the {made.mode} registration; "
                "delete it here first"
            )


def _overlap(made: Registration, other: Registration) -> bool:
    """Whether both are about one attribute of one entity."""
    for part in made.information:
        wanted = [
            Wanted((e.id,) if e.id else (), e.id_pattern, _types(e.types)) for e in part.entities
        ]
        if matching_information(other, wanted or [Wanted()], part.names):
            return True
    return False


def _types(types: Iterable[str]) -> Condition | None:
    return any_of([HasType(name) for name in types])


def _search(part: Information) -> EntitySearch:
    """Finds an entity that an element of `information` is about."""
    names = tuple(part.names)
    ids: tuple[str, ...]
    if len(part.entities) == 1:
        entity = part.entities[0]
        ids = (entity.id,) if entity.id else ()
        return EntitySearch(ids, entity.id_pattern, names, _types(entity.types), limit=1)
    types = AnyOf(tuple(HasType(name) for entity in part.entities for name in entity.types))
    ids = tuple(entity.id for entity in part.entities)
    return EntitySearch(ids if all(ids) else (), "", names, types if types.parts else None, limit=1)
