"""One writer per entity at a time, so that "read, decide, write" is one step at this door."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class EntityLocks:
    """Locks by entity id that exist only while somebody holds or awaits them."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, ids: Iterable[str]) -> AsyncIterator[None]:
        """Hold all of them; taken in one order, so that nobody waits in a circle."""
        wanted = sorted(set(ids))
        taken: list[str] = []
        try:
            for name in wanted:
                lock, users = self._locks.get(name) or (asyncio.Lock(), 0)
                self._locks[name] = (lock, users + 1)
                try:
                    await lock.acquire()
                except BaseException:
                    self._leave(name)
                    raise
                taken.append(name)
            yield
        finally:
            for name in reversed(taken):
                self._locks[name][0].release()
                self._leave(name)

    def _leave(self, name: str) -> None:
        lock, users = self._locks[name]
        if users == 1:
            del self._locks[name]
        else:
            self._locks[name] = (lock, users - 1)
