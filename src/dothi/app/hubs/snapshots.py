"""Snapshots: hubs below `snapshots/` of the hub they were taken of; the expired ones go."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from dothi.app.data_folder import DataFolder
from dothi.ports.clock import Clock
from dothi.ports.hubs import EntityTimes, HubPorts, SnapshotRecord
from dothi.storage.relational.snapshots import RelationalSnapshots, backdate

log = logging.getLogger("dothi.app")

_LOOK_EVERY_S = 60.0
FOLDER = "snapshots"


class Hubs(Protocol):
    """What is needed of a HubPool."""

    def use(
        self, folder: DataFolder, *, may_create: bool = False
    ) -> AbstractAsyncContextManager[HubPorts]: ...

    async def close(self, folder: DataFolder) -> None: ...

    async def copy(self, source: DataFolder, target: DataFolder) -> None: ...

    async def remove(self, folder: DataFolder) -> None: ...


class SnapshotHubs:
    """ports.hubs.Snapshots, and the service that removes expired ones."""

    name = "snapshots"

    def __init__(
        self, records: RelationalSnapshots, pool: Hubs, folder: DataFolder, clock: Clock
    ) -> None:
        """`folder`: of the hub that the snapshots are taken of."""
        self._records = records
        self._pool = pool
        self._folder = folder
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._sweep_for_ever(), name="remove expired snapshots")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def all(self) -> list[SnapshotRecord]:
        return await asyncio.to_thread(self._records.all)

    async def get(self, snapshot_id: str) -> SnapshotRecord | None:
        return await asyncio.to_thread(self._records.get, snapshot_id)

    async def put(self, record: SnapshotRecord) -> None:
        await asyncio.to_thread(self._records.put, record)

    async def remove(self, record: SnapshotRecord) -> None:
        await asyncio.to_thread(self._records.delete, record.id)
        await self.discard(record)

    async def discard(self, record: SnapshotRecord) -> None:
        await self._pool.remove(self._hub(record))

    @asynccontextmanager
    async def use(self, record: SnapshotRecord) -> AsyncIterator[HubPorts]:
        async with self._pool.use(self._hub(record), may_create=True) as ports:
            yield ports

    async def copy(self, source: SnapshotRecord, target: SnapshotRecord) -> None:
        async with self._pool.use(self._hub(source), may_create=True):
            pass
        await self._pool.copy(self._hub(source), self._hub(target))

    async def close(self, record: SnapshotRecord) -> None:
        await self._pool.close(self._hub(record))

    async def backdate(self, record: SnapshotRecord, times: list[EntityTimes]) -> None:
        await asyncio.to_thread(backdate, self._hub(record).database, times)

    def _hub(self, record: SnapshotRecord) -> DataFolder:
        return DataFolder(self._folder.path / FOLDER / record.key)

    async def _sweep_for_ever(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def sweep(self) -> None:
        """Remove what has expired."""
        now = self._clock.now()
        for record in await self.all():
            if record.expires_at <= now:
                await self.remove(record)
                log.info("removed an expired snapshot", extra={"snapshot": record.id})
