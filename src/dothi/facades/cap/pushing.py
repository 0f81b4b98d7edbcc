"""Hands released public messages to receivers outside, each at its own pace.

The record of what people did is the outbox: a release is one of its rows, written in the same
transaction, and a cursor for each receiver says up to which row it has everything. So a crash loses
nothing; a receiver may get a message twice, under the same key. Messages reach a receiver in the
order of their release, so that an Update never comes before its Alert.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from dothi.facades.cap.settings import CapReceiver
from dothi.facades.cap.writing import MEDIA_TYPE
from dothi.model.cap import Scope
from dothi.model.measure import Measure
from dothi.model.uri import without_login
from dothi.model.warning import WarningMessage
from dothi.pipeline.gates import receiver_of
from dothi.ports.clock import Clock
from dothi.ports.cursors import Cursors
from dothi.ports.notifier import DocumentNotifier, Outcome
from dothi.ports.warnings import Released, WarningReceiver, Warnings

log = logging.getLogger(__name__)

LANE = 2
"""These cursors count rows of the warnings' record, not rows of the log (lane 0)."""
_AT_ONCE = 20
_DOWN_AFTER = 3


class PushPorts(Struct, frozen=True):
    """What a push works with."""

    warnings: Warnings
    cursors: Cursors
    clock: Clock
    notifiers: Mapping[str, DocumentNotifier]
    """By the name of the receiver."""


class Patience(Struct, frozen=True):
    """How long and how often a message is tried; seconds."""

    poll_s: float
    retry_s: float
    max_retry_s: float
    keep_s: float


class CapPush:
    """ports.service.Service, Watched and ports.measured.Measured."""

    name = "push of public warnings"

    def __init__(
        self, receivers: Mapping[str, CapReceiver], ports: PushPorts, patience: Patience
    ) -> None:
        self._lines = [_Line(name, one, ports, patience) for name, one in receivers.items()]
        self._tasks: list[asyncio.Task[None]] = []

    def views(self) -> list[WarningReceiver]:
        """See ports.warnings.WarningReceivers."""
        return [line.view() for line in self._lines]

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        views = self.views()
        if not views:
            return ()
        return (
            Measure(
                "dothi_warnings_pushed_total",
                "counter",
                "Messages of public warnings that a receiver was handed or that were given up",
                tuple(
                    ({"receiver": one.name, "result": result}, float(count))
                    for one in views
                    for result, count in (("taken", one.taken), ("given_up", one.given_up))
                ),
            ),
            Measure(
                "dothi_warnings_push_down",
                "gauge",
                "1 while a receiver of public warnings fails again and again",
                tuple(({"receiver": one.name}, float(one.is_down)) for one in views),
            ),
        )

    async def start(self) -> None:
        for line in self._lines:
            await asyncio.to_thread(line.begin)
        self._tasks = [asyncio.create_task(line.run()) for line in self._lines]

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in self._lines:
            await line.close()

    async def wait(self) -> None:
        """See ports.service.Watched."""
        if self._tasks:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                if not task.cancelled():
                    task.result()


class _Line:
    """One receiver."""

    def __init__(
        self, name: str, receiver: CapReceiver, ports: PushPorts, patience: Patience
    ) -> None:
        self._name = name
        self._receiver = receiver
        self._ports = ports
        self._patience = patience
        self._consumer = f"cap_push:{name}"
        self._position = 0
        self._failures = 0
        self._taken = 0
        self._given_up = 0
        self._last_success_at: datetime | None = None
        self._last_error = ""

    def view(self) -> WarningReceiver:
        return WarningReceiver(
            self._name,
            receiver_of(without_login(self._receiver.url)),
            self._failures >= _DOWN_AFTER,
            self._taken,
            self._given_up,
            self._last_success_at,
            self._last_error,
        )

    def begin(self) -> None:
        """A new receiver gets what is released from now on. The cursor is one higher than the row,
        so that it tells "nothing yet" from "never". Blocking."""
        stored = self._ports.cursors.position(self._consumer, LANE)
        if stored:
            self._position = stored - 1
        else:
            self._advance(self._ports.warnings.last_record())

    async def run(self) -> None:
        while True:
            found = await self._ask()
            for one in found:
                is_meant = self._is_meant(one.message)
                is_taken = is_meant and await self._hand(one.message)
                await asyncio.to_thread(self._advance, one.record)
                self._taken += is_taken
                self._given_up += is_meant and not is_taken
            if len(found) < _AT_ONCE:
                await asyncio.sleep(self._patience.poll_s)

    async def close(self) -> None:
        await self._ports.notifiers[self._name].close()

    async def _ask(self) -> Sequence[Released]:
        after = self._position
        return await asyncio.to_thread(self._ports.warnings.released_after, after, _AT_ONCE)

    def _is_meant(self, message: WarningMessage) -> bool:
        content = message.content
        return content.scope is Scope.PUBLIC and content.status in self._receiver.statuses

    async def _hand(self, message: WarningMessage) -> bool:
        """Until it is taken (True), refused for good, or too old."""
        notifier, pause_s = self._ports.notifiers[self._name], self._patience.retry_s
        while True:
            outcome = await notifier.send(message.identifier, message.document.encode(), MEDIA_TYPE)
            if outcome.is_ok:
                self._failures, self._last_error = 0, ""
                self._last_success_at = self._ports.clock.now()
                return True
            self._failures += 1
            self._last_error = outcome.detail
            if self._is_over(message, outcome):
                log.error(
                    "receiver %s did not take the public warning %s: %s",
                    *(self._name, message.identifier, outcome.detail),
                )
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._patience.max_retry_s)

    def _is_over(self, message: WarningMessage, outcome: Outcome) -> bool:
        sent_at = message.sent_at or self._ports.clock.now()
        age = self._ports.clock.now() - sent_at
        return not outcome.may_retry or age > timedelta(seconds=self._patience.keep_s)

    def _advance(self, record: int) -> None:
        self._ports.cursors.advance(self._consumer, record + 1, LANE)
        self._position = record
