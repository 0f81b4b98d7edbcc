"""Notifications as a service: follows the log, matches, stores, delivers."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from msgspec import Struct

from dothi.facades.ngsi_ld.context.resolve import ContextLoader, Contexts
from dothi.facades.ngsi_ld.notify_settings import NotifySettings
from dothi.facades.ngsi_ld.subscriptions.dispatcher import Dispatcher
from dothi.facades.ngsi_ld.subscriptions.intervals import Intervals
from dothi.facades.ngsi_ld.subscriptions.matcher import Matched, Matcher
from dothi.facades.ngsi_ld.subscriptions.measuring import measures_of
from dothi.facades.ngsi_ld.subscriptions.model import Subscription
from dothi.facades.ngsi_ld.subscriptions.registry import Registry
from dothi.facades.ngsi_ld.subscriptions.throttle import Throttle
from dothi.facades.ngsi_ld.subscriptions.viewing import view_of
from dothi.model.measure import Measure
from dothi.model.problem import StoreUnavailable
from dothi.ports.clock import Clock
from dothi.ports.entity_query import Entities
from dothi.ports.hubs import Following
from dothi.ports.notifier import Notifier
from dothi.ports.subscriptions import Notification, SubscriptionView

logger = logging.getLogger(__name__)

CONSUMER = "ngsi-ld subscriptions"
_FEW_ROWS = 200
"""Rows that are read at first; when there are more, the next run takes `run_rows`."""
_SAVE_S = 1.0
"""A cursor without notifications is written so often: rows that match nothing may come again."""
_GATHER_S = 0.05
"""After a run, what is committed meanwhile is taken together: a run costs a transaction, which
holds up the commits of the log. The first change after a rest does not wait."""
_RETRY_S = 1.0
_UPKEEP_S = 30.0
T = TypeVar("T")


class NotifyPorts(Struct, frozen=True):
    """What the service works with."""

    hub: Following
    entities: Entities
    senders: Mapping[str, Notifier]
    """By the scheme of the endpoint."""
    loader: ContextLoader
    clock: Clock


class SubscriptionService:
    """ports.service.Service and Watched. Matching has one thread of its own."""

    name = "subscriptions"

    def __init__(
        self, ports: NotifyPorts, settings: NotifySettings | None = None, *, tenant: str = ""
    ) -> None:
        self._ports = ports
        self._settings = settings or NotifySettings()
        contexts = Contexts(ports.loader)
        self.registry = Registry(ports.hub.subscriptions, contexts, ports.hub.log.head, ports.clock)
        self.dispatcher = Dispatcher(
            *(self.registry, ports.hub.outbox, ports.senders, self._settings, ports.clock),
            tenant=tenant,
        )
        self._matcher = Matcher(
            self.registry.index, ports.hub.states, ports.hub.earlier, ports.entities
        )
        self._throttle = Throttle()
        self._intervals = Intervals(ports.entities, ports.clock, self._deliver_periodic)
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._thread: ThreadPoolExecutor | None = None
        self.position = 0
        self._head = 0
        self._saved = 0
        self._saved_s = 0.0
        self.matched = 0
        self._limit = _FEW_ROWS
        self.registry.watch(self._changed)

    def wake(self, head: int) -> None:
        """The log reaches up to `head` now; given to Intake.watch."""
        self._head = max(self._head, head)
        self._wake.set()

    async def start(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dothi-notify")
        await self.registry.load()
        await self.dispatcher.start()
        cursors, log = self._ports.hub.cursors, self._ports.hub.log
        self.position = await asyncio.to_thread(cursors.position, CONSUMER)
        if not self.position:
            self.position = await asyncio.to_thread(log.head)
        self._wake.set()
        self._intervals.start()
        self._tasks = [
            asyncio.create_task(self._follow(), name="follow the log for subscriptions"),
            asyncio.create_task(self._upkeep(), name="upkeep of notifications"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._intervals.stop()
        await self.dispatcher.stop()
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.shutdown)

    async def wait(self) -> None:
        """See ports.service.Watched."""
        tasks = [*self._tasks, *filter(None, [self._intervals.task])]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if not task.cancelled():
                task.result()

    def is_needed(self) -> bool:
        """Whether its hub must stay open although nobody asks for it."""
        return len(self.registry) > 0

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        return measures_of(self.dispatcher, len(self.registry), self.matched)

    def views(self) -> list[SubscriptionView]:
        """See ports.subscriptions.Deliveries."""
        now_at = self._ports.clock.now()
        return [view_of(one, self.dispatcher, now_at) for one in self.registry.all()]

    def _changed(self, subscription: Subscription | None, number: int) -> None:
        if subscription is None:
            self.dispatcher.forget(number)
            self._throttle.forget(number)
            self._intervals.forget(number)
        else:
            self._intervals.put(subscription)

    async def _follow(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while await self._step():
                    pass
                await asyncio.sleep(_GATHER_S)
            except StoreUnavailable as error:
                logger.warning("subscriptions wait for the store: %s", error)
                await asyncio.sleep(_RETRY_S)
                self._wake.set()

    async def _step(self) -> bool:
        """Take one run of rows; True when there may be more."""
        if not len(self.registry.index):
            # Nobody waits for what was committed so far: not even its rows are looked at.
            self.position = max(self.position, self._head)
            await self._save()
            return False
        notifications, position, is_full = await self._in_thread(self._work)
        if notifications:
            self._saved, self._saved_s = position, monotonic()
            self.matched += len(notifications)
            self.dispatcher.put(notifications)
        self.position = position
        await self._save()
        return is_full

    def _work(self) -> tuple[list[Notification], int, bool]:
        """Read, match, and store the notifications together with the cursor."""
        limit = self._limit
        rows = self._ports.hub.log.read(self.position, limit)
        is_full = bool(rows.num_rows == limit)
        self._limit = self._settings.run_rows if is_full else _FEW_ROWS
        if not rows.num_rows:
            return [], self.position, False
        position = int(rows["seq"][-1].as_py())
        matched = self._matcher.match(rows)
        notifications = self._throttle.notifications(matched, self._ports.clock.now())
        if notifications:
            self._ports.hub.outbox.put(notifications, CONSUMER, position)
        return notifications, position, is_full

    async def _save(self) -> None:
        if self.position > self._saved and monotonic() - self._saved_s > _SAVE_S:
            await self._in_thread(self._ports.hub.cursors.advance, CONSUMER, self.position)
            self._saved, self._saved_s = self.position, monotonic()

    async def relay(self, matched: Sequence[Matched]) -> None:
        """Deliver what another source has notified. Raises StoreUnavailable."""
        notifications = await self._in_thread(self._relayed, matched)
        self.matched += len(notifications)
        self.dispatcher.put(notifications)

    def _relayed(self, matched: Sequence[Matched]) -> list[Notification]:
        notifications = self._throttle.notifications(matched, self._ports.clock.now())
        if notifications:
            self._ports.hub.outbox.put(notifications, CONSUMER, 0)
        return notifications

    async def _deliver_periodic(self, matched: Sequence[Matched]) -> None:
        """Nothing is added while an earlier one still waits: the receiver is behind."""
        now_at = self._ports.clock.now()
        notifications = [
            Notification(one.id, one.subscription.number, one.data, now_at, now_at)
            for one in matched
            if not self.dispatcher.waiting(one.subscription.number)
        ]
        if notifications:
            try:
                await self._in_thread(self._ports.hub.outbox.put, notifications, CONSUMER, 0)
            except StoreUnavailable as error:
                logger.warning("periodic notifications are left out: %s", error)
                return
            self.matched += len(notifications)
            self.dispatcher.put(notifications)

    async def _upkeep(self) -> None:
        while True:
            await asyncio.sleep(_UPKEEP_S)
            self.dispatcher.resume()
            self._wake.set()
            oldest_at = self._ports.clock.now() - timedelta(seconds=self._settings.keep_s)
            try:
                self.dispatcher.lost(
                    await self._in_thread(self._ports.hub.outbox.drop_before, oldest_at)
                )
            except StoreUnavailable as error:
                logger.warning("old notifications stay for now: %s", error)

    async def _in_thread(self, ask: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, ask, *args)
