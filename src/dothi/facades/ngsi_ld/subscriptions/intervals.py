"""Subscriptions with timeInterval: what matches is told again and again (clause 5.8.6)."""

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from dothi.facades.ngsi_ld.subscriptions.composing import Composer, Entry
from dothi.facades.ngsi_ld.subscriptions.matcher import Matched, notification_id
from dothi.facades.ngsi_ld.subscriptions.model import Selector, Subscription
from dothi.facades.ngsi_ld.wire.times import LEAST_S
from dothi.model.condition import all_of
from dothi.ports.clock import Clock
from dothi.ports.entity_query import Entities, EntitySearch

logger = logging.getLogger(__name__)

_PAGE = 500
"""So many entities per notification."""
Deliver = Callable[[Sequence[Matched]], Awaitable[None]]


class Intervals:
    """A timer for all of them; used in the event loop."""

    def __init__(self, entities: Entities, clock: Clock, deliver: Deliver) -> None:
        self._entities = entities
        self._clock = clock
        self._deliver = deliver
        self._due: list[tuple[datetime, int]] = []
        self._known: dict[int, Subscription] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def put(self, subscription: Subscription) -> None:
        """It is there, or has changed; the first notification comes after one interval."""
        old = self._known.get(subscription.number)
        if not subscription.interval_s:
            self.forget(subscription.number)
            return
        self._known[subscription.number] = subscription
        if old is None or old.interval_s != subscription.interval_s:
            self._plan(subscription)

    def forget(self, number: int) -> None:
        self._known.pop(number, None)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="periodic notifications")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @property
    def task(self) -> "asyncio.Task[None] | None":
        return self._task

    def _plan(self, subscription: Subscription) -> None:
        due_at = self._clock.now() + timedelta(seconds=max(subscription.interval_s, LEAST_S))
        heapq.heappush(self._due, (due_at, subscription.number))
        self._wake.set()

    async def _run(self) -> None:
        while True:
            if not self._due:
                self._wake.clear()
                await self._wake.wait()
            due_at, number = self._due[0]
            rest_s = (due_at - self._clock.now()).total_seconds()
            if rest_s > 0:
                self._wake.clear()
                try:
                    async with asyncio.timeout(rest_s):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                continue
            heapq.heappop(self._due)
            subscription = self._known.get(number)
            if subscription is None:
                continue
            self._plan_after(subscription, due_at)
            if subscription.status(self._clock.now()) == "active":
                await self._deliver(await asyncio.to_thread(self._matched, subscription, due_at))

    def _plan_after(self, subscription: Subscription, due_at: datetime) -> None:
        """The next time; those that were missed while the program was busy are left out."""
        step = timedelta(seconds=max(subscription.interval_s, LEAST_S))
        next_at = max(due_at + step, self._clock.now())
        if not any(number == subscription.number for _, number in self._due):
            heapq.heappush(self._due, (next_at, subscription.number))

    def _matched(self, subscription: Subscription, due_at: datetime) -> list[Matched]:
        found: dict[str, None] = {}
        for selector in subscription.selectors or (Selector(None),):
            found |= dict.fromkeys(self._entities.find(_search(selector, subscription)))
        ids = list(found)
        made = []
        for start in range(0, len(ids), _PAGE):
            entities = self._entities.load(ids[start : start + _PAGE])
            test = subscription.scope_test
            entries = [Entry(e) for e in entities if test is None or test(e.scope)]
            if entries:
                items = Composer(self._entities.load).items(subscription, entries)
                made.append(
                    Matched(notification_id(subscription, due_at, start), subscription, items)
                )
        return made


def _search(selector: Selector, subscription: Subscription) -> EntitySearch:
    parts = [part for part in (selector.types, subscription.condition) if part is not None]
    return EntitySearch(
        ids=tuple(selector.ids), id_pattern=selector.id_pattern, condition=all_of(parts), limit=None
    )
