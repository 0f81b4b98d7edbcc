"""The handlers of each open hub: the same table of endpoints, built over its ports."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from dothi.access.endpoint import Endpoint
from dothi.ports.hubs import HubPorts


class HandlerTables:
    """Builds a table at the first request to a hub; it goes when the hub is closed.

    What `build` makes must not hold the HubPorts object itself, or it would never go.
    """

    def __init__(self, build: Callable[[HubPorts, str], list[Endpoint]]) -> None:
        self._build = build
        self._tables: WeakKeyDictionary[HubPorts, list[Endpoint]] = WeakKeyDictionary()

    def of(self, hub: HubPorts, tenant: str) -> list[Endpoint]:
        """Always in the same order."""
        table = self._tables.get(hub)
        if table is None:
            table = self._tables[hub] = self._build(hub, tenant)
        return table
