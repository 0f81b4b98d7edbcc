"""What every History gives, wherever its rows are: log, lake, or both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from dothi.model.problem import Problem
from dothi.model.quality import Quality
from dothi.model.row import VALUE_CHANGES, Change
from dothi.model.series import (
    RAW_ANSWER,
    AggregateQuery,
    CalendarPeriod,
    FixedPeriod,
    Function,
    RawQuery,
    SeriesKey,
)
from dothi.ports.history import History
from dothi.storage.lake.open import open_lake
from dothi.storage.lake.settings import LakeSettings
from log_in_memory import FixedClock, MemoryLog

T0 = datetime(2026, 3, 1, tzinfo=UTC)
PM25 = SeriesKey("urn:a", "pm25")
WITH_DELETIONS = (*VALUE_CHANGES, Change.DELETE_ATTRIBUTE)


@dataclass
class Backend:
    """A history, and how rows get into it."""

    history: History
    write: Callable[[list[dict[str, object]]], object]
    age: Callable[[], object]
    """Move what was written out of the hot window (where there is one)."""
    forget: Callable[..., None]
    """MemoryLog.forget"""


@pytest.fixture(params=["hot", "lake", "half", "folded"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Lake over a log: rows all hot, all sealed, every other write sealed, or sealed and folded."""
    lake = open_lake(tmp_path / "lake", LakeSettings(hot_window_s=0))
    log = MemoryLog()
    clock = FixedClock(datetime(2027, 1, 1, tzinfo=UTC))
    sealer, upkeep = lake.sealer(log, log, clock), lake.upkeep(clock)
    writes = 0

    def write(rows: list[dict[str, object]]) -> None:
        nonlocal writes
        log.write(rows)
        writes += 1
        if request.param == "lake" or (request.param == "half" and writes % 2):
            sealer.seal()
        if request.param == "folded":
            sealer.seal()
            upkeep.fold()

    yield Backend(lake.history(log), write, sealer.seal, log.forget)
    lake.close()


def value(minutes: float, number: float | None, **more: object) -> dict[str, object]:
    at = T0 + timedelta(minutes=minutes)
    return {"entity": "urn:a", "attribute": "pm25", "observed_at": at, "number": number, **more}


def numbers(answer: pa.Table) -> list[float | None]:
    return [n for n in answer["number"].to_pylist()]


def test_raw_gives_the_range_in_order(backend: Backend) -> None:
    backend.write([value(10, 2.0), value(0, 1.0)])
    backend.write([value(20, 3.0), value(30, 4.0), value(5, 9.0, attribute="no2")])
    query = RawQuery((PM25,), T0, T0 + timedelta(minutes=30))
    answer = backend.history.raw(query)
    assert answer.schema == RAW_ANSWER
    assert numbers(answer) == [1.0, 2.0, 3.0]


def test_raw_sorts_by_series_then_time(backend: Backend) -> None:
    other = SeriesKey("urn:a", "no2")
    split = SeriesKey("urn:a", "pm25", "urn:ds")
    backend.write([value(1, 2.0), value(0, 1.0), value(0, 5.0, dataset="urn:ds")])
    backend.write([value(0, 7.0, attribute="no2"), value(0, 8.0, entity="urn:b")])
    answer = backend.history.raw(RawQuery((split, PM25, other)))
    assert numbers(answer) == [7.0, 1.0, 2.0, 5.0]


def test_raw_says_that_it_was_cut(backend: Backend) -> None:
    backend.write([value(n, float(n)) for n in range(10)])
    assert backend.history.raw(RawQuery((PM25,), limit=4)).num_rows == 5
    assert backend.history.raw(RawQuery((PM25,), limit=10)).num_rows == 10


@pytest.mark.parametrize("count", [1, 3, 7, 50])
def test_last_n_of_each_series(backend: Backend, count: int) -> None:
    days = 24 * 60
    for n in range(6):
        backend.write([value(n * days, float(n)), value(n * days + 1, n + 0.5)])
    backend.write([value(3 * days, 100.0, attribute="no2")])
    no2 = SeriesKey("urn:a", "no2")
    answer = backend.history.raw(RawQuery((PM25, no2), last_n=count))
    every = [n + part for n in range(6) for part in (0.0, 0.5)]
    assert numbers(answer) == [100.0, *every[-count:]]


