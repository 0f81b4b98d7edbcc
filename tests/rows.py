"""Batches for tests."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from dothi.model.batch import Batch, Guards, Rejection
from dothi.model.row import rows_table

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
PHU_AN = "urn:ngsi-ld:WaterObserved:phu-an"
_NUMBERS = count()


def batch(
    *,
    id: str | None = None,
    received_at: datetime = NOW,
    rejected: tuple[Rejection, ...] = (),
    guards: Guards | None = None,
    **columns: Any,
) -> Batch:
    """A Batch of rows with defaults: one source, one entity, attribute `level`, observed NOW."""
    given = {"source": "s1", "entity": PHU_AN, "attribute": "level", "observed_at": NOW} | columns
    return Batch(
        id or f"b{next(_NUMBERS)}", rows_table(given), received_at, rejected, guards or Guards()
    )


def minutes_ago(n: float) -> datetime:
    return NOW - timedelta(minutes=n)
