"""Delivers notifications: a lane per subscription in order, a gate per receiver."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from dothi.facades.ngsi_ld.notify_settings import NotifySettings
from dothi.facades.ngsi_ld.subscriptions.messages import message_of
from dothi.facades.ngsi_ld.subscriptions.model import Subscription
from dothi.facades.ngsi_ld.subscriptions.settling import Settler
from dothi.facades.ngsi_ld.subscriptions.tally import Tally
from dothi.pipeline.gates import Gates, receiver_of
from dothi.ports.clock import Clock
from dothi.ports.notifier import Notifier, Outcome
from dothi.ports.subscriptions import Notification, Outbox

_REFILL = 200


class Known(Protocol):
    """Who knows the subscriptions."""

    def by_number(self, number: int) -> Subscription | None: ...


class _Lane(Struct):
    """The notifications of one subscription; in memory the next ones, the others in the table."""

    queue: deque[Notification] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    waiting: int = 0
    """In memory and in the table."""
    last_id: str = ""
    """The last one that came into memory."""


class Dispatcher:
    """Used in the event loop."""

    def __init__(
        self,
        known: Known,
        outbox: Outbox,
        senders: Mapping[str, Notifier],
        settings: NotifySettings,
        clock: Clock,
        *,
        tenant: str = "",
    ) -> None:
        """`senders`: by the scheme of the endpoint."""
        self._known = known
        self._outbox = outbox
        self._senders = senders
        self._settings = settings
        self._clock = clock
        self._tenant = tenant
        self._lanes: dict[int, _Lane] = {}
        self._settler = Settler(outbox)
        self.gates = Gates(settings.connections, (settings.retry_s, settings.max_retry_s))
        self.tally = Tally()

    async def start(self) -> None:
        """Take up what an earlier run left."""
        self._settler.start()
        for number, count in (await asyncio.to_thread(self._outbox.counts)).items():
            lane = self._lanes.setdefault(number, _Lane())
            lane.waiting = count
            self._serve(number, lane)

    async def stop(self) -> None:
        """End deliveries; what is not delivered stays in the table."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()
        await self._settler.stop()
        for sender in dict.fromkeys(self._senders.values()):
            await sender.close()

    def put(self, notifications: Sequence[Notification]) -> None:
        """They are in the table; deliver them. One whose id waits already replaces it."""
        for notification in notifications:
            lane = self._lanes.setdefault(notification.subscription, _Lane())
            if self._replaced(lane, notification):
                continue
            if len(lane.queue) == lane.waiting and lane.waiting < self._settings.lane_length:
                lane.queue.append(notification)
                lane.last_id = notification.id
            lane.waiting += 1
            self._serve(notification.subscription, lane)

    def forget(self, number: int) -> None:
        """The subscription and its notifications are gone."""
        lane = self._lanes.pop(number, None)
        self._settler.forget(number)
        if lane is not None and lane.task is not None:
            lane.task.cancel()

    def resume(self) -> None:
        """Start lanes again that an error of the store has stopped."""
        for number, lane in self._lanes.items():
            if lane.waiting:
                self._serve(number, lane)

    def waiting(self, number: int) -> int:
        """How many notifications of a subscription wait."""
        lane = self._lanes.get(number)
        return lane.waiting if lane is not None else 0

    @property
    def queued(self) -> int:
        return sum(lane.waiting for lane in self._lanes.values())

    def lost(self, counts: Mapping[int, int]) -> None:
        """So many per subscription were taken out of the table because they were too old."""
        for number, count in counts.items():
            self.tally.given_up += count
            lane = self._lanes.get(number)
            if lane is not None:
                lane.waiting = max(lane.waiting - count, len(lane.queue))

    def _replaced(self, lane: _Lane, notification: Notification) -> bool:
        """Only the last of a lane can be one that is still gathering (throttling)."""
        if not lane.queue or lane.queue[-1].id != notification.id:
            return False
        lane.queue[-1] = notification
        return True

    def _serve(self, number: int, lane: _Lane) -> None:
        if lane.task is None:
            lane.task = asyncio.create_task(self._run(number, lane), name=f"notify {number}")

    async def _run(self, number: int, lane: _Lane) -> None:
        try:
            while lane.waiting:
                if not lane.queue and not await self._refill(number, lane):
                    lane.waiting = 0
                    break
                await self._next(number, lane)
        finally:
            lane.task = None
            if not lane.waiting and self._lanes.get(number) is lane:
                del self._lanes[number]

    async def _refill(self, number: int, lane: _Lane) -> bool:
        # No more than were put: what is stored already and put only later would be counted short.
        limit = min(lane.waiting, _REFILL)
        found = await asyncio.to_thread(self._outbox.waiting, number, lane.last_id, limit)
        lane.queue.extend(found)
        if found:
            lane.last_id = found[-1].id
        return bool(found)

    async def _next(self, number: int, lane: _Lane) -> None:
        """Deliver the first of the lane, or wait for the time when it may be delivered."""
        await self._sleep_until(lane.queue[0].due_at)
        notification = lane.queue[0]
        subscription = self._known.by_number(number)
        if subscription is None or not self._may_be_sent(subscription):
            self._leave(lane, notification)
            return
        gate = self.gates.of(receiver_of(subscription.target.uri))
        async with gate.passing() as begun:
            notification = lane.queue[0]
            outcome = await self._send(notification, subscription)
        gate.note(begun, is_reached=outcome.is_ok or not outcome.may_retry)
        box = subscription.delivery
        box.state = self.tally.note(box.state, notification, outcome, self._clock.now())
        self._settler.state(number, box.state)
        if outcome.is_ok or not outcome.may_retry or self._is_hopeless(notification):
            self._leave(lane, notification)
            self.tally.given_up += 0 if outcome.is_ok else 1
            return
        attempts = notification.attempts + 1
        due_at = self._clock.now() + timedelta(seconds=self._settings.pause_s(attempts - 1))
        lane.queue[0] = replace(notification, attempts=attempts, due_at=due_at)
        self._settler.postponed(lane.queue[0])

    async def _sleep_until(self, due_at: datetime) -> None:
        while (rest_s := (due_at - self._clock.now()).total_seconds()) > 0:
            await asyncio.sleep(rest_s)

    def _may_be_sent(self, subscription: Subscription) -> bool:
        """Active, and not within the cooldown after a failure (clause 5.2.15)."""
        now_at = self._clock.now()
        if subscription.status(now_at) != "active":
            return False
        state, cooldown_s = subscription.delivery.state, subscription.target.cooldown_s
        if not cooldown_s or state.status != "failed" or state.last_failure_at is None:
            return True
        return (now_at - state.last_failure_at).total_seconds() >= cooldown_s

    async def _send(self, notification: Notification, subscription: Subscription) -> Outcome:
        sender = self._senders.get(subscription.target.uri.partition(":")[0])
        if sender is None:
            return Outcome(False, "there is no way to deliver to such an address")
        message = message_of(
            *(notification, subscription, self._clock.now()),
            *(self._settings.timeout_s, self._tenant),
        )
        return await sender.send(message)

    def _is_hopeless(self, notification: Notification) -> bool:
        age = self._clock.now() - notification.created_at
        return age.total_seconds() > self._settings.keep_s

    def _leave(self, lane: _Lane, notification: Notification) -> None:
        if lane.queue and lane.queue[0].id == notification.id:
            lane.queue.popleft()
            lane.waiting -= 1
        self._settler.done(notification)
