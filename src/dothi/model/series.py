"""Questions to the history and the shapes of their answers."""

from datetime import datetime
from enum import StrEnum

import pyarrow as pa
from msgspec import Struct

from dothi.model.row import LOG_SCHEMA, VALUE_CHANGES, Change


class SeriesKey(Struct, frozen=True, order=True):
    """One attribute instance of one entity."""

    entity: str
    attribute: str
    dataset: str = ""


class Function(StrEnum):
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    COUNT = "count"
    STDDEV = "stddev"
    FIRST = "first"
    LAST = "last"
    P05 = "p05"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"


class FixedPeriod(Struct, frozen=True):
    """Buckets of `seconds`, counted from `origin_at` (default: the UNIX epoch)."""

    seconds: float
    origin_at: datetime | None = None


class CalendarPeriod(Struct, frozen=True):
    """Buckets of whole days, weeks (Monday), months or years as the clocks of `zone` show them."""

    unit: str
    """day, week, month or year."""
    zone: str = "Asia/Ho_Chi_Minh"


class RawQuery(Struct, frozen=True):
    """Rows of series, hot and lake together, one per key (the correction in force)."""

    series: tuple[SeriesKey, ...]
    start_at: datetime | None = None
    """Inclusive."""
    end_at: datetime | None = None
    """Exclusive."""
    last_n: int | None = None
    """The most recent N of each series within the range."""
    first_n: int | None = None
    """The earliest N of each series within the range; not together with `last_n`."""
    limit: int = 100_000
    """Rows in all; the answer says when it was cut by holding limit + 1 rows."""
    all_revisions: bool = False
    """Give corrected values too (column `revision`)."""
    columns: tuple[str, ...] = ()
    """Columns that are needed beside the times, quality, kind and revision; others may be null or
    empty, and committed_at another time where there is an observed_at. Empty: all."""
    changes: tuple[Change, ...] = VALUE_CHANGES
    """Rows of these changes. A deletion of an attribute (DELETE_ATTRIBUTE) has no value, and its
    quality is not missing."""


class AggregateQuery(Struct, frozen=True):
    """Numbers of series folded into periods; only usable quality unless told otherwise."""

    series: tuple[SeriesKey, ...]
    start_at: datetime
    end_at: datetime
    functions: tuple[Function, ...]
    period: FixedPeriod | CalendarPeriod | None
    """None: one bucket, the whole range."""
    any_quality: bool = False


class ScanQuery(Struct, frozen=True):
    """Numbers of many series over a long time, for somebody who looks for changes."""

    series: tuple[SeriesKey, ...]
    """Sorted, each once."""
    start_at: datetime
    """Inclusive."""
    end_at: datetime
    """Exclusive."""
    edges: tuple[float, ...] | None = None
    """Rising numbers (a number belongs above the edge that it equals). Usable numbers that follow
    each other between the same two edges mean the same, so only some of them need be told. None:
    all of them are."""


RAW_ANSWER = pa.schema([f for f in LOG_SCHEMA if f.name not in {"entity_type", "change"}])
"""Columns of a raw answer, sorted by series, then observed_at."""

AGGREGATE_KEYS = pa.schema(
    [
        pa.field("entity", pa.string()),
        pa.field("attribute", pa.string()),
        pa.field("dataset", pa.string()),
        pa.field("period_start_at", pa.timestamp("us", tz="UTC")),
        pa.field("period_end_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""Key columns of an aggregate answer; then one float64 column per function (count: int64)."""
