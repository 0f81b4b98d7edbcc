"""Hubs beside the first one: each tenant has its own entities, log and history (NGSI-LD 4.14)."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from dothi.ports.entity_query import Entities
from dothi.ports.history import History
from dothi.ports.ingest import Ingest


class NoSuchTenant(Exception):
    """Nobody created this tenant, and the caller did not ask to."""


class TooManyTenants(Exception):
    """The limit of the settings is reached; `most` tells it (0: there are no tenants at all)."""

    def __init__(self, most: int) -> None:
        super().__init__(f"this hub keeps at most {most} tenants")
        self.most = most


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class HubPorts:
    """What a facade needs of one hub. Compared by identity: an opened hub is a new one."""

    ingest: Ingest
    entities: Entities
    history: History


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
