"""One hub on one folder: its stores, the intake before them, and what has to run beside."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from msgspec import Struct

from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.hubs.folders import tenant_of
from dothi.app.hubs.snapshots import FOLDER, Hubs, SnapshotHubs
from dothi.app.store_measures import StoreMeasures
from dothi.app.stores import Stores, open_stores
from dothi.app.supervisor import Supervisor
from dothi.model.attribute_spec import AttributeSpec
from dothi.model.measure import Measure
from dothi.pipeline.entity_cache import EntityCache
from dothi.pipeline.intake import Intake
from dothi.ports.clock import Clock
from dothi.ports.entity_query import Entities
from dothi.ports.hubs import Following, HubPorts, Snapshots
from dothi.ports.service import Service

_STOP_MARGIN_S = 5.0
_CACHE_SHARE = 8
"""A hub beside the first one gets this part of `pipeline.entity_cache_mb`."""


class HubPlan(Struct, frozen=True):
    """How hubs beside the first one are built."""

    settings: Settings
    specs: Mapping[str, AttributeSpec]
    clock: Clock
    beside: Callable[[HubPorts, str], Sequence[Service]] = lambda _ports, _tenant: ()
    """What else runs as long as such a hub is open, e.g. its subscriptions. A service that has a
    method `is_needed` and answers True keeps its hub open although nobody asks for it."""


class RunningHub:
    """An open hub. Made by `open_hub`."""

    def __init__(self, folder: DataFolder, plan: HubPlan, opened: "Opened", hubs: Hubs) -> None:
        self.folder = folder
        self._stores = stores = opened.stores
        self._stack = opened.stack
        settings = plan.settings
        self._intake = Intake(stores.writer, plan.specs, settings.pipeline)
        cache_bytes = settings.pipeline.entity_cache_mb * 2**20 // _CACHE_SHARE
        entities = EntityCache(stores.entities, plan.clock, cache_bytes)
        self._intake.keep_true(entities)
        self._services: list[Service] = [
            self._intake,
            *stores.lake.services(stores.seal_source, stores.cursors, plan.clock),
        ]
        snapshots = None
        if folder.path.parent.name != FOLDER:
            snapshots = SnapshotHubs(stores.snapshots, hubs, folder, plan.clock)
            self._services.append(snapshots)
        self.ports = hub_ports(stores, self._intake, entities, snapshots)
        if snapshots is not None:
            self._services += plan.beside(self.ports, tenant_of(folder.path))
        self._supervisor = Supervisor(
            self._services, plan.clock, settings.server.graceful_stop_s + _STOP_MARGIN_S
        )

    async def start(self) -> None:
        await self._supervisor.start()

    async def stop(self) -> None:
        """Commit what was accepted, end the services, close the files."""
        await self._supervisor.stop()
        await asyncio.to_thread(self._stack.close)

    @property
    def is_needed(self) -> bool:
        """Whether a service has work that nobody's request brings."""
        return any(getattr(service, "is_needed", bool)() for service in self._services)

    def measures(self) -> Sequence[Measure]:
        return StoreMeasures(self._stores, self.folder).measures()


def hub_ports(
    stores: Stores, intake: Intake, entities: Entities, snapshots: Snapshots | None
) -> HubPorts:
    """What facades get of a hub; `entities`: those of the stores, or a cache before them."""
    following = Following(
        log=stores.reader,
        cursors=stores.cursors,
        states=stores.entity_states,
        earlier=stores.reader,
        subscriptions=stores.subscriptions,
        outbox=stores.outbox,
        watch=intake.watch,
    )
    return HubPorts(
        ingest=intake,
        entities=entities,
        history=stores.history,
        evolutions=stores.evolutions,
        inventory=stores.inventory,
        maps=stores.entity_maps,
        snapshots=snapshots,
        following=None if snapshots is None else following,
        sources=None if snapshots is None else stores.context_sources,
    )


class Opened(Struct, frozen=True):
    """Stores, and what closes them."""

    stores: Stores
    stack: ExitStack


async def open_hub(folder: DataFolder, plan: HubPlan, hubs: Hubs) -> RunningHub:
    """Make the folder where it is missing, bring its database up to date, start its services.

    `hubs`: where the snapshots of this one are opened.
    """
    opened = await asyncio.to_thread(_opened, folder, plan)
    hub = RunningHub(folder, plan, opened, hubs)
    try:
        await hub.start()
    except BaseException:
        await hub.stop()
        raise
    return hub


def _opened(folder: DataFolder, plan: HubPlan) -> Opened:
    folder.create_hub()
    with ExitStack() as stack:
        stores = stack.enter_context(open_stores(folder, plan.clock, plan.settings.lake))
        return Opened(stores, stack.pop_all())
