"""Delivers what is due: a lane per endpoint, so that one that is down or slow delays no other."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Protocol

from dothi.model.delivery import Delivery
from dothi.notify.dispatch.sending import Sender
from dothi.notify.dispatch.settling import Settler
from dothi.pipeline.gates import Gate, Gates
from dothi.ports.notices import StoredNotice

logger = logging.getLogger(__name__)

_REST_S = 2.0
_PATIENCE_S = 5.0
"""How long a stop waits for attempts that are under way."""


class Waiting(Protocol):
    """What lanes ask the store, beside the event loop."""

    def due(self, lane: str, limit: int) -> Awaitable[list[Delivery]]: ...

    def notice(self, number: int) -> Awaitable[StoredNotice | None]: ...


class Lanes:
    """Used in the event loop."""

    def __init__(
        self,
        waiting: Waiting,
        sender: Sender,
        settler: Settler,
        connections: int,
        pauses_s: tuple[float, float],
    ) -> None:
        """`pauses_s`: how long an endpoint that is down is left alone, at first and at most."""
        self._waiting = waiting
        self._sender = sender
        self._settler = settler
        self._connections = connections
        self.gates = Gates(connections, pauses_s)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    def start(self) -> None:
        self._stopping.clear()

    def serve(self, lane: str) -> None:
        """There is something due in it."""
        if lane not in self._tasks and not self._stopping.is_set():
            task = asyncio.create_task(self._run(lane), name=f"deliver {lane}")
            self._tasks[lane] = task
            task.add_done_callback(lambda _: self._tasks.pop(lane, None))

    async def stop(self) -> None:
        """Let attempts end that are under way, for a while: so fewer letters go out twice."""
        self._stopping.set()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_PATIENCE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, lane: str) -> None:
        gate = self.gates.of(lane)
        under_way: dict[int, asyncio.Task[None]] = {}
        try:
            while await self._opened(gate):
                free = 1 if gate.is_down else self._connections
                free -= len(under_way)
                due = await self._waiting.due(lane, free + len(under_way)) if free > 0 else []
                for one in due:
                    if one.number not in under_way:
                        task = asyncio.create_task(self._deliver(gate, one))
                        under_way[one.number] = task
                if not under_way:
                    return
                await asyncio.wait(under_way.values(), return_when=asyncio.FIRST_COMPLETED)
                _forget_done(under_way)
            await asyncio.gather(*under_way.values())
        except asyncio.CancelledError:
            for task in under_way.values():
                task.cancel()
            raise
        except Exception:
            # The lane is served again when the desk looks for what is due the next time.
            logger.exception("deliveries of %s rest", lane)
            await asyncio.gather(*under_way.values(), return_exceptions=True)
            await asyncio.sleep(_REST_S)

    async def _opened(self, gate: Gate) -> bool:
        """Wait while the endpoint is left alone; False: it is time to stop."""
        opening = asyncio.create_task(gate.opened())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([opening, stopping], return_when=asyncio.FIRST_COMPLETED)
        opening.cancel()
        stopping.cancel()
        return not self._stopping.is_set()

    async def _deliver(self, gate: Gate, delivery: Delivery) -> None:
        stored = await self._waiting.notice(delivery.notice)
        if stored is None:
            return
        begun = gate.begun()
        attempt, handed = await self._sender.send(delivery, stored)
        gate.note(begun, is_reached=handed.is_reached)
        await self._settler.settle(attempt)


def _forget_done(under_way: dict[int, asyncio.Task[None]]) -> None:
    """Raises what broke one of them."""
    for number, task in list(under_way.items()):
        if task.done():
            del under_way[number]
            task.result()
