"""What searches found lately, for as long as no write can have changed it.

Values change all the time, entities seldom come and go: a search that looks at no values outlives
writes that only bring values of entities that are there.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from dothi.ports.clock import Clock
from dothi.ports.entity_query import Entities, EntitySearch, Found

_MAX_SEARCHES = 1_024
_MAX_IDS = 1_001
"""A longer page is not remembered."""
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_MAX_EXISTING = 50_000
T = TypeVar("T")


class _Kept(Struct, Generic[T], frozen=True):
    answer: T
    ends_at: datetime | None
    """An entity expires then; None: none has an end."""


class RememberedSearches:
    """The searches of a store; ids of pages and counts are remembered. Any thread."""

    def __init__(self, entities: Entities, clock: Clock, *, is_on: bool) -> None:
        self._entities = entities
        self._clock = clock
        self._is_on = is_on
        self._lock = threading.Lock()
        self._pages: OrderedDict[EntitySearch, _Kept[tuple[str, ...]]] = OrderedDict()
        self._counts: OrderedDict[EntitySearch, _Kept[int]] = OrderedDict()
        self._state = 0
        """Moves with every write."""
        self._shape = 0
        """Moves when entities may have come, gone or changed otherwise than in their values."""
        self._existing: set[str] = set()
        """Entities that are there for sure: another value of theirs brings no new entity."""
        self._end: tuple[int, datetime | None] | None = None
        """The end of the entity that expires first, and the shape of the store then."""
        self.is_used = False

    def find(self, search: EntitySearch) -> list[str]:
        """See ports.entity_query.Entities."""
        known = self._known(self._pages, search)
        if known is not None:
            return list(known)
        self.is_used = True
        state = self._state
        found = self._entities.find(search)
        if len(found) <= _MAX_IDS:
            self._keep(self._pages, search, tuple(found), state)
        return found

    def glance(self, searches: Sequence[EntitySearch]) -> list[list[str] | None]:
        """See ports.entity_query.Entities; what is remembered was looked for by `peek`."""
        self.is_used = True
        state = self._state
        pages = self._entities.glance(searches)
        for search, found in zip(searches, pages, strict=True):
            if found is not None and len(found) <= _MAX_IDS:
                self._keep(self._pages, search, tuple(found), state)
        return pages

    def count(self, search: EntitySearch) -> int:
        """See ports.entity_query.Entities."""
        whole = _whole(search)
        known = self._known(self._counts, whole)
        if known is not None:
            return known
        self.is_used = True
        state = self._state
        found = self._entities.count(search)
        self._keep(self._counts, whole, found, state)
        return found

    def peek(self, search: EntitySearch, *, counts: bool) -> Found | None:
        """See ports.entity_query.Entities.peek_found."""
        ids = self._known(self._pages, search)
        total = self._known(self._counts, _whole(search)) if counts else None
        return None if ids is None or (counts and total is None) else Found(list(ids), total)

    def forget(self, written: Collection[str], *, only_values: bool) -> None:
        """These entities were written; `only_values`: none of them was deleted or described."""
        with self._lock:
            self._state += 1
            is_same = only_values and self._existing.issuperset(written)
            for kept in (self._pages, self._counts):
                if is_same:
                    for search in [search for search in kept if search.looks_at_values]:
                        del kept[search]
                else:
                    kept.clear()
            self._shape += not is_same
            if not only_values:
                self._existing.difference_update(written)

    def note_existing(self, ids: Collection[str]) -> None:
        """These entities were read, and not written since."""
        with self._lock:
            if len(self._existing) > _MAX_EXISTING:
                self._existing.clear()
            self._existing.update(ids)

    def _known(self, kept: OrderedDict[EntitySearch, _Kept[T]], search: EntitySearch) -> T | None:
        now = self._clock.now()
        with self._lock:
            found = kept.get(search)
            if found is None or (found.ends_at is not None and found.ends_at <= now):
                return None
            kept.move_to_end(search)
            return found.answer

    def _keep(
        self,
        kept: OrderedDict[EntitySearch, _Kept[T]],
        search: EntitySearch,
        answer: T,
        state: int,
    ) -> None:
        """`state`: as it was before the store was searched."""
        if not self._is_on:
            return
        found = _Kept(answer, self._next_end())
        with self._lock:
            if state != self._state:
                return
            kept[search] = found
            if len(kept) > _MAX_SEARCHES:
                kept.popitem(last=False)

    def _next_end(self) -> datetime | None:
        """When the next entity expires; what a search finds does not hold longer."""
        shape = self._shape
        if self._end is None or self._end[0] != shape:
            first = self._entities.expiring(_EVER, 1)
            self._end = (shape, first[0].expires_at if first else None)
        return self._end[1]


def _whole(search: EntitySearch) -> EntitySearch:
    """What a count depends on."""
    return replace(search, offset=0, limit=None, order=None)
