"""What a running part of the program looks like to the one who starts and stops it."""

from typing import Protocol, runtime_checkable


class Service(Protocol):
    """A part with a life: a door, a consumer, a scheduler."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None:
        """Return when ready to work; raise Problem with the remedy when that cannot be."""
        ...

    async def stop(self) -> None:
        """Finish what was accepted, release everything. Safe to call twice."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A Service that can break while it runs; the supervisor then starts it again."""

    @property
    def name(self) -> str: ...

    async def wait(self) -> None:
        """Return when stopped; raise what broke it. `stop` then `start` must work after that."""
        ...
