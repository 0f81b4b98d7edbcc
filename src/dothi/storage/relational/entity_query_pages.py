"""Remembered places of far pages, so that nobody counts from the beginning again."""

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Hashable, Iterable

_MAX_SEARCHES = 256
_MAX_MARKS = 4_096

FAR = 500
"""Pages from here on use remembered places."""
Mark = tuple[int, int]
"""So many entities match up to and including the one with this number."""


class Waypoints:
    """Marks of searches; those of another state of the store are worthless. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[Hashable, list[Mark]]] = OrderedDict()
        self._lock = threading.Lock()

    def nearest(self, search: Hashable, state: Hashable, offset: int) -> Mark:
        """The last mark that is not beyond the offset; (0, 0): the beginning."""
        with self._lock:
            kept = self._kept.get(search)
            if kept is None or kept[0] != state:
                return 0, 0
            self._kept.move_to_end(search)
            marks = kept[1]
            at = bisect_right(marks, (offset, 1 << 62))
            return marks[at - 1] if at else (0, 0)

    def remember(self, search: Hashable, state: Hashable, marks: Iterable[Mark]) -> None:
        with self._lock:
            kept = self._kept.get(search)
            known = kept[1] if kept is not None and kept[0] == state else []
            news = [mark for mark in marks if not _holds(known, mark)]
            if kept is None or news or known is not kept[1]:
                self._kept[search] = (state, sorted({*known, *news})[-_MAX_MARKS:])
            self._kept.move_to_end(search)
            while len(self._kept) > _MAX_SEARCHES:
                self._kept.popitem(last=False)


def _holds(marks: list[Mark], mark: Mark) -> bool:
    """Whether it is among them; they rise."""
    at = bisect_left(marks, mark)
    return at < len(marks) and marks[at] == mark
