"""Hubs beside the first one: tenants (NGSI-LD 4.14) and snapshots (4.3.7, 5.16), each with
entities, log and history of its own."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from dothi.ports.context_sources import ContextSourceRecords
from dothi.ports.cursors import Cursors
from dothi.ports.entity_maps import EntityMaps
from dothi.ports.entity_query import Entities
from dothi.ports.entity_states import EarlierRows, EntityStates
from dothi.ports.evolution import Evolutions
from dothi.ports.history import History
from dothi.ports.ingest import Ingest
from dothi.ports.inventory import Inventory
from dothi.ports.log import LogReader
from dothi.ports.subscriptions import Outbox, Subscriptions


class SnapshotRecord(Struct):
    """What is known of one snapshot."""

    id: str
    """URI."""
    key: str
    """Name of its folder."""
    document: dict[str, Any]
    """The members that its creator gave, and the details of its queries."""
    status: str
    """preparing, success, partial, empty or failure."""
    created_at: datetime
    modified_at: datetime
    expires_at: datetime
    used_at: datetime


class EntityTimes(Struct, frozen=True):
    """When an entity and its attributes were created and changed where they were copied from."""

    entity: str
    created_at: datetime
    modified_at: datetime
    attributes: tuple[tuple[str, str, datetime, datetime], ...]
    """Stored name, datasetId, created, modified."""


class Snapshots(Protocol):
    """The snapshots of one hub; every method is called on the event loop."""

    async def all(self) -> list[SnapshotRecord]:
        """Also those that have expired, the oldest first."""
        ...

    async def get(self, snapshot_id: str) -> SnapshotRecord | None: ...

    async def put(self, record: SnapshotRecord) -> None:
        """Add it, or replace the one with this id."""
        ...

    async def remove(self, record: SnapshotRecord) -> None:
        """Forget it and delete its hub."""
        ...

    async def discard(self, record: SnapshotRecord) -> None:
        """Delete its hub only."""
        ...

    def use(self, record: SnapshotRecord) -> "AbstractAsyncContextManager[HubPorts]":
        """Its hub, open until the block ends; made by the first use. Raises StoreUnavailable."""
        ...

    async def copy(self, source: SnapshotRecord, target: SnapshotRecord) -> None:
        """Give `target` everything that is in the hub of `source`. Raises StoreUnavailable."""
        ...

    async def close(self, record: SnapshotRecord) -> None:
        """Let the next use open its hub anew."""
        ...

    async def backdate(self, record: SnapshotRecord, times: list[EntityTimes]) -> None:
        """Set when its entities were created and changed; its hub must be closed."""
        ...


class NoSuchTenant(Exception):
    """Nobody created this tenant, and the caller did not ask to."""


class TooManyTenants(Exception):
    """The limit of the settings is reached; `most` tells it (0: there are no tenants at all)."""

    def __init__(self, most: int) -> None:
        super().__init__(f"this hub keeps at most {most} tenants")
        self.most = most


class Following(Struct, frozen=True):
    """What telling others about changes of a hub needs."""

    log: LogReader
    cursors: Cursors
    states: EntityStates
    earlier: EarlierRows
    subscriptions: Subscriptions
    outbox: Outbox
    watch: Callable[[Callable[[int], None]], None]
    """Takes a function that is called with the head of the log after each commit; it must not
    block."""


class HubPorts(Struct, frozen=True, eq=False, weakref=True):
    """What a facade needs of one hub. Compared by identity: an opened hub is a new one."""

    ingest: Ingest
    entities: Entities
    history: History
    evolutions: Evolutions
    inventory: Inventory
    maps: EntityMaps
    snapshots: Snapshots | None = None
    """None: none can be taken of this hub (it is one itself)."""
    following: Following | None = None
    """None: nothing changes here (it is a snapshot)."""
    sources: ContextSourceRecords | None = None
    """Registrations of other context sources; None: none can be made."""


class Tenants(Protocol):
    """Called on the event loop."""

    def use(self, tenant: str, *, may_create: bool) -> AbstractAsyncContextManager[HubPorts]:
        """The hub of a tenant, open until the block ends. `tenant` is a checked name.

        Raises:
            NoSuchTenant: it does not exist and `may_create` is false.
            TooManyTenants: it would be one too many.
            StoreUnavailable: it cannot be opened.
        """
        ...

    async def drop_new(self, tenant: str) -> None:
        """Remove the tenant if it was made for a request that then failed, and holds nothing."""
        ...

    def keep(self, tenant: str) -> None:
        """Something was stored in it."""
        ...
