"""Messages of all connections to batches, and acknowledgements back after the commit."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from msgspec import Struct

from dothi.intake.mqtt.counters import MqttCounters
from dothi.intake.mqtt.mapping.inbound import Inbound
from dothi.intake.mqtt.mapping.mapper import Mapped, Mapper
from dothi.intake.mqtt.settings import MqttSettings
from dothi.model.batch import Batch, new_batch_id
from dothi.model.problem import Overloaded, StoreUnavailable
from dothi.ports.ingest import Ingest

_log = logging.getLogger(__name__)

RETRY_S = 0.2
MAX_RETRY_S = 5.0


class Settled(NamedTuple):
    """A message whose fate is durable."""

    packet_id: int
    qos: int
    reason: str
    """Empty when it was stored, else why it was rejected."""


class Origin(Protocol):
    """The connection that a message came on."""

    def acknowledge(self, settled: list[Settled]) -> None:
        """Tell the sender, in this order; called after the commit, only for QoS 1 and 2."""
        ...


class _Taken(NamedTuple):
    message: Inbound
    origin: Origin | None
    packet_id: int
    qos: int


class _Group(Struct):
    taken: list[_Taken]
    size: int
    reasons: tuple[str, ...] = ()
    is_done: bool = False


class Door:
    """Coalesces, submits, retries and settles. Lives in one event loop.

    Groups may commit side by side; they are settled in the order in which they were taken, so
    that every connection gets its acknowledgements in the order of its messages.
    """

    def __init__(
        self, settings: MqttSettings, mapper: Mapper, ingest: Ingest, counters: MqttCounters
    ) -> None:
        self._settings = settings
        self._mapper = mapper
        self._ingest = ingest
        self.counters = counters
        self._waiting: list[_Taken] = []
        self._waiting_bytes = 0
        self._groups: deque[_Group] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._struggling = 0
        self._listeners: list[Callable[[bool], None]] = []
        self._is_held = False

    @property
    def is_held(self) -> bool:
        """Nothing more should be read from the sockets."""
        return self._is_held

    def on_hold_change(self, listener: Callable[[bool], None]) -> None:
        """`listener(True)`: stop reading; `listener(False)`: read on."""
        self._listeners.append(listener)

    def take(
        self, message: Inbound, origin: Origin | None = None, packet_id: int = 0, qos: int = 0
    ) -> None:
        """Accept a message; `origin.acknowledge` follows when it is durable."""
        counters = self.counters
        size = len(message.payload)
        counters.messages_total += 1
        counters.bytes_total += message.cut or size
        counters.in_flight_messages += 1
        counters.in_flight_bytes += size
        self._waiting.append(_Taken(message, origin, packet_id, qos))
        self._waiting_bytes += size
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(
                self._settings.coalesce_s, self._flush_all
            )
        if len(self._waiting) >= self._settings.max_batch_messages:
            self._flush_all()
        if not self._is_held:
            self._update_hold()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until everything taken is settled; False when it took too long."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while self._tasks or self._waiting:
            self._flush_all()
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        return True

    async def close(self) -> None:
        """Give up what is still under way: it was not acknowledged, the senders keep it."""
        if self._timer is not None:
            self._timer.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _flush_all(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and len(self._tasks) < self._settings.max_batches_in_flight:
            limit = self._settings.max_batch_messages
            taken, self._waiting = self._waiting[:limit], self._waiting[limit:]
            size = sum(len(one.message.payload) for one in taken)
            self._waiting_bytes -= size
            group = _Group(taken, size)
            self._groups.append(group)
            task = asyncio.create_task(self._commit(group))
            self._tasks.add(task)
            task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.result()
            if self._timer is None:
                self._flush_all()

    async def _commit(self, group: _Group) -> None:
        mapped = self._mapper.map([one.message for one in group.taken])
        group.reasons = mapped.reasons
        for rejection in mapped.rejected:
            self.counters.rejects[rejection.reason] += rejection.count
        if mapped.rows.num_rows or mapped.rejected:
            await self._store(group, mapped)
        group.is_done = True
        while self._groups and self._groups[0].is_done:
            self._settle(self._groups.popleft())

    async def _store(self, group: _Group, mapped: Mapped) -> None:
        failure = await self._submit(mapped)
        if failure is None:
            return
        # A defect further in: find the messages it is about, so that they do not block the rest.
        _log.error("a batch of MQTT messages failed, trying each message alone", exc_info=failure)
        reasons: list[str] = []
        for one in group.taken:
            alone = self._mapper.map([one.message])
            failure = await self._submit(alone) if alone.rows.num_rows or alone.rejected else None
            if failure is None:
                reasons.append(alone.reasons[0])
                continue
            reasons.append("internal_error")
            self.counters.rejects["internal_error"] += 1
            detail = f"could not be stored: {type(failure).__name__}: {failure}"
            rejection = self._mapper.reject(one.message, "internal_error", detail)
            empty = Mapped(mapped.rows.slice(0, 0), (rejection,), ())
            await self._submit(empty, is_last_resort=True)
        group.reasons = tuple(reasons)

    async def _submit(
        self, mapped: Mapped, *, is_last_resort: bool = False
    ) -> BaseException | None:
        """Until it is durable. Gives back what is neither success nor a passing trouble.

        Args:
            is_last_resort: take every failure for a passing one: there is nothing else to try,
                and what was received must not be forgotten.
        """
        batch = Batch(new_batch_id(), mapped.rows, datetime.now(UTC), mapped.rejected)
        pause_s, is_struggling = RETRY_S, False
        try:
            while True:
                [outcome] = await asyncio.gather(self._ingest.submit(batch), return_exceptions=True)
                if isinstance(outcome, Overloaded):
                    pause_s = outcome.retry_after_s
                elif isinstance(outcome, BaseException):
                    if not isinstance(outcome, StoreUnavailable) and not is_last_resort:
                        return outcome
                    _log.warning("the store takes no MQTT messages now: %s", outcome)
                    pause_s = min(pause_s * 2, MAX_RETRY_S)
                else:
                    self.counters.batches_total += 1
                    return None
                self.counters.retries_total += 1
                if not is_struggling:
                    is_struggling = True
                    self._struggling += 1
                    self._update_hold()
                await asyncio.sleep(pause_s)
        finally:
            if is_struggling:
                self._struggling -= 1
                self._update_hold()

    def _settle(self, group: _Group) -> None:
        counters = self.counters
        counters.in_flight_messages -= len(group.taken)
        counters.in_flight_bytes -= group.size
        outcomes = zip(group.taken, group.reasons, strict=True)
        wanted = [pair for pair in outcomes if pair[0].qos and pair[0].origin is not None]
        counters.acknowledged_total += len(wanted)
        by_origin: dict[int, tuple[Origin, list[Settled]]] = {}
        for one, reason in wanted:
            assert one.origin is not None
            entry = by_origin.setdefault(id(one.origin), (one.origin, []))
            entry[1].append(Settled(one.packet_id, one.qos, reason))
        for origin, settled in by_origin.values():
            origin.acknowledge(settled)
        self._update_hold()

    def _update_hold(self) -> None:
        counters, settings = self.counters, self._settings
        share = 0.5 if self._is_held else 1.0
        is_held = (
            self._struggling > 0
            or counters.in_flight_messages > settings.max_in_flight_messages * share
            or counters.in_flight_bytes > settings.max_in_flight_bytes * share
        )
        if is_held == self._is_held:
            return
        self._is_held = is_held
        counters.held_back = int(is_held)
        for listener in self._listeners:
            listener(is_held)
