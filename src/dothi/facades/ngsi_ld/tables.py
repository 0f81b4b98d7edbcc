"""The handlers of each open hub: the same table of endpoints, built over its ports."""

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from dothi.access.endpoint import Endpoint
from dothi.facades.ngsi_ld.errors import not_supported
from dothi.ports.hubs import HubPorts


class HandlerTables:
    """Builds a table at the first request to a hub; it goes when the hub is closed.

    What `build` makes must not hold the HubPorts object itself, or it would never go.
    """

    def __init__(self, build: Callable[[HubPorts, str], list[Endpoint]]) -> None:
        self._build = build
        self._tables: WeakKeyDictionary[HubPorts, HandlerTable] = WeakKeyDictionary()

    def of(self, hub: HubPorts, tenant: str) -> "HandlerTable":
        table = self._tables.get(hub)
        if table is None:
            table = self._tables[hub] = HandlerTable(self._build(hub, tenant))
        return table


class HandlerTable:
    """The endpoints of one hub."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.endpoints = endpoints
        self._by_place = {(e.method, e.path): e for e in endpoints}

    def find(self, method: str, path: str) -> Endpoint:
        """Raises OperationNotSupported: this kind of hub does not do it."""
        found = self._by_place.get((method, path))
        if found is None:
            raise not_supported(f"{method} {path} does not work in a snapshot")
        return found
