"""Every @context that is stored here: fetched, hosted for users, or made for them (clause 5.13).

The figures of all are in memory; documents are in the store, and what requests use often is kept
resolved by `Contexts`.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from dothi.facades.ngsi_ld.errors import NgsiError, too_many_results
from dothi.ports.clock import Clock
from dothi.ports.ld_contexts import ContextKind, KeptContext, LdContextStore

PATH = "/jsonldContexts/"
_FAILURE_S = 15.0
_STALE_S = 60.0
_MOST_FAILURES = 1000


class Fetched(NamedTuple):
    """A document from outside, and for how long its server says it holds."""

    document: Any
    keep_s: float | None = None


Fetch = Callable[[str], Awaitable[Fetched]]
"""Raises NgsiError when there is nothing usable at the URL."""


class Limits(NamedTuple):
    keep_s: float = 3600.0
    """How long a cached one is used when its server says nothing."""
    most_cached: int = 500
    most_hosted: int = 10_000


class ContextLibrary:
    """Used on the event loop."""

    def __init__(
        self,
        fetch: Fetch,
        store: LdContextStore,
        clock: Clock,
        limits: Limits,
        preloaded: Mapping[str, Any] | None = None,
    ) -> None:
        """`preloaded`: URL -> document of the operator, never fetched, never removed."""
        self.preloaded = dict(preloaded or {})
        self.generation = 0
        """Grows when a document that somebody may have resolved is changed or removed."""
        self._fetch = fetch
        self._store = store
        self._clock = clock
        self._limits = limits
        self._by_id: dict[str, KeptContext] | None = None
        self._by_url: dict[str, KeptContext] = {}
        self._failed: dict[str, tuple[float, NgsiError]] = {}
        self._fetching: dict[str, asyncio.Task[Any]] = {}
        self._opening = asyncio.Lock()

    # What requests need

    async def load(self, url: str, tenant: str, *, is_use: bool = True) -> Any:
        """The document at the URL. Raises NgsiError LdContextNotAvailable or BadRequestData."""
        if url in self.preloaded:
            return self.preloaded[url]
        kept = await self.find(url, tenant)
        if kept is None or (kept.kind is ContextKind.CACHED and not self._is_fresh(kept)):
            return await self._fetched(url)
        document = await asyncio.to_thread(self._store.document, kept.id)
        if document is None:
            return await self._fetched(url)
        if is_use:
            self.note_use(kept)
        return msgspec.json.decode(document)

    def reuse(self, urls: Iterable[str], tenant: str) -> bool:
        """Count one more use of documents that were loaded before; False: load them again."""
        found = []
        for url in urls:
            if url in self.preloaded:
                continue
            kept = self._known(url, tenant)
            if kept is None or (kept.kind is ContextKind.CACHED and not self._is_fresh(kept)):
                return False
            found.append(kept)
        for kept in found:
            self.note_use(kept)
        return True

    def note_use(self, kept: KeptContext) -> None:
        kept.hits += 1
        kept.used_at = self._clock.now()

    # What the operations of 5.13 need

    async def find(self, name: str, tenant: str) -> KeptContext | None:
        """By local id, by the URL here that ends with it, or by the original URL."""
        await self._open()
        return self._known(name, tenant)

    async def everything(self, tenant: str) -> list[KeptContext]:
        """All that this tenant may see."""
        await self._open()
        assert self._by_id is not None
        return [c for c in self._by_id.values() if _is_listed(c, tenant)]

    async def document(self, kept: KeptContext) -> Any:
        found = await asyncio.to_thread(self._store.document, kept.id)
        return msgspec.json.decode(found or b"{}")

    async def host(self, value: Any, tenant: str, kind: ContextKind) -> KeptContext:
        """Store the value of an @context. The same implicit one is stored once for a tenant."""
        await self._open()
        assert self._by_id is not None
        document = msgspec.json.encode({"@context": value})
        if kind is ContextKind.IMPLICIT:
            equal = await asyncio.to_thread(self._store.find_equal, kind, tenant, document)
            if equal is not None and equal in self._by_id:
                return self._by_id[equal]
        hosted = sum(c.kind is not ContextKind.CACHED for c in self._by_id.values())
        if hosted >= self._limits.most_hosted:
            raise too_many_results(
                f"{hosted} @contexts are hosted here already; delete those that nobody uses"
            )
        kept = KeptContext(str(uuid.uuid4()), kind, "", tenant, self._clock.now())
        await asyncio.to_thread(self._store.put, kept, document)
        self._by_id[kept.id] = kept
        return kept

    async def remove(self, kept: KeptContext) -> None:
        await asyncio.to_thread(self._store.delete, kept.id)
        assert self._by_id is not None
        self._by_id.pop(kept.id, None)
        if self._by_url.get(kept.url) is kept:
            del self._by_url[kept.url]
        self.generation += 1

    async def reload(self, kept: KeptContext) -> None:
        """Fetch a cached one again; on an error the stored one stays. Raises NgsiError."""
        await self._keep(kept.url, await self._fetch(kept.url))

    async def flush(self) -> None:
        """Store the figures of use."""
        if self._by_id is None:
            return
        uses = {c.id: (c.hits, c.used_at) for c in self._by_id.values() if c.used_at is not None}
        await asyncio.to_thread(self._store.note_uses, uses)

    def _known(self, name: str, tenant: str) -> KeptContext | None:
        if self._by_id is None:
            return None
        kept = self._by_url.get(name) or self._by_id.get(name.rpartition(PATH)[2])
        return kept if kept is not None and _is_readable(kept, tenant) else None

    def _is_fresh(self, kept: KeptContext) -> bool:
        return kept.expires_at is None or self._clock.now() < kept.expires_at

    async def _open(self) -> None:
        if self._by_id is not None:
            return
        async with self._opening:
            if self._by_id is None:
                every = await asyncio.to_thread(self._store.all)
                self._by_url = {c.url: c for c in every if c.url}
                self._by_id = {c.id: c for c in every}

    async def _fetched(self, url: str) -> Any:
        """Fetch it, once for all who wait for it; failures are remembered for a moment."""
        until_s, error = self._failed.get(url, (0.0, None))
        if error is not None and time.monotonic() < until_s:
            raise error
        task = self._fetching.get(url)
        if task is None:
            task = self._fetching[url] = asyncio.create_task(self._fetch_and_keep(url))
            task.add_done_callback(lambda done: self._forget_task(url, done))
        return await asyncio.shield(task)

    def _forget_task(self, url: str, done: asyncio.Task[Any]) -> None:
        self._fetching.pop(url, None)
        if not done.cancelled():
            done.exception()  # whoever waits has it; nobody may be left

    async def _fetch_and_keep(self, url: str) -> Any:
        try:
            found = await self._fetch(url)
        except NgsiError as error:
            return await self._in_place_of(url, error)
        self._failed.pop(url, None)
        self.note_use(await self._keep(url, found))
        return found.document

    async def _in_place_of(self, url: str, error: NgsiError) -> Any:
        """The copy that has expired, for a while longer; else the error."""
        kept = self._by_url.get(url)
        document = None
        if kept is not None:
            document = await asyncio.to_thread(self._store.document, kept.id)
        if kept is None or document is None:
            if len(self._failed) >= _MOST_FAILURES:
                self._failed.clear()
            self._failed[url] = (time.monotonic() + _FAILURE_S, error)
            raise error
        kept.expires_at = self._clock.now() + timedelta(seconds=_STALE_S)
        self.note_use(kept)
        return msgspec.json.decode(document)

    async def _keep(self, url: str, found: Fetched) -> KeptContext:
        assert self._by_id is not None
        now = self._clock.now()
        old = self._by_url.get(url)
        new = KeptContext(str(uuid.uuid4()), ContextKind.CACHED, url, "", now)
        kept = replace(old, created_at=now) if old is not None else new
        kept.expires_at = self._expiry(now, found.keep_s)
        document = msgspec.json.encode(found.document)
        before = await asyncio.to_thread(self._store.document, kept.id)
        await asyncio.to_thread(self._store.put, kept, document)
        self._by_id[kept.id] = self._by_url[url] = kept
        if before not in {None, document}:
            self.generation += 1
        await self._make_room()
        return kept

    def _expiry(self, now: datetime, keep_s: float | None) -> datetime:
        return now + timedelta(seconds=self._limits.keep_s if keep_s is None else keep_s)

    async def _make_room(self) -> None:
        """Drop the cached one whose last use is longest ago."""
        if len(self._by_url) > self._limits.most_cached:
            await self.remove(min(self._by_url.values(), key=lambda c: c.used_at or c.created_at))


class TenantContexts:
    """The library as one tenant sees it: a ContextLoader."""

    def __init__(self, library: ContextLibrary, tenant: str) -> None:
        self._library = library
        self._tenant = tenant

    @property
    def generation(self) -> int:
        return self._library.generation

    async def load(self, url: str) -> Any:
        return await self._library.load(url, self._tenant)

    async def read(self, url: str) -> Any:
        """The same for the broker's own ends: no use that counts."""
        return await self._library.load(url, self._tenant, is_use=False)

    def reuse(self, urls: Iterable[str]) -> bool:
        return self._library.reuse(urls, self._tenant)

    async def host(self, value: Any) -> str:
        """Local id under which an @context without a URL is served from now on."""
        kept = await self._library.host(value, self._tenant, ContextKind.IMPLICIT)
        return kept.id


def _is_listed(kept: KeptContext, tenant: str) -> bool:
    return kept.kind is ContextKind.CACHED or kept.tenant == tenant


def _is_readable(kept: KeptContext, tenant: str) -> bool:
    """Receivers of notifications read implicit ones by their URL, without naming a tenant."""
    return kept.kind is ContextKind.IMPLICIT or _is_listed(kept, tenant)
