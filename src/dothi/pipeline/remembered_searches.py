"""What searches found lately, for as long as no write can have changed it.

Values change all the time, entities seldom come and go: a search that looks at no values outlives
writes that only bring values of entities that are there.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from dothi.ports.entity_query import EntitySearch

_MAX_SEARCHES = 1_024
_MAX_IDS = 1_001
"""A longer page is not remembered."""
_MAX_EXISTING = 50_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    answer: T
    until: datetime | None
    """An entity expires then; None: none has an end."""


class RememberedSearches:
    """Ids of pages, and counts. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[EntitySearch, _Kept[tuple[str, ...]]] = OrderedDict()
        self._counts: OrderedDict[EntitySearch, _Kept[int]] = OrderedDict()
        self._state = 0
        """Moves with every write."""
        self._shape = 0
        """Moves when entities may have come, gone or changed otherwise than in their values."""
        self._existing: set[str] = set()
        """Entities that are there for sure: another value of theirs brings no new entity."""

    @property
    def state(self) -> int:
        """To be taken before the store is searched."""
        return self._state

    @property
    def shape(self) -> int:
        return self._shape

    def page(self, search: EntitySearch, now: datetime) -> tuple[str, ...] | None:
        return self._known(self._pages, search, now)

    def count(self, search: EntitySearch, now: datetime) -> int | None:
        return self._known(self._counts, _whole(search), now)

    def keep_page(
        self, search: EntitySearch, ids: Sequence[str], state: int, until: datetime | None
    ) -> None:
        """`state`: as it was before the search."""
        if len(ids) <= _MAX_IDS:
            self._keep(self._pages, search, _Kept(tuple(ids), until), state)

    def keep_count(
        self, search: EntitySearch, count: int, state: int, until: datetime | None
    ) -> None:
        self._keep(self._counts, _whole(search), _Kept(count, until), state)

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

    def _known(
        self, kept: OrderedDict[EntitySearch, _Kept[T]], search: EntitySearch, now: datetime
    ) -> T | None:
        with self._lock:
            found = kept.get(search)
            if found is None or (found.until is not None and found.until <= now):
                return None
            kept.move_to_end(search)
            return found.answer

    def _keep(
        self,
        kept: OrderedDict[EntitySearch, _Kept[T]],
        search: EntitySearch,
        found: _Kept[T],
        state: int,
    ) -> None:
        with self._lock:
            if state != self._state:
                return
            kept[search] = found
            if len(kept) > _MAX_SEARCHES:
                kept.popitem(last=False)


def _whole(search: EntitySearch) -> EntitySearch:
    """What a count depends on."""
    return replace(search, offset=0, limit=None, order=None)
