"""Keys in the order of their last change."""

from collections.abc import Hashable, Sequence
from itertools import takewhile
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Numbering(Generic[K]):
    """Key -> number of the change that touched it last; the newest come last."""

    def __init__(self) -> None:
        self._of: dict[K, int] = {}

    def touch(self, key: K, n: int) -> None:
        self._of.pop(key, None)
        self._of[key] = n

    def touch_all(self, keys: Sequence[K], n: int) -> None:
        """The same for many."""
        forget = self._of.pop
        for key in keys:
            forget(key, None)
        self._of.update(dict.fromkeys(keys, n))

    def drop(self, key: K) -> None:
        self._of.pop(key, None)

    def of(self, key: K) -> int:
        """0: never touched."""
        return self._of.get(key, 0)

    def after(self, n: int) -> list[K]:
        """Keys touched after `n`, newest first; costs as much as it finds."""
        return [key for key, _ in takewhile(lambda item: item[1] > n, reversed(self._of.items()))]

    def keep_newest(self, count: int) -> int:
        """Forget the oldest keys; gives the highest number forgotten (0: none)."""
        highest = 0
        while len(self._of) > count:
            highest = self._of.pop(next(iter(self._of)))
        return highest
