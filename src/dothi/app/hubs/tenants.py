"""The tenants of NGSI-LD: one hub each, below `<data>/tenants/`."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from dothi.app.data_folder import DataFolder
from dothi.app.hubs.folders import tenant_folder, tenant_names, tenant_of
from dothi.app.hubs.hub import RunningHub
from dothi.app.hubs.pool import HubPool
from dothi.model.measure import Measure, gauge
from dothi.model.problem import StoreUnavailable
from dothi.ports.hubs import HubPorts, NoSuchTenant, TooManyTenants

log = logging.getLogger("dothi.app")


class TenantHubs:
    """ports.hubs.Tenants, and the service that opens and closes them."""

    name = "tenants"

    def __init__(self, folder: DataFolder, pool: HubPool, most: int) -> None:
        """`most`: how many tenants may be created."""
        self._folder = folder
        self._pool = pool
        self._most = most
        self._known = set(tenant_names(folder))
        self._inside: Counter[str] = Counter()
        """Requests in each tenant, also those that wait for it to open."""
        self._unproven: set[str] = set()
        """Made by this process, and no request that stores something has succeeded there yet."""
        self._first_look: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._pool.start()
        self._first_look = asyncio.create_task(self._look_once(), name="look at every tenant")

    async def stop(self) -> None:
        if self._first_look is not None:
            self._first_look.cancel()
            await asyncio.gather(self._first_look, return_exceptions=True)
            self._first_look = None
        await self._pool.stop()

    @asynccontextmanager
    async def use(self, tenant: str, *, may_create: bool) -> AsyncIterator[HubPorts]:
        """See ports.hubs.Tenants."""
        is_new = tenant not in self._known
        if is_new:
            self._check_new(tenant, may_create)
            self._known.add(tenant)
            self._unproven.add(tenant)
        self._inside[tenant] += 1
        try:
            async with self._pool.use(
                tenant_folder(self._folder, tenant), may_create=is_new
            ) as ports:
                is_new = False
                yield ports
        finally:
            self._inside[tenant] -= 1
            if is_new:
                self._known.discard(tenant)
                self._unproven.discard(tenant)

    async def drop_new(self, tenant: str) -> None:
        """See ports.hubs.Tenants."""
        if tenant not in self._unproven:
            return
        if self._inside[tenant]:
            return  # the last of them does it
        del self._inside[tenant]
        self._known.discard(tenant)
        self._unproven.discard(tenant)
        await self._pool.remove(tenant_folder(self._folder, tenant))

    def keep(self, tenant: str) -> None:
        """See ports.hubs.Tenants."""
        self._unproven.discard(tenant)

    def _check_new(self, tenant: str, may_create: bool) -> None:
        if not self._most:
            raise TooManyTenants(0)
        if not may_create:
            raise NoSuchTenant(tenant)
        if len(self._known) >= self._most:
            raise TooManyTenants(self._most)

    def measures(self) -> Sequence[Measure]:
        """Figures of the stores of every open tenant, labelled with its name."""
        hubs = self._pool.open_hubs
        return [
            gauge("dothi_tenants", "Tenants that exist.", len(self._known)),
            gauge("dothi_hubs_open", "Hubs of tenants and snapshots that are open.", len(hubs)),
            *(_labelled(measure, hub) for hub in hubs for measure in hub.measures()),
        ]

    async def _look_once(self) -> None:
        """Open every tenant once: what is left to do there (to deliver, to seal) goes on."""
        for tenant in sorted(self._known):
            try:
                async with self.use(tenant, may_create=False):
                    pass
            except StoreUnavailable as error:
                log.error("tenant %s cannot be opened: %s", tenant, error)


def _labelled(measure: Measure, hub: RunningHub) -> Measure:
    label: Mapping[str, str] = {"hub": tenant_of(hub.folder.path)}
    return replace(measure, samples=[({**label, **old}, value) for old, value in measure.samples])