def test_a_correction_replaces_and_the_earlier_stays_in_the_record(backend: Backend) -> None:
    backend.write([value(0, 1.0), value(1, 2.0)])
    backend.write([value(0, 11.0, revision=1)])
    backend.write([value(0, 12.0, revision=2), value(1, 22.0, revision=1, attribute="no2")])
    assert numbers(backend.history.raw(RawQuery((PM25,)))) == [12.0, 2.0]
    record = backend.history.raw(RawQuery((PM25,), all_revisions=True))
    assert numbers(record) == [1.0, 11.0, 12.0, 2.0]
    assert record["revision"].to_pylist() == [0, 1, 2, 0]
    total = AggregateQuery((PM25,), T0, T0 + timedelta(hours=1), (Function.SUM,), None)
    assert backend.history.aggregate(total)["sum"].to_pylist() == [14.0]
    assert numbers(backend.history.raw(RawQuery((PM25,), last_n=1))) == [2.0]
    assert numbers(backend.history.raw(RawQuery((PM25,), last_n=2))) == [12.0, 2.0]


def test_a_correction_to_bad_takes_the_value_out_of_aggregates(backend: Backend) -> None:
    backend.write([value(0, 1.0), value(1, 2.0)])
    backend.write([value(0, 1.0, revision=1, quality=int(Quality.BAD))])
    total = AggregateQuery((PM25,), T0, T0 + timedelta(hours=1), (Function.COUNT,), None)
    assert backend.history.aggregate(total)["count"].to_pylist() == [1]


@pytest.mark.parametrize("count", [1, 3, 7, 50])
def test_first_n_of_each_series(backend: Backend, count: int) -> None:
    days = 24 * 60
    for n in reversed(range(6)):
        backend.write([value(n * days, float(n)), value(n * days + 1, n + 0.5)])
    backend.write([value(3 * days, 100.0, attribute="no2")])
    no2 = SeriesKey("urn:a", "no2")
    answer = backend.history.raw(RawQuery((PM25, no2), first_n=count))
    every = [n + part for n in range(6) for part in (0.0, 0.5)]
    assert numbers(answer) == [100.0, *every[:count]]
    late = RawQuery((PM25,), T0 + timedelta(minutes=days + 1), first_n=count)
    assert numbers(backend.history.raw(late)) == every[3 : 3 + count]


def test_what_is_recorded_for_the_past_alone_is_a_value(backend: Backend) -> None:
    backend.write([value(0, 1.0), value(1, 2.0, change=int(Change.RECORD))])
    backend.write([value(0, 11.0, change=int(Change.RECORD), revision=1)])
    backend.write([value(2, None, attribute="", change=int(Change.RECORD_ENTITY), body="{}")])
    assert numbers(backend.history.raw(RawQuery((PM25,)))) == [11.0, 2.0]
    total = AggregateQuery((PM25,), T0, T0 + timedelta(hours=1), (Function.SUM,), None)
    assert backend.history.aggregate(total)["sum"].to_pylist() == [13.0]


def test_what_is_forgotten_does_not_come_back(backend: Backend) -> None:
    days = 24 * 60
    backend.write([value(n * days, float(n)) for n in range(4)])
    backend.write([value(days, 11.0, revision=1), value(0, 7.0, attribute="no2")])
    backend.forget(("urn:a", "pm25", ""))
    backend.age()
    no2 = SeriesKey("urn:a", "no2")
    for more in ({}, {"last_n": 5}, {"first_n": 5}, {"all_revisions": True}):
        assert numbers(backend.history.raw(RawQuery((PM25, no2), **more))) == [7.0]
    total = AggregateQuery((PM25,), T0, T0 + timedelta(days=9), (Function.SUM,), None)
    assert backend.history.aggregate(total).num_rows == 0
    backend.write([value(5 * days, 5.0), value(days, 12.0, revision=2)])
    for more in ({}, {"last_n": 5}, {"first_n": 5}):
        assert numbers(backend.history.raw(RawQuery((PM25,), **more))) == [12.0, 5.0]
    assert backend.history.aggregate(total)["sum"].to_pylist() == [17.0]


