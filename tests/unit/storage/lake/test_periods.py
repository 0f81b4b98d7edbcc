"""Aggregates against a plain Python reckoning, over zones, clock changes and period edges."""

import math
import statistics
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dothi.model.series import (
    AggregateQuery,
    CalendarPeriod,
    FixedPeriod,
    Function,
    SeriesKey,
)
from dothi.storage.lake.history import LakeHistory
from dothi.storage.lake.open import open_lake
from dothi.storage.lake.periods import periods, to_us
from dothi.storage.lake.settings import LakeSettings
from log_in_memory import EPOCH, FixedClock, MemoryLog
from thorough import examples

ZONES = (
    "Asia/Ho_Chi_Minh",
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # until 2019 the clocks skipped midnight
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kathmandu",
    "America/St_Johns",  # until 2011 the clocks changed a minute after midnight
    "Pacific/Apia",  # 2011-12-30 does not exist
)
KEY = SeriesKey("urn:a", "pm25")
_FUNCTIONS = (Function.AVG, Function.MIN, Function.MAX, Function.SUM, Function.COUNT)
_FUNCTIONS += (Function.STDDEV, Function.FIRST, Function.LAST, Function.P50)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MemoryLog, LakeHistory]]:
    lake = open_lake(tmp_path_factory.mktemp("lake"), LakeSettings(hot_window_s=0))
    log = MemoryLog()
    yield log, lake.history(log)
    lake.close()


instants = st.integers(1_199_145_600_000_000, 1_798_761_600_000_000).map(
    lambda us: EPOCH + timedelta(microseconds=us)
)
calendar = st.builds(
    CalendarPeriod, st.sampled_from(["day", "week", "month", "year"]), st.sampled_from(ZONES)
)
fixed = st.builds(
    FixedPeriod,
    st.sampled_from([0.25, 1, 60, 900, 3600, 86_400, 100_000.5]),
    st.none() | instants,
)


@settings(max_examples=examples(120), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    start_at=instants,
    length=st.timedeltas(timedelta(hours=1), timedelta(days=800)),
    shares=st.lists(st.floats(0, 0.999999), min_size=1, max_size=40, unique=True),
    period=calendar | fixed | st.none(),
)
def test_aggregates_are_what_plain_python_reckons(
    store: tuple[MemoryLog, LakeHistory],
    start_at: datetime,
    length: timedelta,
    shares: list[float],
    period: CalendarPeriod | FixedPeriod | None,
) -> None:
    log, history = store
    end_at = start_at + length
    times = sorted({start_at + length * share for share in shares})
    numbers = [math.sin(n) * 50 for n in range(len(times))]
    log.rows = log.rows.slice(0, 0)
    outside = [(start_at - timedelta(microseconds=1), 1e9), (end_at, 1e9)]
    pairs = [*zip(times, numbers, strict=True), *outside]
    log.write(
        [
            {"entity": "urn:a", "attribute": "pm25", "observed_at": at, "number": number}
            for at, number in pairs
        ]
    )
    query = AggregateQuery((KEY,), start_at, end_at, _FUNCTIONS, period)
    expected: dict[object, list[float]] = {}
    for at, number in pairs[: len(times)]:
        expected.setdefault(_label(period, at), []).append(number)
    answer = history.aggregate(query)
    assert answer.num_rows == len(expected)
    for row, (label, values) in zip(answer.to_pylist(), expected.items(), strict=True):
        _check_values(row, values)
        _check_edges(row, label, period, (start_at, end_at))


def _label(period: CalendarPeriod | FixedPeriod | None, at: datetime) -> object:
    if period is None:
        return None
    if isinstance(period, FixedPeriod):
        return (at - (period.origin_at or EPOCH)) // timedelta(seconds=period.seconds)
    return _first_day(period, at.astimezone(ZoneInfo(period.zone)).date())


def _first_day(period: CalendarPeriod, day: date) -> date:
    if period.unit == "week":
        return day - timedelta(days=day.weekday())
    if period.unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if period.unit == "year" else day


def _check_values(row: dict[str, object], values: list[float]) -> None:
    expected = {
        "avg": statistics.fmean(values),
        "min": min(values),
        "max": max(values),
        "sum": math.fsum(values),
        "count": len(values),
        "first": values[0],
        "last": values[-1],
        "p50": statistics.median(values),
    }
    if len(values) > 1:
        expected["stddev"] = statistics.stdev(values)
    else:
        assert row["stddev"] is None
    for name, number in expected.items():
        assert row[name] == pytest.approx(number, rel=1e-9, abs=1e-9), name


def _check_edges(
    row: dict[str, object],
    label: object,
    period: CalendarPeriod | FixedPeriod | None,
    span: tuple[datetime, datetime],
) -> None:
    start, end = row["period_start_at"], row["period_end_at"]
    assert isinstance(start, datetime)
    assert isinstance(end, datetime)
    if period is None:
        assert (start, end) == span
        return
    step = timedelta(microseconds=1)
    assert _label(period, start) == label
    assert _label(period, start - step) != label
    assert _label(period, end) != label


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("Asia/Ho_Chi_Minh", date(2026, 7, 1), "2026-06-30T17:00:00+00:00", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00:00+00:00", 23),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00:00+00:00", 25),
        # Midnight did not exist: the day began at one o'clock.
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00+00:00", 23),
        # The clocks went from half past eleven to half past midnight.
        ("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30:00+00:00", 23.5),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00:00+00:00", 24),
    ],
)
def test_days_begin_when_the_clocks_say(zone: str, day: date, start: str, hours: float) -> None:
    begins_us = to_us(datetime.fromisoformat(start))
    span = (begins_us - 10**12, begins_us + 10**12)
    edges = periods(CalendarPeriod("day", zone), *span).edges(day.toordinal() - 1)
    assert edges == (begins_us, begins_us + round(hours * 3_600_000_000))


def test_weeks_begin_on_monday() -> None:
    folded = periods(CalendarPeriod("week", "UTC"), 0, 10**15)
    start_us, end_us = folded.edges((date(2026, 11, 22).toordinal() - 1) // 7)
    assert start_us == to_us(datetime(2026, 11, 16, tzinfo=UTC))
    assert end_us == to_us(datetime(2026, 11, 23, tzinfo=UTC))


def test_the_answer_has_one_row_per_series_and_period(
    tmp_path: Path,
) -> None:
    lake = open_lake(tmp_path, LakeSettings(hot_window_s=0))
    log = MemoryLog()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for entity in ("urn:b", "urn:a"):
        for hour in range(3):
            log.write(
                [
                    {
                        "entity": entity,
                        "attribute": "pm25",
                        "observed_at": at + timedelta(hours=hour, minutes=m),
                        "number": float(hour),
                    }
                    for m in (1, 2)
                ]
            )
    lake.sealer(log, log, FixedClock(at + timedelta(days=9))).seal()
    series = (SeriesKey("urn:b", "pm25"), SeriesKey("urn:a", "pm25"))
    query = AggregateQuery(series, at, at + timedelta(days=1), (Function.COUNT,), FixedPeriod(3600))
    answer: pa.Table = lake.history(log).aggregate(query)
    assert answer["entity"].to_pylist() == ["urn:a"] * 3 + ["urn:b"] * 3
    assert answer["count"].to_pylist() == [2] * 6
    lake.close()
