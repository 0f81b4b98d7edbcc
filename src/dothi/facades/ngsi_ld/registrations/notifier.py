"""Tells subscribers which registrations match, newly match, changed or match no more (5.11.7).

Notifications of one subscription go out one after the other. What a receiver does not take is tried
again, with growing pauses; a subscription whose last notification did not arrive before the program
stopped is told everything that matches after the next start.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.registrations.data import Registration
from dothi.facades.ngsi_ld.registrations.notification import Counters, Outward, Watch, body_of
from dothi.facades.ngsi_ld.registrations.registry import Registry
from dothi.facades.ngsi_ld.registrations.subscription import (
    RegistrationSubscription,
    understood,
)
from dothi.facades.ngsi_ld.wire.times import LEAST_S, format_date_time
from dothi.ports.context_sources import ContextSourceRecord, ContextSourceRecords, RecordKind
from dothi.ports.notifier import Outcome

_NEW, _UPDATED, _GONE = "newlyMatching", "updated", "noLongerMatching"


class RegistrationNotifier:
    """All subscriptions to registrations of one broker; a Service. Event loop only."""

    name = "subscriptions to registrations"

    def __init__(
        self,
        registry: Registry,
        contexts: Contexts,
        outward: Outward,
        records: ContextSourceRecords | None = None,
    ) -> None:
        self.internal: Callable[[], Sequence[Watch]] = tuple
        """Tells what the broker itself wants to know of registrations; that is listed only."""
        self._registry = registry
        self._contexts = contexts
        self._outward = outward
        self._settings = outward.settings
        self._clock = outward.clock
        self._records = records
        self._watches: dict[str, Watch] = {}
        self._waiting = list(records.all(RecordKind.SUBSCRIPTION)) if records else []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loading = asyncio.Lock()
        registry.listen(self._changed)

    async def start(self) -> None:
        """Take up the subscriptions of an earlier run; those with timeInterval tick from now on.

        In the background: an @context that somebody else has to send must not hold up the start.
        """
        for watch in self._watches.values():
            self._start_ticking(watch)
        self._spawn(self._ready())

    async def stop(self) -> None:
        """End what goes on; who was not reached is told everything after the next start."""
        for watch in self._watches.values():
            watch.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._outward.close()

    def is_needed(self) -> bool:
        """Whether its hub must stay open although nobody asks for it: it tells somebody."""
        return bool(self._tasks) or any(
            watch.ticking is not None for watch in self._watches.values()
        )

    async def all(self) -> Sequence[Watch]:
        """In the order of creation."""
        await self._ready()
        return list(self._watches.values())

    async def visible(self) -> Sequence[Watch]:
        """All, and after them those of the broker itself, which nobody can change."""
        return [*await self.all(), *self.internal()]

    async def get(self, uri: str) -> Watch | None:
        await self._ready()
        return self._watches.get(uri)

    async def put(self, made: RegistrationSubscription) -> None:
        """Store a new or changed subscription and tell it of all that matches now (5.11.2)."""
        before = self._watches.get(made.id)
        now = self._clock.now()
        watch = Watch(made, before.created_at if before else now, now)
        if before is not None:
            before.stop()
            watch.counters = before.counters
        await self._store(watch)
        self._watches[made.id] = watch
        self._begin(watch)

    async def remove(self, uri: str) -> None:
        watch = self._watches.pop(uri, None)
        if watch is not None:
            watch.stop()
        if self._records is not None:
            await asyncio.to_thread(self._records.remove, RecordKind.SUBSCRIPTION, uri)

    def status_of(self, watch: Watch) -> str:
        """active, paused or expired (clause 5.2.12)."""
        if watch.subscription.is_expired(self._clock.now()):
            return "expired"
        return "active" if watch.subscription.is_active else "paused"

    def _begin(self, watch: Watch) -> None:
        self._spawn(self._tell_all(watch))
        self._start_ticking(watch)

    def _start_ticking(self, watch: Watch) -> None:
        if watch.subscription.interval_s and watch.ticking is None:
            watch.ticking = asyncio.get_running_loop().create_task(self._tick(watch))

    async def _tick(self, watch: Watch) -> None:
        while True:
            await asyncio.sleep(max(watch.subscription.interval_s, LEAST_S))
            await self._tell_all(watch)

    async def _tell_all(self, watch: Watch) -> None:
        query = watch.subscription.query
        found = [e.registration for e in self._registry if query.meets(e.registration)]
        await self._tell(watch, _NEW, found)

    def _changed(self, before: Registration | None, after: Registration | None) -> None:
        if self._watches or self._waiting:
            self._spawn(self._tell_change(before, after))

    async def _tell_change(self, before: Registration | None, after: Registration | None) -> None:
        await self._ready()
        for watch in list(self._watches.values()):
            if watch.subscription.interval_s:
                continue
            query = watch.subscription.query
            matched = before is not None and query.meets(before)
            matches = after is not None and query.meets(after)
            shown = after or before
            if shown is not None and (matched or matches):
                reason = (_UPDATED if matched else _NEW) if matches else _GONE
                self._spawn(self._tell(watch, reason, [shown]))

    async def _tell(self, watch: Watch, reason: str, found: Sequence[Registration]) -> None:
        if not found or watch.waiting >= self._settings.lane_length:
            return
        made, message, failures = watch.subscription, None, 0
        watch.waiting += 1
        try:
            async with watch.turn:
                began_at = self._clock.now()
                while self._may_tell(watch):
                    message = message or body_of(made, reason, found, began_at)
                    outcome = await self._outward.send(made, *message)
                    await self._note(watch, outcome, is_first=not failures)
                    age_s = (self._clock.now() - began_at).total_seconds()
                    if outcome.is_ok or not outcome.may_retry or age_s > self._settings.keep_s:
                        return
                    await asyncio.sleep(self._settings.pause_s(failures))
                    failures += 1
        finally:
            watch.waiting -= 1

    def _may_tell(self, watch: Watch) -> bool:
        made = watch.subscription
        return self._watches.get(made.id) is watch and made.is_live(self._clock.now())

    async def _note(self, watch: Watch, outcome: Outcome, *, is_first: bool) -> None:
        now = format_date_time(self._clock.now())
        watch.counters.note(now, succeeded=outcome.is_ok, is_first=is_first)
        if self._watches.get(watch.subscription.id) is watch:
            await self._store(watch)

    async def _ready(self) -> None:
        """Make the subscriptions of the table; those whose @context is missing wait."""
        if not self._waiting:
            return
        async with self._loading:
            for record in list(self._waiting):
                if await self._take_up(record):
                    self._waiting.remove(record)

    async def _take_up(self, record: ContextSourceRecord) -> bool:
        kept = msgspec.json.decode(record.document)
        try:
            context = await self._contexts.resolve(kept["context"])
            made = await understood(kept["members"], context, self._contexts)
        except NgsiError:
            return False
        watch = Watch(made, record.created_at, record.modified_at)
        watch.counters = msgspec.json.decode(record.state, type=Counters)
        self._watches.setdefault(record.id, watch)
        self._start_ticking(watch)
        if watch.counters.is_failing:
            self._spawn(self._tell_all(watch))
        return True

    async def _store(self, watch: Watch) -> None:
        if self._records is not None:
            await asyncio.to_thread(self._records.put, _record(watch))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _record(watch: Watch) -> ContextSourceRecord:
    made = watch.subscription
    kept = {"members": made.document, "context": made.context.user}
    return ContextSourceRecord(
        RecordKind.SUBSCRIPTION,
        made.id,
        msgspec.json.encode(kept).decode(),
        watch.created_at,
        watch.modified_at,
        msgspec.json.encode(watch.counters).decode(),
    )
