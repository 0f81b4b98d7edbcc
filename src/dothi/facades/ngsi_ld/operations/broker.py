"""What every operation works with."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field

from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.errors import bad_request_data, not_found
from dothi.facades.ngsi_ld.operations.alarm import ExpiryAlarm
from dothi.facades.ngsi_ld.operations.gathering import (
    Gathering,
    Glance,
    Glimpse,
    Pace,
    Wanted,
    glance_together,
    load_together,
    write_together,
)
from dothi.facades.ngsi_ld.operations.locks import EntityLocks
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.registrations.registry import Registry
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.model.batch import Batch, CommitResult, Guards, new_batch_id
from dothi.model.condition import AllOf, AnyOf, Condition, HasType
from dothi.ports.clock import Clock
from dothi.ports.entity_maps import EntityMaps
from dothi.ports.entity_query import Entities, Form, StoredEntity
from dothi.ports.evolution import Evolutions
from dothi.ports.history import History
from dothi.ports.hubs import HubPorts
from dothi.ports.ingest import Ingest
from dothi.ports.inventory import Inventory

_NO_GUARDS = Guards()


class Broker(Struct, frozen=True):
    """The ports and settings of this door."""

    ingest: Ingest
    entities: Entities
    history: History
    evolutions: Evolutions
    inventory: Inventory
    maps: EntityMaps
    contexts: Contexts
    clock: Clock
    settings: NgsiLdSettings
    locks: EntityLocks = field(default_factory=EntityLocks)
    alarm: ExpiryAlarm = field(default_factory=ExpiryAlarm)
    loads: Gathering[Wanted, list[StoredEntity]] = field(
        default_factory=lambda: Gathering(load_together)
    )
    writings: Gathering[Wanted, list[bytes]] = field(
        default_factory=lambda: Gathering(write_together)
    )
    glances: Gathering[Glance, Glimpse | None] = field(
        default_factory=lambda: Gathering(glance_together, Pace())
    )
    sources: Registry = field(default_factory=Registry)
    """Registrations of other context sources."""
    others: Callable[[Sequence[str]], Mapping[str, Sequence[str]]] | None = None
    """Tells which registrations hold entities ("@none": this store); None: nobody was asked."""

    @classmethod
    def over(
        cls, hub: HubPorts, contexts: Contexts, clock: Clock, settings: NgsiLdSettings
    ) -> "Broker":
        """The broker of one hub."""
        return cls(
            hub.ingest,
            hub.entities,
            hub.history,
            hub.evolutions,
            hub.inventory,
            hub.maps,
            contexts,
            clock,
            settings,
            sources=Registry(hub.sources, clock),
        )

    async def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """The entities that exist, in the order of `ids`."""
        at_hand = None if names else self.entities.peek(ids)
        if at_hand is not None:
            return at_hand
        return await self.loads.ask(Wanted(self.entities, ids, names=tuple(names)))

    async def written(self, ids: Sequence[str], form: Form) -> list[bytes]:
        """The entities that exist, in the order of `ids`, as the form writes them."""
        at_hand = self.entities.peek_written(ids, form)
        if at_hand is not None:
            return at_hand
        return await self.writings.ask(Wanted(self.entities, ids, form))

    async def get(
        self,
        entity_id: str,
        type_selection: Condition | None = None,
        names: Sequence[str] = (),
    ) -> StoredEntity:
        """The entity; `names`: with these attributes alone, where it has them.

        Raises ResourceNotFound when there is none, or none of these types.
        """
        found = await self.load([entity_id], names)
        if not found:
            raise not_found(f"there is no entity {entity_id}")
        if type_selection is not None and not has_types(found[0].types, type_selection):
            raise not_found(f"the entity {entity_id} has other types than the parameter type wants")
        return found[0]

    async def write(self, rows: RowBuilder, guards: Guards = _NO_GUARDS) -> CommitResult:
        """Commit the rows. Raises BadRequestData when a rule of the store refuses one.

        Every route that writes needs the permission to keep entities, so the batch is trusted.
        """
        batch = Batch(
            new_batch_id(),
            rows.cells(),
            self.clock.now(),
            guards=guards,
            is_whole=True,
            is_trusted=True,
            is_single=True,
        )
        result = await self.ingest.submit(batch)
        if result.rejected:
            first = result.rejected[0]
            raise bad_request_data(f"{first.reason}: {first.detail}; it was {first.sample}")
        if rows.expires_at is not None:
            self.alarm.note(rows.expires_at)
        return result


def has_types(types: Sequence[str], selection: Condition) -> bool:
    """Whether an entity of these types satisfies a type selection."""
    match selection:
        case HasType(name):
            return name in types
        case AllOf(parts):
            return all(has_types(types, part) for part in parts)
        case AnyOf(parts):
            return any(has_types(types, part) for part in parts)
    raise TypeError(f"{selection!r} is no type selection")