def test_one_instance_is_forgotten_with_its_earlier_values(backend: Backend) -> None:
    backend.write([value(0, 1.0), value(1, 2.0), value(2, 3.0)])
    backend.write([value(1, 22.0, revision=1)])
    timeless = {**value(0, 9.0), "observed_at": None, "committed_at": T0 + timedelta(minutes=5)}
    backend.write([timeless, {**timeless, "number": 10.0}])
    backend.forget(("urn:a", "pm25", ""), T0 + timedelta(minutes=1))
    found = backend.history.raw(RawQuery((PM25,)))
    assert numbers(found) == [1.0, 3.0, 9.0, 10.0]
    backend.forget(("urn:a", "pm25", ""), seq=found["seq"][2].as_py())
    assert numbers(backend.history.raw(RawQuery((PM25,)))) == [1.0, 3.0, 10.0]
    assert numbers(backend.history.raw(RawQuery((PM25,), last_n=2))) == [3.0, 10.0]


def test_a_great_deal_that_is_forgotten(backend: Backend) -> None:
    backend.write([value(n, float(n)) for n in range(200)])
    for n in range(0, 200, 2):
        backend.forget(("urn:a", "pm25", ""), T0 + timedelta(minutes=n))
    found = backend.history.raw(RawQuery((PM25,)))
    assert numbers(found) == [float(n) for n in range(1, 200, 2)]


def test_deletions_are_given_where_they_are_asked_for(backend: Backend) -> None:
    gone = {"entity": "urn:a", "attribute": "pm25", "committed_at": T0 + timedelta(minutes=2)}
    backend.write([value(0, 1.0), {**gone, "change": int(Change.DELETE_ATTRIBUTE)}])
    backend.write([value(3, 3.0)])
    for more in ({}, {"last_n": 3}, {"first_n": 3}):
        found = backend.history.raw(RawQuery((PM25,), changes=WITH_DELETIONS, **more))
        assert numbers(found) == [1.0, None, 3.0]
    assert numbers(backend.history.raw(RawQuery((PM25,)))) == [1.0, 3.0]


def test_deletions_are_not_values(backend: Backend) -> None:
    gone = {"entity": "urn:a", "attribute": "pm25", "committed_at": T0 + timedelta(minutes=2)}
    backend.write([value(0, 1.0), {**gone, "change": int(Change.DELETE_ATTRIBUTE)}])
    backend.write([value(1, 2.0, change=int(Change.ASSIGN))])
    backend.write([{**gone, "attribute": "", "change": int(Change.DELETE_ENTITY)}, value(3, 3.0)])
    assert numbers(backend.history.raw(RawQuery((PM25,)))) == [1.0, 2.0, 3.0]


def test_values_without_a_time_of_their_own_count_at_their_commit(backend: Backend) -> None:
    backend.write([value(0, 1.0), value(9, 3.0)])
    late = {**value(0, 2.0), "observed_at": None, "committed_at": T0 + timedelta(minutes=5)}
    backend.write([late])
    answer = backend.history.raw(RawQuery((PM25,), T0, T0 + timedelta(minutes=9)))
    assert numbers(answer) == [1.0, 2.0]
    assert answer["observed_at"].to_pylist() == [T0, None]


def test_text_body_and_lineage_come_back(backend: Backend) -> None:
    row = value(0, None, text="Độ mặn cao", body='{"a": 1}', unit="GQ", source="trạm-1", kind=6)
    backend.write([row])
    (found,) = backend.history.raw(RawQuery((PM25,))).to_pylist()
    assert {k: found[k] for k in ("text", "body", "unit", "source", "kind", "number")} == {
        "text": "Độ mặn cao",
        "body": '{"a": 1}',
        "unit": "GQ",
        "source": "trạm-1",
        "kind": 6,
        "number": None,
    }
    assert (found["lane"], found["seq"], found["quality"]) == (0, 1, 1)


def test_every_function(backend: Backend) -> None:
    backend.write([value(n, float(n)) for n in (3, 1)])
    backend.write([value(n, float(n)) for n in (2, 4)])
    query = AggregateQuery((PM25,), T0, T0 + timedelta(hours=1), tuple(Function), None)
    (found,) = backend.history.aggregate(query).to_pylist()
    assert (found["period_start_at"], found["period_end_at"]) == (T0, T0 + timedelta(hours=1))
    assert {f: round(found[f.value], 6) for f in Function} == {
        Function.AVG: 2.5,
        Function.MIN: 1.0,
        Function.MAX: 4.0,
        Function.SUM: 10.0,
        Function.COUNT: 4,
        Function.STDDEV: 1.290994,
        Function.FIRST: 1.0,
        Function.LAST: 4.0,
        Function.P05: 1.15,
        Function.P50: 2.5,
        Function.P95: 3.85,
        Function.P99: 3.97,
    }


