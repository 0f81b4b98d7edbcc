"""Rounds of blocking work as a service."""

import asyncio
from collections.abc import Callable, Sequence

from dothi.model.measure import Measure


class PeriodicService:
    """Runs a round in a thread, pauses, runs the next; breaks when a round fails.

    Whoever watches it starts it again: the next round finds everything as it was, because each
    step of a round is a transaction of its own.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        pause_s: float,
        measures: Callable[[], Sequence[Measure]] = tuple,
    ) -> None:
        self._name = name
        self._work = work
        self._pause_s = pause_s
        self._measures = measures
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self._name

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        return self._measures()

    async def start(self) -> None:
        self._stopping.clear()
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def wait(self) -> None:
        """See ports.service.Watched."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Let the round that runs end."""
        self._stopping.set()
        if self._task is not None:
            # Why a round failed was told to the one who waits.
            await asyncio.wait([self._task])
            self._task = None

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await asyncio.to_thread(self._work)
            try:
                await asyncio.wait_for(self._stopping.wait(), self._pause_s)
            except TimeoutError:
                continue
