"""Questions about series, from query parameters to model.series."""

import math
import re
from datetime import datetime, timedelta
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
_DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
_DAYS = re.compile(r"P(\d+)([DWMY])")
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
    _check_range(asked.start, asked.end)
    return RawQuery(keys, asked.start, asked.end, asked.last_n, limit)


def revisions_query(asked: RevisionsQuery, settings: ApiSettings) -> RawQuery:
    """Observations with those that were corrected."""
    limit = min(asked.limit, settings.max_points)
    keys = parse_keys(asked.key, settings.max_series)
    _check_range(asked.start, asked.end)
    return RawQuery(keys, asked.start, asked.end, None, limit, all_revisions=True)


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
    _check_range(asked.start, asked.end)
    return RawQuery(keys, asked.start, asked.end, None, settings.max_export_rows)


def aggregate_query(asked: AggregatesQuery, settings: ApiSettings) -> AggregateQuery:
    """Folded numbers; `avg` when no function is named."""
    _check_range(asked.start, asked.end)
    period = parse_period(asked.period, asked.zone or settings.zone)
    if isinstance(period, FixedPeriod):
        buckets = math.ceil((asked.end - asked.start).total_seconds() / period.seconds)
        if buckets > MAX_BUCKETS:
            raise wrong_parameter(
                "period",
                f"{asked.period} makes {buckets:,} buckets; at most {MAX_BUCKETS:,}",
                "take a longer period or a shorter range",
            )
    return AggregateQuery(
        parse_keys(asked.key, settings.max_series),
        asked.start,
        asked.end,
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
        length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if length > timedelta(0):
            return FixedPeriod(length.total_seconds())
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


def _check_range(start: datetime | None, end: datetime | None) -> None:
    if start is not None and end is not None and start >= end:
        raise Problem(
            "range_empty",
            "Empty range",
            "start must lie before end (end is exclusive)",
            where="query start",
        )
