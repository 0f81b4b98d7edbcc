"""Hubs that are open because somebody uses them; idle ones are closed again."""

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct, field

from dothi.app.data_folder import DataFolder
from dothi.app.hubs.hub import HubPlan, RunningHub, open_hub
from dothi.model.problem import Problem, StoreUnavailable
from dothi.ports.hubs import HubPorts

log = logging.getLogger("dothi.app")

_LOOK_EVERY_S = 15.0
_LEAVE_S = 10.0


class _Slot(Struct):
    hub: RunningHub
    users: int = 0
    used_s: float = field(default_factory=time.monotonic)


class HubPool:
    """Every open hub by its folder. One is opened or closed at a time; those in use do not wait."""

    def __init__(self, plan: HubPlan, idle_s: float, most_open: int) -> None:
        """`most_open`: beyond it idle hubs are closed at once; each takes 16 open files."""
        self._plan = plan
        self._idle_s = idle_s
        self._most_open = most_open
        self._slots: dict[Path, _Slot] = {}
        self._moving = asyncio.Lock()
        self._is_stopping = False
        self._watch: asyncio.Task[None] | None = None

    @property
    def open_hubs(self) -> list[RunningHub]:
        return [slot.hub for slot in list(self._slots.values())]

    async def start(self) -> None:
        self._is_stopping = False
        self._watch = asyncio.create_task(self._close_idle(), name="close idle hubs")

    async def stop(self) -> None:
        """Close all of them."""
        self._is_stopping = True
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        async with self._moving:
            for path in list(self._slots):
                await self._slots.pop(path).hub.stop()

    @asynccontextmanager
    async def use(self, folder: DataFolder, *, may_create: bool = False) -> AsyncIterator[HubPorts]:
        """The hub on this folder, open until the block ends. Raises StoreUnavailable."""
        slot = self._slots.get(folder.path) or await self._open(folder, may_create)
        slot.users += 1
        try:
            yield slot.hub.ports
        finally:
            slot.users -= 1
            slot.used_s = time.monotonic()

    async def remove(self, folder: DataFolder) -> None:
        """Close the hub, when those who use it have left, and delete its folder."""
        slot = self._slots.pop(folder.path, None)  # at once: nobody else gets in
        async with self._moving:
            await _shut(slot or self._slots.pop(folder.path, None))
            await asyncio.to_thread(shutil.rmtree, folder.path, True)

    async def close(self, folder: DataFolder) -> None:
        """Close the hub, when those who use it have left; the next use opens it again."""
        async with self._moving:
            await _shut(self._slots.pop(folder.path, None))

    async def copy(self, source: DataFolder, target: DataFolder) -> None:
        """Copy the folder of a hub while it is closed. Raises StoreUnavailable."""
        async with self._moving:
            await _shut(self._slots.pop(source.path, None))
            try:
                await asyncio.to_thread(shutil.copytree, source.path, target.path)
            except OSError as error:
                raise StoreUnavailable(f"{source.path} cannot be copied: {error}") from error

    async def _open(self, folder: DataFolder, may_create: bool) -> _Slot:
        async with self._moving:
            slot = self._slots.get(folder.path)
            if slot is not None:
                return slot
            if self._is_stopping:
                raise StoreUnavailable("dothi is stopping; send again after the restart")
            if not may_create and not folder.exists:
                raise StoreUnavailable(f"{folder.path} is gone")
            await self._make_room()
            began = time.monotonic()
            try:
                hub = await open_hub(folder, self._plan, self)
            except (OSError, Problem) as error:
                raise StoreUnavailable(f"{folder.path} cannot be opened: {error}") from error
            took_s = round(time.monotonic() - began, 3)
            log.info("opened a hub", extra={"folder": str(folder.path), "took_s": took_s})
            self._slots[folder.path] = slot = _Slot(hub)
            return slot

    async def _make_room(self) -> None:
        """Close hubs that nobody uses, the one used longest ago first, down to the limit."""
        by_use = sorted(self._slots.items(), key=lambda entry: entry[1].used_s)
        for path, slot in by_use:
            if len(self._slots) < self._most_open:
                return
            if not slot.users and not slot.hub.is_needed:
                del self._slots[path]
                await slot.hub.stop()

    async def _close_idle(self) -> None:
        while True:
            await asyncio.sleep(min(_LOOK_EVERY_S, self._idle_s))
            before_s = time.monotonic() - self._idle_s
            for path, slot in list(self._slots.items()):
                if slot.used_s < before_s and not slot.users and not slot.hub.is_needed:
                    await self._close(path)

    async def _close(self, path: Path) -> None:
        async with self._moving:
            slot = self._slots.get(path)
            if slot is None or slot.users:
                return
            del self._slots[path]
            await slot.hub.stop()
            log.info("closed an idle hub", extra={"folder": str(path)})


async def _shut(slot: _Slot | None) -> None:
    if slot is not None:
        await _left(slot)
        await slot.hub.stop()


async def _left(slot: _Slot) -> None:
    """Wait for the users of a slot that nobody finds any more; not for ever."""
    until_s = time.monotonic() + _LEAVE_S
    while slot.users and time.monotonic() < until_s:
        await asyncio.sleep(0.02)
