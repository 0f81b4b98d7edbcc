"""The subscriptions of a hub: in memory with an index, every change written through."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.context.resolve import Contexts
from dothi.facades.ngsi_ld.errors import NgsiError, not_found
from dothi.facades.ngsi_ld.notifying.endpoint import Document
from dothi.facades.ngsi_ld.subscriptions.index import SubscriptionIndex
from dothi.facades.ngsi_ld.subscriptions.kept_contexts import KeptContexts
from dothi.facades.ngsi_ld.subscriptions.model import Subscription, understand
from dothi.facades.ngsi_ld.subscriptions.reading import (
    VIA,
    read_fragment,
    read_subscription,
)
from dothi.ports.clock import Clock
from dothi.ports.subscriptions import SubscriptionRecord, Subscriptions

Changed = Callable[[Subscription | None, int], None]
"""Told after each change: the subscription (None: removed) and its number."""


class Registry:
    """Used in the event loop; the store is called in threads, one change at a time."""

    def __init__(
        self, store: Subscriptions, contexts: Contexts, head: Callable[[], int], clock: Clock
    ) -> None:
        """`head` gives the highest seq of the log; it may block."""
        self._store = store
        self.contexts = contexts
        self._head = head
        self.clock = clock
        self._kept = KeptContexts()
        self._by_id: dict[str, Subscription] = {}
        self._by_number: dict[int, Subscription] = {}
        self._lock = asyncio.Lock()
        self._watchers: list[Changed] = []
        self.index = SubscriptionIndex()

    async def load(self) -> None:
        """Read everything from the store."""
        for record in await asyncio.to_thread(self._store.all):
            self._put(understand(record, await self._kept.context(record.context)))

    def watch(self, changed: Changed) -> None:
        self._watchers.append(changed)

    def __len__(self) -> int:
        return len(self._by_id)

    def page(self, offset: int, limit: int) -> list[Subscription]:
        """In the order of creation."""
        return list(self._by_number.values())[offset : offset + limit]

    def all(self) -> Sequence[Subscription]:
        return list(self._by_number.values())

    def by_number(self, number: int) -> Subscription | None:
        return self._by_number.get(number)

    def get(self, subscription_id: str) -> Subscription:
        """Raises NgsiError ResourceNotFound."""
        found = self._by_id.get(subscription_id)
        if found is None:
            raise not_found(f"there is no subscription {subscription_id}")
        return found

    async def create(self, raw: Any, context: LdContext, via: str = "") -> Subscription:
        """Store a new one; `via`: header of the request. Raises NgsiError."""
        now_at = self.clock.now()
        document = read_subscription(raw, context, now_at)
        if via:
            document[VIA] = via
        document.setdefault("id", f"urn:ngsi-ld:Subscription:{uuid.uuid4()}")
        kept = await self._context_text(document, context)
        async with self._lock:
            after_seq = await asyncio.to_thread(self._head)
            record = SubscriptionRecord(
                0, document["id"], _encoded(document), kept, after_seq, now_at, now_at
            )
            stored = await asyncio.to_thread(self._store.add, record)
            if stored is None:
                raise NgsiError(
                    *(409, "AlreadyExists", "The subscription exists already"),
                    f"there is a subscription {document['id']} already",
                )
            made = understand(stored, await self._kept.context(kept))
            self._put(made)
        return made

    async def update(self, subscription_id: str, raw: Any, context: LdContext) -> Subscription:
        """Change members of one. Raises NgsiError."""
        async with self._lock:
            old = self.get(subscription_id)
            now_at = self.clock.now()
            document = read_fragment(raw, old.document, context, now_at)
            kept = old.record.context
            if document.get("jsonldContext") != old.document.get("jsonldContext"):
                kept = await self._context_text(document, context)
            after_seq = old.record.after_seq
            if old.status(now_at) != "active":
                # What happened while it was paused or expired is not told afterwards.
                after_seq = await asyncio.to_thread(self._head)
            record = replace(
                old.record,
                document=_encoded(document),
                context=kept,
                after_seq=after_seq,
                modified_at=now_at,
            )
            made = understand(record, await self._kept.context(kept), old.delivery)
            await asyncio.to_thread(self._store.change, record)
            self._put(made)
        return made

    async def remove(self, subscription_id: str) -> None:
        """Raises NgsiError ResourceNotFound."""
        async with self._lock:
            old = self.get(subscription_id)
            await asyncio.to_thread(self._store.remove, old.number)
            del self._by_id[old.id], self._by_number[old.number]
            self.index.remove(old.number)
        for changed in self._watchers:
            changed(None, old.number)

    async def _context_text(self, document: Document, context: LdContext) -> str:
        """The @context of the notifications: jsonldContext, else the one of the request."""
        spec = document.get("jsonldContext", context.user)
        text = await self._kept.keep(spec, self.contexts)
        if "jsonldContext" in document:
            await self._kept.context(text)
        return text

    def _put(self, subscription: Subscription) -> None:
        self._by_id[subscription.id] = subscription
        self._by_number[subscription.number] = subscription
        if subscription.is_active and not subscription.interval_s:
            self.index.put(subscription)
        else:
            self.index.remove(subscription.number)
        for changed in self._watchers:
            changed(subscription, subscription.number)


def _encoded(document: Document) -> str:
    return msgspec.json.encode(document).decode()
