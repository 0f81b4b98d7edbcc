"""Watches the time limits of running procedures: an overdue step is told to its positions."""

import asyncio
import logging

from dothi.incidents.centre import IncidentCentre
from dothi.model.problem import StoreUnavailable

log = logging.getLogger(__name__)

_LONGEST_SLEEP_S = 5.0
"""The clock may be set: a limit must not be slept over by more than this."""


class Escalation:
    """A Service that can break while it runs."""

    name = "escalation of procedures"

    def __init__(self, centre: IncidentCentre) -> None:
        self._centre = centre
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._centre.wake = lambda: _wake(loop, self._woken)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._centre.wake = lambda: None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def wait(self) -> None:
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await asyncio.to_thread(self._centre.escalate)
                next_at = await asyncio.to_thread(self._centre.next_escalation_at)
            except StoreUnavailable as error:
                log.warning("time limits wait: %s", error)
                next_at = None
            sleep_s = _LONGEST_SLEEP_S
            if next_at is not None:
                left_s = (next_at - self._centre.now()).total_seconds()
                sleep_s = min(max(left_s, 0.5), sleep_s)
            try:
                async with asyncio.timeout(sleep_s):
                    await self._woken.wait()
            except TimeoutError:
                pass


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """From whatever thread; a loop that has ended needs no waking."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(event.set)
