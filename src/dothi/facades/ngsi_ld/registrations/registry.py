"""All registrations in memory, kept like the table; one check tells that there are none.

Counters of use (clause 5.2.9, Table 5.2.9-2) are counted here and stored a little later, so that a
forwarded request costs no commit.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from dothi.facades.ngsi_ld.registrations.data import Registration
from dothi.facades.ngsi_ld.registrations.reading import registration
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.problem import StoreUnavailable
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.context_sources import ContextSourceRecord, ContextSourceRecords, RecordKind

_STORE_AFTER_S = 2.0
Change = Callable[[Registration | None, Registration | None], None]
"""Told of every change: the registration before and after; None: it was not, or is no more."""


class Use(msgspec.Struct):
    """What became of the requests that were sent to a source."""

    sent: int = 0
    failed: int = 0
    last_success: str = ""
    last_failure: str = ""
    is_failing: bool = False
    last_error: str = ""
    """What went wrong at the last failure."""

    def members(self) -> dict[str, Any]:
        """The members of a registration in an answer; none before the first request."""
        if not self.sent:
            return {}
        found: dict[str, Any] = {
            "status": "failed" if self.is_failing else "ok",
            "timesSent": self.sent,
            "timesFailed": self.failed,
        }
        if self.last_success:
            found["lastSuccess"] = self.last_success
        if self.last_failure:
            found["lastFailure"] = self.last_failure
        return found


class Entry(Struct):
    """A registration, how its use went, and until when its source is left in peace."""

    registration: Registration
    created_at: datetime
    modified_at: datetime
    use: Use = field(default_factory=Use)
    quiet_until_s: float = 0.0
    """Monotonic time before which nothing is sent after a failure (`cooldown`)."""


class Registry:
    """Event loop only, except that `records` are written in a thread."""

    def __init__(
        self,
        records: ContextSourceRecords | None = None,
        clock: Clock | None = None,
        alias: str = "",
    ) -> None:
        """Reads what the table holds; without `records` nothing outlives the process.

        `alias`: the name of this broker, when another registry of the program has it.
        """
        self.records = records
        self._clock = clock or SystemClock()
        self._entries: dict[str, Entry] = {}
        self._dirty: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._storing: set[asyncio.Task[None]] = set()
        self._listeners: list[Change] = []
        self.alias = alias
        self._load()

    @property
    def is_empty(self) -> bool:
        return not self._entries

    def __iter__(self) -> Iterator[Entry]:
        """Those that have not expired, in the order of creation."""
        now = self._clock.now()
        return (e for e in list(self._entries.values()) if e.registration.is_live(now))

    def get(self, uri: str) -> Entry | None:
        entry = self._entries.get(uri)
        is_live = entry is not None and entry.registration.is_live(self._clock.now())
        return entry if is_live else None

    def listen(self, change: Change) -> None:
        """Call this after every change that was stored."""
        self._listeners.append(change)

    async def put(self, made: Registration) -> None:
        """Store a new registration or the changed one. Raises StoreUnavailable."""
        before = self._entries.get(made.id)
        now = self._clock.now()
        entry = Entry(made, before.created_at if before else now, now)
        if before is not None:
            entry.use = before.use
        await self._store(entry)
        self._entries[made.id] = entry
        self._tell(before.registration if before else None, made)

    async def remove(self, uri: str) -> None:
        """Forget it. Raises StoreUnavailable."""
        if self.records is not None:
            await asyncio.to_thread(self.records.remove, RecordKind.REGISTRATION, uri)
        entry = self._entries.pop(uri, None)
        self._dirty.discard(uri)
        if entry is not None:
            self._tell(entry.registration, None)

    def count(self, uri: str, failure: str = "") -> None:
        """Note how a request to the source went: well, or what went wrong."""
        entry = self._entries.get(uri)
        if entry is None:
            return
        use, at = entry.use, format_date_time(self._clock.now())
        use.sent += 1
        use.is_failing = bool(failure)
        if failure:
            use.failed += 1
            use.last_failure, use.last_error = at, failure
        else:
            use.last_success = at
        self._dirty.add(uri)
        if self.records is not None and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_STORE_AFTER_S, self._store_counters)

    def _tell(self, before: Registration | None, after: Registration | None) -> None:
        for listener in self._listeners:
            listener(before, after)

    def _store_counters(self) -> None:
        self._timer = None
        entries = [self._entries[uri] for uri in self._dirty if uri in self._entries]
        self._dirty.clear()
        task = asyncio.get_running_loop().create_task(self._store_all(entries))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def _store_all(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.registration.id not in self._entries:
                continue
            try:
                await self._store(entry)
            except StoreUnavailable:
                self._dirty.add(entry.registration.id)

    async def _store(self, entry: Entry) -> None:
        if self.records is not None:
            await asyncio.to_thread(self.records.put, _record(entry))

    def _load(self) -> None:
        if self.records is None:
            self.alias = self.alias or _new_alias()
            return
        for record in self.records.all(RecordKind.REGISTRATION):
            self._entries[record.id] = _entry(record)
        if self.alias:
            return
        identity = self.records.all(RecordKind.IDENTITY)
        if identity:
            self.alias = identity[0].id
            return
        self.alias = _new_alias()
        now = self._clock.now()
        self.records.put(ContextSourceRecord(RecordKind.IDENTITY, self.alias, "{}", now, now))


def _new_alias() -> str:
    return f"dothi-{secrets.token_hex(8)}"


def _record(entry: Entry) -> ContextSourceRecord:
    return ContextSourceRecord(
        RecordKind.REGISTRATION,
        entry.registration.id,
        msgspec.json.encode(entry.registration.document).decode(),
        entry.created_at,
        entry.modified_at,
        msgspec.json.encode(entry.use).decode(),
    )


def _entry(record: ContextSourceRecord) -> Entry:
    return Entry(
        registration(msgspec.json.decode(record.document)),
        record.created_at,
        record.modified_at,
        msgspec.json.decode(record.state, type=Use),
    )
