"""Starts parts in order, watches them, starts broken ones again, stops all in reverse order."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dothi.model.problem import Problem
from dothi.ports.clock import Clock
from dothi.ports.service import Service, Watched

log = logging.getLogger("dothi.app")

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0


@dataclass
class Part:
    """A service and how it is doing."""

    service: Service
    state: str = "new"
    """new, starting, running, broken, stopping, stopped."""
    changed_at: datetime | None = None
    error: str = ""
    restarts: int = 0
    watch: asyncio.Task[None] | None = field(default=None, repr=False)


class Supervisor:
    """The one who runs the services of the program."""

    def __init__(self, services: Sequence[Service], clock: Clock, stop_timeout_s: float) -> None:
        self.parts = [Part(service) for service in services]
        self._clock = clock
        self._stop_timeout_s = stop_timeout_s

    def add(self, service: Service) -> None:
        """One more, started after all others and stopped before them."""
        self.parts.append(Part(service))

    async def start(self) -> None:
        """Start everything in order; when one cannot start, stop the others and raise."""
        for part in self.parts:
            self._mark(part, "starting")
            try:
                await part.service.start()
            except BaseException as error:
                self._mark(part, "broken", str(error))
                await self.stop()
                raise
            self._mark(part, "running")
            if isinstance(part.service, Watched):
                part.watch = asyncio.create_task(self._watch(part, part.service))

    async def stop(self) -> None:
        """Stop what was started, the last first. An error in one does not keep the others."""
        for part in reversed(self.parts):
            if part.state in {"new", "stopped"}:
                continue
            self._mark(part, "stopping", part.error)
            await self._end_watch(part)
            try:
                async with asyncio.timeout(self._stop_timeout_s):
                    await part.service.stop()
            except Exception as error:
                log.exception("%s did not stop cleanly", part.service.name)
                part.error = str(error) or type(error).__name__
            self._mark(part, "stopped", part.error)

    @property
    def is_running(self) -> bool:
        """Whether every part runs."""
        return all(part.state == "running" for part in self.parts)

    async def _watch(self, part: Part, service: Watched) -> None:
        """Wait for the service to break, then start it again, each time a little later."""
        pause_s = _FIRST_PAUSE_S
        while True:
            began_at = self._clock.now()
            try:
                await service.wait()
                return
            except Exception as error:
                log.exception("%s broke", service.name)
                self._mark(part, "broken", str(error) or type(error).__name__)
            if (self._clock.now() - began_at).total_seconds() > _LONGEST_PAUSE_S:
                pause_s = _FIRST_PAUSE_S
            while part.state != "running":
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                await self._start_again(part)

    async def _start_again(self, part: Part) -> None:
        part.restarts += 1
        try:
            await part.service.stop()
            await part.service.start()
        except Exception as error:
            log.warning("%s did not start again: %s", part.service.name, error)
            self._mark(part, "broken", str(error) or type(error).__name__)
            return
        self._mark(part, "running")
        log.info("%s runs again", part.service.name)

    async def _end_watch(self, part: Part) -> None:
        if part.watch is not None:
            part.watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await part.watch
            part.watch = None

    def _mark(self, part: Part, state: str, error: str = "") -> None:
        part.state = state
        part.error = error
        part.changed_at = self._clock.now()
        log.debug("%s is %s", part.service.name, state)


def problem_of(error: BaseException) -> Problem:
    """An error at the start as a Problem for the one who started the program."""
    if isinstance(error, Problem):
        return error
    return Problem("start_failed", "dothi cannot start", str(error) or type(error).__name__, 500)
