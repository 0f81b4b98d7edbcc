"""What was answered to requests that may come a second time."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class StoredAnswer(Struct, frozen=True):
    """The first answer to a request with an idempotency key."""

    who: str
    key: str
    request: str
    """SHA-256, hex, of method, path and body."""
    status: int
    media_type: str
    body: bytes
    answered_at: datetime


class Answers(Protocol):
    """Any thread; blocking."""

    def find(self, who: str, key: str) -> StoredAnswer | None: ...

    def keep(self, answer: StoredAnswer) -> None:
        """Also drops those that are older than anybody repeats. A second one changes nothing."""
        ...
