"""What is known of other NGSI-LD context sources: registrations, who watches them, who we are."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class RecordKind(StrEnum):
    REGISTRATION = "registration"
    SUBSCRIPTION = "subscription"
    """To registrations."""
    LEG = "leg"
    """A subscription that we have at a source on behalf of one of ours."""
    IDENTITY = "identity"
    """The one name by which other brokers recognise this one."""


class ContextSourceRecord(Struct, frozen=True):
    """A document as it is kept; the facade that made it understands it."""

    kind: RecordKind
    id: str
    document: str
    """JSON with stored names."""
    created_at: datetime
    modified_at: datetime
    state: str = "{}"
    """JSON: counters of what was sent, times of the last success and failure."""


class ContextSourceRecords(Protocol):
    """Any thread; blocking."""

    def all(self, kind: RecordKind) -> Sequence[ContextSourceRecord]:
        """In the order in which they were made."""
        ...

    def put(self, record: ContextSourceRecord) -> None:
        """Store it, in the place of one with the same kind and id. Raises StoreUnavailable."""
        ...

    def remove(self, kind: RecordKind, id: str) -> None:
        """Forget it; harmless when it is not there. Raises StoreUnavailable."""
        ...
