"""Questions about series, from query parameters to model.series."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct

from dothi.api.query import wrong_parameter
from dothi.api.settings import ApiSettings
from dothi.model.problem import Problem
from dothi.model.series import (
    AggregateQuery,
    CalendarPeriod,
    FixedPeriod,
    Function,
    RawQuery,
    SeriesKey,
)

Instant = Annotated[datetime, Meta(tz=True)]

MAX_BUCKETS = 100_000
EARLIEST_AT = datetime(1900, 1, 1, tzinfo=UTC)
"""Nothing older is admitted; wider ranges are cut to what can hold something."""
LATEST_AT = datetime(2150, 1, 1, tzinfo=UTC)
_CALENDAR_DAYS = {"day": 1, "week": 7, "month": 28, "year": 365}
_DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
_DAYS = re.compile(r"P(\d+)([DWMY])")
_LONGEST_S = 366 * 86_400.0
_UNITS = {"D": "day", "W": "week", "M": "month", "Y": "year"}


class SeriesQuery(Struct, forbid_unknown_fields=True):
    """`key` is `entity|attribute` or `entity|attribute|dataset`; `end` is exclusive."""

    key: list[str]
    start: Instant | None = None
    end: Instant | None = None
    last_n: Annotated[int, Meta(ge=1)] | None = None
    limit: Annotated[int, Meta(ge=1)] = 100_000


class RevisionsQuery(Struct, forbid_unknown_fields=True):
    """Every value that was ever stored in the range, corrections too."""

    key: list[str]
    start: Instant | None = None
    end: Instant | None = None
    limit: Annotated[int, Meta(ge=1)] = 100_000


class AggregatesQuery(Struct, forbid_unknown_fields=True):
    """`period` empty: one bucket, the whole range; `zone` matters for calendar periods."""

    key: list[str]
    start: Instant
    end: Instant
    fn: list[Function] = []
    period: str = ""
    zone: str = ""


class ExportQuery(Struct, forbid_unknown_fields=True):
    """With `period` or `fn` the aggregates, otherwise the observations themselves."""

    key: list[str]
    start: Instant | None = None
    end: Instant | None = None
    format: str = "csv"
    period: str = ""
    fn: list[Function] = []
    zone: str = ""


def raw_query(asked: SeriesQuery, settings: ApiSettings) -> RawQuery:
    """Observations in force."""
    limit = min(asked.limit, settings.max_points)
    keys = parse_keys(asked.key, settings.max_series)
    start, end = _range(asked.start, asked.end)
    return RawQuery(keys, start, end, asked.last_n, limit=limit)


def revisions_query(asked: RevisionsQuery, settings: ApiSettings) -> RawQuery:
    """Observations with those that were corrected."""
    limit = min(asked.limit, settings.max_points)
    keys = parse_keys(asked.key, settings.max_series)
    start, end = _range(asked.start, asked.end)
    return RawQuery(keys, start, end, limit=limit, all_revisions=True)


def export_query(asked: ExportQuery, settings: ApiSettings) -> RawQuery | AggregateQuery:
    """What the file shall hold."""
    if asked.period or asked.fn:
        if asked.start is None or asked.end is None:
            raise wrong_parameter("start", "aggregates need start and end")
        return aggregate_query(
            AggregatesQuery(asked.key, asked.start, asked.end, asked.fn, asked.period, asked.zone),
            settings,
        )
    keys = parse_keys(asked.key, settings.max_series)
    start, end = _range(asked.start, asked.end)
    return RawQuery(keys, start, end, limit=settings.max_export_rows)


def aggregate_query(asked: AggregatesQuery, settings: ApiSettings) -> AggregateQuery:
    """Folded numbers; `avg` when no function is named."""
    start, end = _range(asked.start, asked.end)
    assert start is not None
    assert end is not None
    period = parse_period(asked.period, asked.zone or settings.zone)
    buckets = _buckets(period, end - start)
    if buckets > MAX_BUCKETS:
        raise wrong_parameter(
            "period",
            f"{asked.period} makes {buckets:,} buckets; at most {MAX_BUCKETS:,}",
            "take a longer period or a shorter range",
        )
    return AggregateQuery(
        parse_keys(asked.key, settings.max_series),
        start,
        end,
        tuple(dict.fromkeys(asked.fn)) or (Function.AVG,),
        period,
    )


def parse_keys(texts: list[str], most: int) -> tuple[SeriesKey, ...]:
    """Series in the order asked for, each once."""
    if len(texts) > most:
        raise wrong_parameter("key", f"{len(texts)} series; at most {most} in one request")
    keys = []
    for text in texts:
        parts = text.split("|")
        if not 2 <= len(parts) <= 3 or not all(parts[:2]):
            raise wrong_parameter(
                "key",
                f"{text!r} is not entity|attribute or entity|attribute|dataset",
                "e.g. key=urn:ngsi-ld:WaterObserved:phu-an|waterLevel",
            )
        keys.append(SeriesKey(*parts))
    return tuple(dict.fromkeys(keys))


def parse_period(text: str, zone: str) -> FixedPeriod | CalendarPeriod | None:
    """`PT5M`, `PT1H30M` are fixed; `P1D`, `P1W`, `P1M`, `P1Y` follow the calendar of the zone."""
    if not text:
        return None
    if found := _DURATION.fullmatch(text):
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        length_s = hours * 3600 + minutes * 60 + seconds
        if 0 < length_s <= _LONGEST_S:
            return FixedPeriod(length_s)
    if (found := _DAYS.fullmatch(text)) and found[1] == "1":
        return CalendarPeriod(_UNITS[found[2]], _known_zone(zone))
    raise wrong_parameter(
        "period",
        f"{text!r} is not a period",
        "fixed: PT5M, PT1H, PT24H; calendar: P1D, P1W, P1M, P1Y",
    )


def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise wrong_parameter("zone", f"{zone!r} is not a time zone", "Asia/Ho_Chi_Minh") from error
    return zone


def _buckets(period: FixedPeriod | CalendarPeriod | None, length: timedelta) -> int:
    """How many buckets the range falls into, at most."""
    if period is None:
        return 1
    if isinstance(period, FixedPeriod):
        return math.ceil(length.total_seconds() / period.seconds)
    return math.ceil(length / timedelta(days=_CALENDAR_DAYS[period.unit]))


def _range(start: datetime | None, end: datetime | None) -> tuple[datetime | None, datetime | None]:
    """The range without its parts that can hold nothing."""
    if start is not None and end is not None and start >= end:
        raise Problem(
            "range_empty",
            "Empty range",
            "start must lie before end (end is exclusive)",
            where="query start",
        )
    if start is not None:
        start = min(max(start, EARLIEST_AT), LATEST_AT - timedelta(days=1))
    if end is not None:
        end = max(min(end, LATEST_AT), EARLIEST_AT + timedelta(days=1))
    return start, end
