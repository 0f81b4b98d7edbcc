"""Tells subscribers which registrations match, newly match, changed or match no more (5.11.7).

Deliveries go through the small Protocol `Delivery`; this module knows nothing of queues, retries or
connections. What must be sent again after a failure is not decided here either.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from dothi.facades.ngsi_ld.context.core import CORE_URL
from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.registrations.data import Registration
from dothi.facades.ngsi_ld.registrations.matching import matching_information
from dothi.facades.ngsi_ld.registrations.registry import Registry
from dothi.facades.ngsi_ld.registrations.subscription import (
    RegistrationSubscription,
    understood,
)
from dothi.facades.ngsi_ld.registrations.writing import written
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, link_of_context
from dothi.facades.ngsi_ld.wire.times import LEAST_S, format_date_time
from dothi.ports.clock import Clock
from dothi.ports.context_sources import ContextSourceRecord, ContextSourceRecords, RecordKind

_NEW, _UPDATED, _GONE = "newlyMatching", "updated", "noLongerMatching"


class Delivery(Protocol):
    """Brings one notification to its endpoint."""

    async def send(
        self, subscription: RegistrationSubscription, body: bytes, headers: Mapping[str, str]
    ) -> bool:
        """Whether the endpoint took it. Never raises for what the endpoint does."""
        ...


class Counters(msgspec.Struct):
    """What became of the notifications of a subscription (clause 5.2.14)."""

    sent: int = 0
    failed: int = 0
    last_notification: str = ""
    last_success: str = ""
    last_failure: str = ""
    is_failing: bool = False

    def members(self) -> dict[str, Any]:
        """Members of `notification` in an answer; none before the first notification."""
        if not self.sent:
            return {}
        found: dict[str, Any] = {
            "timesSent": self.sent,
            "lastNotification": self.last_notification,
            "status": "failed" if self.is_failing else "ok",
        }
        if self.failed:
            found["timesFailed"] = self.failed
        if self.last_success:
            found["lastSuccess"] = self.last_success
        if self.last_failure:
            found["lastFailure"] = self.last_failure
        return found


@dataclass(slots=True)
class Watch:
    """A subscription, its counters, and its turn: notifications go out one after the other."""

    subscription: RegistrationSubscription
    created_at: datetime
    modified_at: datetime
    counters: Counters = field(default_factory=Counters)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    ticking: asyncio.Task[None] | None = None

    def stop(self) -> None:
        if self.ticking is not None:
            self.ticking.cancel()
            self.ticking = None


class RegistrationNotifier:
    """All subscriptions to registrations of one broker; a Service. Event loop only."""

    name = "subscriptions to registrations"

    def __init__(
        self,
        registry: Registry,
        contexts: Contexts,
        delivery: Delivery,
        clock: Clock,
        records: ContextSourceRecords | None = None,
        tenant: str = "",
    ) -> None:
        self.internal: Callable[[], Sequence[Watch]] = tuple
        """Tells what the broker itself wants to know of registrations; that is listed only."""
        self._registry = registry
        self._contexts = contexts
        self._delivery = delivery
        self._clock = clock
        self._records = records
        self._tenant = tenant
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
        """End what goes on; a notification that is on its way may be lost (one attempt each)."""
        for watch in self._watches.values():
            watch.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

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
        if not found:
            return
        async with watch.turn:
            now = self._clock.now()
            made = watch.subscription
            if self._watches.get(made.id) is not watch or not made.is_live(now):
                return
            body, headers = _message(made, reason, found, now)
            if self._tenant:
                headers = {"NGSILD-Tenant": self._tenant, **headers}
            succeeded = await self._delivery.send(made, body, headers)
            _count(watch.counters, format_date_time(now), succeeded=succeeded)
            if self._watches.get(made.id) is watch:
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
        return True

    async def _store(self, watch: Watch) -> None:
        if self._records is not None:
            await asyncio.to_thread(self._records.put, _record(watch))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _count(counters: Counters, at: str, *, succeeded: bool) -> None:
    counters.sent += 1
    counters.last_notification = at
    counters.is_failing = not succeeded
    if succeeded:
        counters.last_success = at
    else:
        counters.failed += 1
        counters.last_failure = at


def _message(
    made: RegistrationSubscription, reason: str, found: Sequence[Registration], now: datetime
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a CsourceNotification (clause 5.3.2)."""
    context = made.told
    is_ld = made.accept == LD_JSON
    data = [_shown(made, registration, context) for registration in found]
    if is_ld:
        value = CORE_URL if context.user is None else context.user
        data = [{"@context": value, **one} for one in data]
    body = {
        "id": f"urn:ngsi-ld:ContextSourceNotification:{uuid.uuid4()}",
        "type": "ContextSourceNotification",
        "subscriptionId": made.id,
        "notifiedAt": format_date_time(now),
        "triggerReason": reason,
        "data": data,
    }
    headers = {"Content-Type": LD_JSON if is_ld else JSON}
    if not is_ld:
        headers["Link"] = link_of_context(context.url)
    given = {key: value for key, value in made.headers if key.lower() != "content-type"}
    return msgspec.json.encode(body), headers | given


def _shown(
    made: RegistrationSubscription, registration: Registration, context: LdContext
) -> dict[str, Any]:
    """The registration with the information that the subscription is about."""
    document = registration.document
    kept = matching_information(registration, made.query.wanted, made.query.names)
    if kept and len(kept) < len(registration.information):
        pairs = zip(document["information"], registration.information, strict=True)
        document = {**document, "information": [raw for raw, part in pairs if part in kept]}
    return written(document, context)


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
