"""Stores what became of attempts, as many at a time as have gathered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from dothi.model.problem import StoreUnavailable
from dothi.ports.notices import Attempt

logger = logging.getLogger(__name__)

_RETRY_S = 2.0

Store = Callable[[Sequence[Attempt]], Awaitable[None]]


class Settler:
    """Whoever hands in an attempt waits until it is stored: nothing is sent again before that."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._gathered: list[tuple[Attempt, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="settle deliveries")

    async def stop(self) -> None:
        """Everything handed in was waited for, so nothing is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def settle(self, attempt: Attempt) -> None:
        """Return when it is stored, however long the store is away."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gathered.append((attempt, stored))
        self._wake.set()
        await stored

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            gathered, self._gathered = self._gathered, []
            if gathered:
                await self._write([attempt for attempt, _ in gathered])
            for _, stored in gathered:
                if not stored.done():
                    stored.set_result(None)

    async def _write(self, attempts: Sequence[Attempt]) -> None:
        while True:
            try:
                await self._store(attempts)
                return
            except StoreUnavailable as error:
                logger.warning("outcomes of deliveries wait for the store: %s", error)
                await asyncio.sleep(_RETRY_S)
