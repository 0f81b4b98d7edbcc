"""received = stored + rejected + duplicate, per source and minute, exact."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct


class Receipt(Struct, frozen=True):
    source: str
    minute_at: datetime
    received: int
    stored: int
    rejected: int
    duplicate: int
    delay_ms_sum: int
    """Sum over stored rows of (received - observed), for the mean delay."""


class RejectRecord(Struct, frozen=True):
    source: str
    received_at: datetime
    reason: str
    detail: str
    sample: str
    count: int


class SourceTotals(Struct, frozen=True):
    source: str
    received: int
    stored: int
    rejected: int
    duplicate: int
    last_received_at: datetime | None
    last_observed_at: datetime | None


class Receipts(Protocol):
    """Any thread; blocking."""

    def minutes(
        self, source: str | None, start_at: datetime, end_at: datetime
    ) -> Sequence[Receipt]: ...

    def totals(self) -> Sequence[SourceTotals]:
        """One per source that ever sent, over all time."""
        ...

    def rejects(
        self, source: str | None, limit: int = 100, before_id: int | None = None
    ) -> Sequence[RejectRecord]:
        """Newest first. The latest 1,000 per source keep their text; counts stay in receipts."""
        ...

    def reject_reasons(self, source: str | None, since: datetime) -> dict[str, int]: ...
