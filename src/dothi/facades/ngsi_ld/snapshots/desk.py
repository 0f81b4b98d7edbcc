"""Creates, changes, clones and removes the snapshots of one hub (clause 5.16)."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from dothi.facades.ngsi_ld.context.core import CORE_URL
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.errors import NgsiError, already_exists, bad_request_data, not_found
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.facades.ngsi_ld.snapshots.document import (
    DEFAULT_PRIORITY,
    QUERIES,
    QUERY_DETAILS,
    TEMPORAL_DETAILS,
    TEMPORAL_QUERIES,
    present,
    read_clone,
    read_fragment,
    read_new,
)
from dothi.facades.ngsi_ld.snapshots.filling import Filling
from dothi.facades.ngsi_ld.snapshots.notice import Notices
from dothi.facades.ngsi_ld.snapshots.selection import Selection
from dothi.facades.ngsi_ld.tables import HandlerTable
from dothi.facades.ngsi_ld.wire.durations import read_lifetime_s
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.model.problem import Overloaded, StoreUnavailable
from dothi.ports.clock import Clock
from dothi.ports.hubs import HubPorts, SnapshotRecord, Snapshots

log = logging.getLogger("dothi.ngsi_ld")

CONTEXT, ORIGIN = "@context", "origin"
"""Members of a record's document that clients do not see: in which @context the names of its
queries are, and the key of the snapshot that it is a clone of."""


class DeskDeps(Struct, frozen=True):
    """What the snapshots of a tenant need."""

    snapshots: Snapshots
    contexts: Contexts
    clock: Clock
    settings: NgsiLdSettings
    notices: Notices
    tenant: str
    root: str
    own_hub: Callable[[], AbstractAsyncContextManager[HubPorts]]
    """Keeps the hub open of which snapshots are taken."""
    handlers: Callable[[HubPorts, bool], HandlerTable]
    """Handlers over a hub; with True those with large pages."""
    work: set[asyncio.Task[None]]
    """What goes on in the background; the door ends it when it is closed."""


class SnapshotDesk:
    """The operations; called on the event loop."""

    def __init__(self, deps: DeskDeps) -> None:
        self._deps = deps
        self._filling: set[str] = set()

    async def get(self, snapshot_id: str) -> SnapshotRecord:
        """Raises ResourceNotFound, also for one that has expired."""
        record = await self._deps.snapshots.get(snapshot_id)
        if record is not None and self._is_left(record):
            record = await self._deps.snapshots.get(snapshot_id)  # it may have been done meanwhile
        if record is None or record.expires_at <= self._deps.clock.now():
            raise not_found(f"there is no snapshot {snapshot_id}")
        if self._is_left(record):
            self._begin(record)
        return record

    def _is_left(self, record: SnapshotRecord) -> bool:
        """Whether it was being filled when the program stopped."""
        return record.status == "preparing" and record.key not in self._filling

    async def create(self, document: Any, context: Any) -> str:
        """Id of the new snapshot; it is filled in the background (5.16.1)."""
        return await self._add({**read_new(document), CONTEXT: context})

    async def clone(self, snapshot_id: str, document: Any) -> str:
        """Id of the copy (5.16.2)."""
        source = await self.get(snapshot_id)
        kept = (QUERIES, TEMPORAL_QUERIES, QUERY_DETAILS, TEMPORAL_DETAILS, CONTEXT)
        taken = {name: source.document[name] for name in kept if name in source.document}
        return await self._add({**read_clone(document), **taken, ORIGIN: source.id})

    async def update(self, snapshot_id: str, document: Any) -> SnapshotRecord:
        """The snapshot with its new members (5.16.4)."""
        record = await self.get(snapshot_id)
        for name, value in read_fragment(document, snapshot_id).items():
            if value == NGSI_NULL:
                record.document.pop(name, None)
            else:
                record.document[name] = value
            if name == "snapshotLifetime":
                record.expires_at = self._expiry(record.document)
        record.modified_at = self._deps.clock.now()
        await self._deps.snapshots.put(record)
        self._spawn(self._tell(record))
        return record

    async def delete(self, snapshot_id: str) -> None:
        await self._deps.snapshots.remove(await self.get(snapshot_id))

    async def purge(self, is_meant: Selection) -> tuple[list[str], list[tuple[str, NgsiError]]]:
        """Ids of the removed ones, and those that could not be removed. Raises ResourceNotFound."""
        found = [r for r in await self._living() if is_meant(present(r))]
        if not found:
            raise not_found("no snapshot fits the query")
        done: list[str] = []
        failed: list[tuple[str, NgsiError]] = []
        for record in found:
            try:
                await self._deps.snapshots.remove(record)
                done.append(record.id)
            except StoreUnavailable as error:
                failed.append((record.id, NgsiError(503, "InternalError", "Not now", str(error))))
        return done, failed

    async def _add(self, document: dict[str, Any]) -> str:
        snapshots, now = self._deps.snapshots, self._deps.clock.now()
        id_ = document.pop("id", None) or f"urn:ngsi-ld:Snapshot:{uuid.uuid4()}"
        old = await snapshots.get(id_)
        if old is not None and old.expires_at > now:
            raise already_exists(f"there is a snapshot {id_} already")
        if old is not None:
            await snapshots.remove(old)
        document.pop("type", None)
        record = SnapshotRecord(
            id_, uuid.uuid4().hex, document, "preparing", now, now, self._expiry(document), now
        )
        await self._make_room()
        await snapshots.put(record)
        self._begin(record)
        return record.id

    def _expiry(self, document: dict[str, Any]) -> datetime:
        settings = self._deps.settings
        wanted_s = settings.snapshot_keep_s
        if "snapshotLifetime" in document:
            wanted_s = read_lifetime_s(document["snapshotLifetime"], "snapshotLifetime")
        lifetime_s = min(wanted_s, settings.snapshot_keep_most_s)
        return self._deps.clock.now() + timedelta(seconds=lifetime_s)

    async def _living(self) -> list[SnapshotRecord]:
        now = self._deps.clock.now()
        return [r for r in await self._deps.snapshots.all() if r.expires_at > now]

    async def _make_room(self) -> None:
        """Remove the least important ones beyond the limit (5.5.15)."""
        most = self._deps.settings.max_snapshots
        if not most:
            raise bad_request_data("snapshots are switched off: [ngsi_ld] max_snapshots is 0")
        living = sorted(await self._living(), key=_importance)
        for record in living[: max(len(living) - most + 1, 0)]:
            log.warning("snapshot %s makes room for a new one", record.id)
            await self._deps.snapshots.remove(record)

    def _begin(self, record: SnapshotRecord) -> None:
        self._filling.add(record.key)
        self._spawn(self._fill(record))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._deps.work.add(task)
        task.add_done_callback(self._deps.work.discard)

    async def _fill(self, record: SnapshotRecord) -> None:
        try:
            try:
                async with self._deps.own_hub() as hub:
                    await self._fill_from(hub, record)
            except (NgsiError, StoreUnavailable, Overloaded) as error:
                log.warning("snapshot %s could not be filled: %s", record.id, error)
                record.status = "failure"
            await self._finish(record)
        finally:
            # Only now: while the store says "preparing", nobody else may begin.
            self._filling.discard(record.key)

    async def _finish(self, filled: SnapshotRecord) -> None:
        """Store the outcome, beside what was changed meanwhile."""
        record = await self._deps.snapshots.get(filled.id)
        if record is None or record.key != filled.key:
            await self._deps.snapshots.discard(filled)  # it was deleted meanwhile
            return
        for name in (QUERY_DETAILS, TEMPORAL_DETAILS):
            if name in filled.document:
                record.document[name] = filled.document[name]
        record.status = filled.status
        record.modified_at = self._deps.clock.now()
        await self._deps.snapshots.put(record)
        self._spawn(self._tell(record))

    async def _fill_from(self, hub: HubPorts, record: SnapshotRecord) -> None:
        deps = self._deps
        origin = record.document.get(ORIGIN)
        if origin is not None:
            source = await deps.snapshots.get(origin)
            if source is None:
                raise not_found(f"the original {origin} is gone")
            await deps.snapshots.copy(source, record)
            record.status = source.status
            return
        context = await deps.contexts.resolve(record.document.get(CONTEXT))
        async with deps.snapshots.use(record) as frozen:
            filling = Filling(
                record, deps.handlers(hub, True), deps.handlers(frozen, False), context, deps.root
            )
            await filling.run()
        if filling.times:
            # Dated while it is closed: an open hub keeps entities in memory.
            await deps.snapshots.close(record)
            await deps.snapshots.backdate(record, filling.times)

    async def _tell(self, record: SnapshotRecord) -> None:
        given = record.document.get(CONTEXT)
        context_url = given if isinstance(given, str) else CORE_URL
        await self._deps.notices.send(record, self._deps.tenant, context_url)


def _importance(record: SnapshotRecord) -> tuple[int, datetime]:
    return record.document.get("snapshotPriority", DEFAULT_PRIORITY), record.expires_at
