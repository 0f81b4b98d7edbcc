"""Aggregated temporal values (clause 4.5.19)."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.temporal import TimeQuery
from dothi.facades.ngsi_ld.wire.body import plain_number
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.row import Kind
from dothi.model.series import AggregateQuery, FixedPeriod, Function, RawQuery, SeriesKey
from dothi.ports.entity_query import StoredEntity

AGGREGATE_PARAMETERS = frozenset({"aggrMethods", "aggrPeriodDuration"})
_FUNCTIONS = {
    "totalCount": Function.COUNT,
    "sum": Function.SUM,
    "avg": Function.AVG,
    "min": Function.MIN,
    "max": Function.MAX,
    "stddev": Function.STDDEV,
}
_DURATION = re.compile(
    r"P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_SECONDS = (604_800, 86_400, 3600, 60, 1)
Values = dict[str, dict[str, list[list[Any]]]]
"""Attribute (stored name) -> method -> [value, start, end]."""


def read_methods(parameters: Parameters) -> tuple[str, ...]:
    """Names of the aggregation methods. Raises NgsiError BadRequestData."""
    methods = parameters.names("aggrMethods")
    unknown = [name for name in methods if name not in _FUNCTIONS]
    if not methods or unknown:
        raise bad_request_data(
            f"aggrMethods must name some of {', '.join(_FUNCTIONS)}, "
            f"not {', '.join(unknown) or 'none'}"
        )
    return methods


def read_period_s(parameters: Parameters) -> float:
    """Seconds of aggrPeriodDuration; 0: the whole range."""
    text = parameters.text("aggrPeriodDuration")
    if not text:
        return 0.0
    found = _DURATION.fullmatch(text)
    if found is None:
        raise bad_request_data(
            f"aggrPeriodDuration {text!r} is no duration such as PT4M, PT1H or P1D "
            "(months and years have no fixed length)"
        )
    return sum(float(part or 0) * size for part, size in zip(found.groups(), _SECONDS, strict=True))


async def aggregate(
    broker: Broker,
    entity: StoredEntity,
    times: TimeQuery,
    methods: Sequence[str],
    period_s: float,
) -> Values:
    """Numbers of the entity folded into periods that begin at the first instant asked for."""
    return await asyncio.to_thread(_aggregate, broker, entity, times, methods, period_s)


def _aggregate(
    broker: Broker, entity: StoredEntity, times: TimeQuery, methods: Sequence[str], period_s: float
) -> Values:
    series = tuple(
        SeriesKey(entity.id, row.name, row.dataset)
        for row in entity.attributes
        if row.kind is Kind.PROPERTY and row.number is not None
    )
    if not series:
        return {}
    start, end = _range(broker, series, times)
    period = FixedPeriod(period_s, start) if period_s else None
    functions = tuple(_FUNCTIONS[name] for name in methods)
    table = broker.history.aggregate(AggregateQuery(series, start, end, functions, period))
    found: Values = {}
    for row in table.to_pylist():
        for name in methods:
            value = row[_FUNCTIONS[name].value]
            if value is not None:
                per_method = found.setdefault(row["attribute"], {m: [] for m in methods})
                per_method[name].append(
                    [
                        plain_number(float(value)),
                        _whole_seconds(row["period_start_at"] or start),
                        _whole_seconds(row["period_end_at"] or end),
                    ]
                )
    return found


def _range(
    broker: Broker, series: tuple[SeriesKey, ...], times: TimeQuery
) -> tuple[datetime, datetime]:
    """The stretch of time; an open start is the first observation, an open end is now."""
    end = times.end_at or broker.clock.now()
    if times.start_at is not None:
        return times.start_at, end
    firsts = [
        at
        for key in series
        for at in broker.history.raw(RawQuery((key,), None, end, limit=1))[
            "observed_at"
        ].to_pylist()
    ]
    return min((at for at in firsts if at is not None), default=end), end


def _whole_seconds(at: datetime) -> str:
    return format_date_time(at.replace(microsecond=0))
