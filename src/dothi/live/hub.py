"""The live view as a service: one reader of the log, any number of viewers."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from time import monotonic
from typing import TypeVar

import anyio
import anyio.to_thread
import msgspec

from dothi.live.feed import Feed, LiveDeps, Message
from dothi.live.settings import LiveSettings
from dothi.live.view import Beat
from dothi.model.measure import Histogram, Measure, gauge
from dothi.model.problem import Problem

T = TypeVar("T")

_log = logging.getLogger(__name__)

RESTART_S = 1.0
_ADVANCE_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class LiveHub:
    """ports.service.Service. Everything but the feed's work happens in the event loop."""

    def __init__(self, deps: LiveDeps, settings: LiveSettings | None = None) -> None:
        self._deps = deps
        self.settings = settings or LiveSettings()
        self._feed = Feed(deps, self.settings)
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._viewers = 0
        self._wanted = asyncio.Event()
        self._changed = asyncio.Event()
        self._alarmed = asyncio.Event()
        self._at: tuple[str, int] = ("", 0)
        self._task: asyncio.Task[None] | None = None
        self._advance_s = Histogram(_ADVANCE_BOUNDS_S)

    @property
    def name(self) -> str:
        return "live"

    @property
    def viewers(self) -> int:
        """How many are watching."""
        return self._viewers

    def alarms_changed(self) -> None:
        """Alarms do not wait for the next delta of values; called in the event loop."""
        self._alarmed.set()

    def measures(self) -> Sequence[Measure]:
        """See ports.measured."""
        took = Measure(
            "dothi_live_advance_seconds",
            "histogram",
            "Time to take what is new in the log into the live view",
            (({}, self._advance_s),),
        )
        return [gauge("dothi_live_viewers", "Viewers of the live map", self._viewers), took]

    async def start(self) -> None:
        """Begin to follow the log whenever somebody watches."""
        if self._task is None:
            self._task = asyncio.create_task(self._supervise(), name="live")

    async def stop(self) -> None:
        """End every viewer's stream."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait({task})
        self._announce()

    async def follow(self, epoch: str = "", after: int = 0) -> AsyncGenerator[str, None]:
        """Messages for one viewer: snapshot or delta first, then deltas and beats.

        Between two items the viewer may take its time: what it missed comes as one delta.

        Args:
            epoch, after: where the viewer stands, from an earlier connection.
        """
        if self._task is None:
            raise Problem(
                "live_stopped",
                "The live view is not running",
                "the program is starting or stopping",
                503,
                remedy="connect again in a few seconds",
            )
        self._viewers += 1
        self._wanted.set()
        try:
            message = await self._message(epoch, after)
            yield message.text
            while self._task is not None:
                if not await self._moved_on(message):
                    beat = Beat(message.n, self._deps.clock.now().isoformat())
                    yield msgspec.json.encode(beat).decode()
                    continue
                before = message
                message = await self._message(before.epoch, before.n)
                if (message.epoch, message.n) != (before.epoch, before.n):
                    yield message.text
        finally:
            self._viewers -= 1

    async def _message(self, epoch: str, after: int) -> Message:
        message = await self._work(lambda: self._feed.message(epoch, after))
        self._note(message.epoch, message.n)
        return message

    async def _moved_on(self, message: Message) -> bool:
        """Wait until there is something after the message; False: not for `beat_s`."""
        changed = self._changed
        if self._at != (message.epoch, message.n):
            return True
        try:
            async with asyncio.timeout(self.settings.beat_s):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    async def _work(self, job: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(job, limiter=self._one_at_a_time)

    async def _supervise(self) -> None:
        """Run `_run` for ever: an error of the store must not end the live view."""
        while True:
            run = asyncio.create_task(self._run())
            try:
                await asyncio.wait({run})
            finally:
                run.cancel()
            if not run.cancelled() and (error := run.exception()):
                _log.error("live view starts again in %g s", RESTART_S, exc_info=error)
            await asyncio.sleep(RESTART_S)

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            watched_at_s = monotonic()
            while self._viewers or monotonic() - watched_at_s < self.settings.idle_s:
                if self._viewers:
                    watched_at_s = monotonic()
                await self._tick()
            self._wanted.clear()
            await self._work(self._feed.release)

    async def _tick(self) -> None:
        begun_at_s = monotonic()
        at = await self._work(self._feed.advance)
        self._note(*at)
        took_s = monotonic() - begun_at_s
        self._advance_s.observe(took_s)
        await self._rest(begun_at_s + max(self.settings.interval_s, took_s))

    async def _rest(self, until_s: float) -> None:
        """Until the next tick, but for alarms."""
        while (rest_s := until_s - monotonic()) > 0:
            try:
                async with asyncio.timeout(rest_s):
                    await self._alarmed.wait()
            except TimeoutError:
                return
            self._alarmed.clear()
            self._note(*await self._work(self._feed.advance_alarms))

    def _note(self, epoch: str, n: int) -> None:
        """The board is at this number; a thread may report an older one late."""
        known_epoch, known_n = self._at
        if epoch != known_epoch or n > known_n:
            self._at = epoch, n
            self._announce()

    def _announce(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
