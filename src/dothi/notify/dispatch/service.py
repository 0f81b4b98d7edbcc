"""Tells people of things: plans new notices, escalates, delivers; the supervised service."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct

from dothi.model.delivery import Delivery, DeliveryState
from dothi.model.measure import Measure
from dothi.model.problem import StoreUnavailable
from dothi.notify.dispatch.circle import Circle, Way
from dothi.notify.dispatch.clock_set import ClockFollower
from dothi.notify.dispatch.lanes import Lanes
from dothi.notify.dispatch.measuring import health_of, measures_of
from dothi.notify.dispatch.planning import Plan, planned
from dothi.notify.dispatch.sending import Sender
from dothi.notify.dispatch.settling import Settler
from dothi.notify.dispatch.storm import StormLimits, Storms
from dothi.notify.settings import NoticeSettings
from dothi.notify.wording.templates import OTHER
from dothi.notify.wording.words import Wording
from dothi.ports.channel import Channel, Reporting
from dothi.ports.clock import Clock
from dothi.ports.clock_watch import SteadyClock
from dothi.ports.notices import Attempt, DeliveryQueue, Notices, Preferences, StoredNotice
from dothi.ports.people import People
from dothi.ports.telling import ChannelHealth

logger = logging.getLogger(__name__)

_AT_ONCE = 200
"""Notices that are planned in one transaction."""
_AT_ONCE_IN_STORM = 20_000
_REMEMBERED = 1000
"""Notices whose words are at hand while they are told."""
_RETRY_S = 1.0
_UPKEEP = timedelta(hours=1)
_REPORT_TRIES, _REPORT_PAUSE_S = 8, 0.25
"""A report may come before what it reports of is stored."""
T = TypeVar("T")


class NoticePorts(Struct, frozen=True):
    """What the service works with."""

    notices: Notices
    queue: DeliveryQueue
    preferences: Preferences
    people: People
    channels: Mapping[str, Channel]
    """By name, in the order in which they are tried."""
    wording: Wording
    clock: Clock
    push_key: str = ""
    """For browsers; empty: web push is off."""
    steady: SteadyClock = SteadyClock()


class NoticeService:
    """ports.service.Service, Watched and ports.measured.Measured. The store has threads of its
    own: what waits for a name server elsewhere must not hold it up."""

    name = "notices"

    def __init__(self, ports: NoticePorts, settings: NoticeSettings) -> None:
        self._ports = ports
        self._settings = settings
        retries_s = (settings.retry_s, settings.max_retry_s)
        self._plan = Plan(
            {
                name: Way(name, channel.contact, channel.lane)
                for name, channel in ports.channels.items()
            },
            settings.escalation,
            settings.fallback_s,
            settings.again_s,
            ZoneInfo(settings.zone),
            settings.keep_s,
        )
        self._sender = Sender(
            ports.channels, ports.wording, ports.clock, retries_s, settings.keep_s
        )
        self._settler = Settler(self._store_attempts)
        self.lanes = Lanes(self, self._sender, self._settler, settings.connections, retries_s)
        self._storms = Storms(
            StormLimits(settings.storm_alarms, settings.storm_within_s, settings.storm_every_s)
        )
        self._follower = ClockFollower(ports.queue)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._known: dict[int, StoredNotice] = {}
        self._upkeep_at = ports.clock.now()

    def wake(self) -> None:
        """Something was put; called in the event loop. Without it a poll finds it."""
        self._wake.set()

    async def start(self) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="dothi-notices")
        self._settler.start()
        self.lanes.start()
        for name, channel in self._ports.channels.items():
            if isinstance(channel, Reporting):
                await channel.listen(partial(self._report, name))
        self._task = asyncio.create_task(self._run(), name="tell people")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self.lanes.stop()
        await self._settler.stop()
        for channel in self._ports.channels.values():
            await channel.close()
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown)

    async def wait(self) -> None:
        """See ports.service.Watched."""
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await asyncio.shield(self._task)

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        return measures_of(
            *(self._sender.tallies, self._ports.queue, self._ports.notices),
            *(self.lanes.gates, self._ports.clock.now()),
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """See ports.telling.Telling."""
        return tuple(kind for kind in self._ports.wording.templates["vi"] if kind != OTHER)

    @property
    def push_key(self) -> str:
        """See ports.telling.Telling."""
        return self._ports.push_key

    @property
    def is_capturing(self) -> bool:
        """See ports.telling.Telling."""
        return self._settings.capture

    def title(self, stored: StoredNotice, language: str) -> str:
        """See ports.telling.Telling."""
        return self._ports.wording.words(stored.notice, language, stored.number).title

    def health(self) -> list[ChannelHealth]:
        """See ports.telling.Telling."""
        ports = self._ports
        contacts = {name: channel.contact for name, channel in ports.channels.items()}
        return health_of(contacts, self._sender.tallies, ports.queue.waiting(), self.lanes.gates)

    async def due(self, lane: str, limit: int) -> list[Delivery]:
        """See lanes.Waiting."""
        found, notices = await self._ask(self._due, lane, limit)
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.update(notices)
        return found

    async def notice(self, number: int) -> StoredNotice | None:
        """See lanes.Waiting. What it says never changes; its state here may be an old one."""
        known = self._known.get(number)
        return known or await self._ask(self._ports.notices.get, number)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                pause_s = await self._round()
            except StoreUnavailable as error:
                logger.warning("notices wait for the store: %s", error)
                pause_s = _RETRY_S
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def _round(self) -> float:
        """Everything that is due now; gives the seconds until it is to be looked at again."""
        queue, now = self._ports.queue, self._ports.clock.now()
        await self._ask(self._follower.follow, self._ports.steady.mark(now))
        next_at = await self._ask(queue.next_at)
        if next_at is not None and next_at <= now:
            while await self._ask(self._plan_due):
                pass
            await self._ask(queue.release, now)
            for lane in await self._ask(queue.lanes, self._ports.clock.now()):
                self.lanes.serve(lane)
        elif now >= self._upkeep_at:
            oldest_at = now - timedelta(days=self._settings.history_days)
            if not await self._ask(queue.drop_before, oldest_at):
                self._upkeep_at = now + _UPKEEP
        return self._settings.poll_s

    def _due(self, lane: str, limit: int) -> tuple[list[Delivery], dict[int, StoredNotice]]:
        """What is due, and those of the notices behind it that are not at hand."""
        found = self._ports.queue.due(lane, self._ports.clock.now(), limit)
        unknown = {one.notice for one in found} - self._known.keys()
        notices = self._ports.notices.several(list(unknown)) if unknown else []
        return found, {one.number: one for one in notices}

    def _plan_due(self) -> bool:
        """Plan some; True when there may be more."""
        now = self._ports.clock.now()
        notices = self._ports.notices
        due = notices.due(now, _AT_ONCE)
        is_full = len(due) == _AT_ONCE
        if is_full and self._storms.are_summed_up:
            # A summary stands for all that are due, and not for the first of them.
            due = notices.due(now, _AT_ONCE_IN_STORM)
            is_full = len(due) == _AT_ONCE_IN_STORM
        found = self._storms.sort(due, now)
        if found.planned:
            notices.plan(found.planned, now, found.summaries)
        for start in range(0, len(found.singles), _AT_ONCE):
            circle = Circle(self._ports.people, self._ports.preferences, now)
            some = found.singles[start : start + _AT_ONCE]
            notices.plan([planned(self._plan, circle, one, now) for one in some], now)
        return is_full or bool(found.summaries)

    async def _store_attempts(self, attempts: Sequence[Attempt]) -> None:
        await self._ask(self._ports.queue.settle, attempts)

    async def _report(
        self, channel: str, references: Sequence[str], state: DeliveryState, detail: str
    ) -> bool:
        for _ in range(_REPORT_TRIES):
            for reference in references:
                now = self._ports.clock.now()
                try:
                    told = (channel, reference, state, detail, now)
                    is_known = await self._ask(self._ports.queue.report, *told)
                except StoreUnavailable:
                    return False
                if is_known:
                    self._sender.tallies[channel].reported += 1
                    return True
            await asyncio.sleep(_REPORT_PAUSE_S)
        return False

    async def _ask(self, ask: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask, *args)
