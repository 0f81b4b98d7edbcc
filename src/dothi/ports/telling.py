"""The part that tells people of things, as the one who watches it sees it."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from dothi.ports.notices import StoredNotice


class ChannelHealth(Struct, frozen=True):
    """How a channel does; counts since the start of the program."""

    name: str
    contact: str
    """Which contact of a person it takes."""
    is_down: bool
    """An endpoint failed so often that it is tried rarely."""
    waiting: int
    oldest_at: datetime | None
    """Since when the oldest one waits."""
    accepted: int
    failed: int
    retried: int
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str


class Telling(Protocol):
    """Used in the event loop; `health` and `title` from any thread."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of notices that have words of their own."""
        ...

    @property
    def push_key(self) -> str:
        """`applicationServerKey` for browsers; empty: web push is off."""
        ...

    @property
    def is_capturing(self) -> bool:
        """Nothing is sent."""
        ...

    def wake(self) -> None:
        """Something was put."""
        ...

    def title(self, stored: StoredNotice, language: str) -> str:
        """One line that says what a notice is about."""
        ...

    def health(self) -> list[ChannelHealth]:
        """Every channel that is set up, in the order in which they are tried. Blocking."""
        ...