def test_only_usable_quality_unless_told_otherwise(backend: Backend) -> None:
    flags = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.ESTIMATED, Quality.HAND_ENTERED)
    backend.write([value(n, 1.0, quality=int(flag)) for n, flag in enumerate(flags)])
    backend.write([value(10, None, quality=int(Quality.MISSING))])
    end_at = T0 + timedelta(hours=1)
    usable = AggregateQuery((PM25,), T0, end_at, (Function.COUNT,), None)
    every = AggregateQuery((PM25,), T0, end_at, (Function.COUNT,), None, any_quality=True)
    assert backend.history.aggregate(usable)["count"].to_pylist() == [3]
    assert backend.history.aggregate(every)["count"].to_pylist() == [5]


def test_fixed_periods_count_from_their_origin(backend: Backend) -> None:
    backend.write([value(0, 1.0), value(6, 2.0), value(7, 3.0)])
    period = FixedPeriod(600, T0 - timedelta(minutes=3))
    query = AggregateQuery((PM25,), T0, T0 + timedelta(hours=1), (Function.SUM,), period)
    answer = backend.history.aggregate(query)
    starts = [T0 - timedelta(minutes=3), T0 + timedelta(minutes=7)]
    assert answer["period_start_at"].to_pylist() == starts
    assert answer["sum"].to_pylist() == [3.0, 3.0]


def test_calendar_days_follow_the_clock_change(backend: Backend) -> None:
    # Berlin went to summer time on 2026-03-29: that day has 23 hours.
    minutes = [(n * 60) + 28 * 24 * 60 - 120 for n in range(48)]
    backend.write([value(m, 1.0) for m in minutes])
    start_at = T0 + timedelta(minutes=minutes[0])
    period = CalendarPeriod("day", "Europe/Berlin")
    query = AggregateQuery((PM25,), start_at, start_at + timedelta(days=2), (Function.SUM,), period)
    answer = backend.history.aggregate(query)
    assert answer["sum"].to_pylist() == [1.0, 23.0, 24.0]
    lengths = [
        (end - start).total_seconds() / 3600
        for start, end in zip(
            answer["period_start_at"].to_pylist(), answer["period_end_at"].to_pylist(), strict=True
        )
    ]
    assert lengths == [24.0, 23.0, 24.0]


def test_unknown_series_and_empty_ranges_are_empty_answers(backend: Backend) -> None:
    backend.write([value(0, 1.0)])
    nobody = SeriesKey("urn:none", "pm25")
    assert backend.history.raw(RawQuery((nobody,))).schema == RAW_ANSWER
    assert backend.history.raw(RawQuery(())).num_rows == 0
    assert backend.history.raw(RawQuery((nobody,), last_n=3)).num_rows == 0
    assert backend.history.raw(RawQuery((PM25,), T0, T0)).num_rows == 0
    query = AggregateQuery((nobody,), T0, T0 + timedelta(days=1), (Function.AVG,), None)
    assert backend.history.aggregate(query).num_rows == 0
    assert backend.history.aggregate(query).column_names[-1] == "avg"


def test_hostile_names_are_only_names(backend: Backend) -> None:
    name = "urn:x'; DROP TABLE hot; --"
    backend.write([value(0, 1.0, entity=name)])
    assert backend.history.raw(RawQuery((SeriesKey(name, "pm25"),))).num_rows == 1


@pytest.mark.parametrize(
    "period",
    [FixedPeriod(0), CalendarPeriod("decade"), CalendarPeriod("day", "Asia/Atlantis")],
)
def test_an_unusable_period_says_why(backend: Backend, period: FixedPeriod) -> None:
    query = AggregateQuery((PM25,), T0, T0 + timedelta(days=1), (Function.AVG,), period)
    with pytest.raises(Problem) as caught:
        backend.history.aggregate(query)
    assert caught.value.remedy
