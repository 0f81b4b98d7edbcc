"""One gate per receiver: so many deliveries at once, and none while it is known to be down."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_PATIENCE = 3
"""So many failures in a row close the gate; tries that were under way together are one."""


class Gate:
    """A circuit breaker with a limit of concurrent deliveries."""

    def __init__(self, concurrency: int, pauses_s: tuple[float, float]) -> None:
        """`pauses_s`: how long it is closed at first and at most."""
        self._places = asyncio.Semaphore(concurrency)
        self._pauses_s = pauses_s
        self._failures = 0
        self._opens_s = 0.0
        self._counted = 0
        """Failures since the beginning."""

    @property
    def is_down(self) -> bool:
        """Whether the receiver failed so often that it is tried rarely."""
        return self._failures >= _PATIENCE

    async def opened(self) -> None:
        """Wait until the receiver may be tried again."""
        while (pause_s := self._opens_s - time.monotonic()) > 0:
            await asyncio.sleep(pause_s)

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[int]:
        """Wait for a place, and until the receiver may be tried again; gives what `begun` does."""
        async with self._places:
            await self.opened()
            yield self.begun()

    def begun(self) -> int:
        """A try begins; to be handed to `note` when it has ended."""
        return self._counted

    def note(self, begun: int, *, is_reached: bool) -> None:
        """What a try showed: whether the receiver works at all.

        One that had begun before the last failure was known says the same as that one: a moment
        without network fails everything that is under way, and is one failure.
        """
        if is_reached:
            self._failures = 0
            self._opens_s = 0.0
            return
        if begun < self._counted:
            return
        self._counted += 1
        self._failures += 1
        if self._failures >= _PATIENCE:
            first_s, longest_s = self._pauses_s
            doublings = min(self._failures - _PATIENCE, 30)
            self._opens_s = time.monotonic() + min(first_s * 2.0**doublings, longest_s)


class Gates:
    """Gates by the name of a receiver."""

    def __init__(self, concurrency: int, pauses_s: tuple[float, float]) -> None:
        self._concurrency = concurrency
        self._pauses_s = pauses_s
        self._known: dict[str, Gate] = {}

    def of(self, receiver: str) -> Gate:
        if receiver not in self._known:
            self._known[receiver] = Gate(self._concurrency, self._pauses_s)
        return self._known[receiver]

    def names_down(self) -> list[str]:
        """Which receivers are down."""
        return [name for name, gate in self._known.items() if gate.is_down]

    def is_down(self, receiver: str) -> bool:
        """Whether this one is; one that was never tried is not."""
        gate = self._known.get(receiver)
        return gate is not None and gate.is_down

    def down(self) -> int:
        """How many receivers are down."""
        return sum(gate.is_down for gate in self._known.values())


def receiver_of(uri: str) -> str:
    """An endpoint without its query: a fault of one path says nothing about its neighbours."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
