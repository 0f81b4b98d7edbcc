"""Writes what became of deliveries, many at a time."""

import asyncio
import logging

from msgspec import Struct, field

from dothi.model.problem import StoreUnavailable
from dothi.ports.subscriptions import DeliveryState, Notification, Outbox

logger = logging.getLogger(__name__)

_EVERY_S = 0.1
_RETRY_S = 2.0


class _Gathered(Struct):
    done: list[str] = field(default_factory=list)
    postponed: dict[str, Notification] = field(default_factory=dict)
    states: dict[int, DeliveryState] = field(default_factory=dict)


class Settler:
    """A crash loses at most a tenth of a second of it: then a delivery comes twice, same id."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._now = _Gathered()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def done(self, notification: Notification) -> None:
        """It needs no further delivery."""
        self._now.done.append(notification.id)
        self._now.postponed.pop(notification.id, None)
        self._wake.set()

    def postponed(self, notification: Notification) -> None:
        self._now.postponed[notification.id] = notification
        self._wake.set()

    def state(self, number: int, state: DeliveryState) -> None:
        self._now.states[number] = state
        self._wake.set()

    def forget(self, number: int) -> None:
        """The subscription is gone."""
        self._now.states.pop(number, None)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="settle notifications")

    async def stop(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._write()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(_EVERY_S)
            self._wake.clear()
            if not await self._write():
                await asyncio.sleep(_RETRY_S)
                self._wake.set()

    async def _write(self) -> bool:
        gathered, self._now = self._now, _Gathered()
        if not (gathered.done or gathered.postponed or gathered.states):
            return True
        writing = asyncio.create_task(
            asyncio.to_thread(
                self._outbox.settle,
                gathered.done,
                list(gathered.postponed.values()),
                gathered.states,
            )
        )
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.gather(writing, return_exceptions=True)
            raise
        except StoreUnavailable as error:
            logger.warning("results of notifications wait: %s", error)
            gathered.done += self._now.done
            gathered.postponed |= self._now.postponed
            gathered.states |= self._now.states
            self._now = gathered
            return False
        return True
