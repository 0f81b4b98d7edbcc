"""Lake: bytes per observation at rest, and how fast one series and many series are answered."""

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dothi.model.row import LOG_SCHEMA
from dothi.model.series import (
    AggregateQuery,
    CalendarPeriod,
    FixedPeriod,
    Function,
    RawQuery,
    SeriesKey,
)
from dothi.ports.history import FORGOTTEN, NO_HINT, HotHint
from dothi.storage.lake.open import Lake, open_lake
from dothi.storage.lake.settings import LakeSettings

START_AT = datetime(2026, 9, 1, tzinfo=UTC)
PERIOD_S = 300
PER_DAY = 86_400 // PERIOD_S
ATTRIBUTES = (
    ("pm25", "GQ"),
    ("pm10", "GQ"),
    ("temperature", "CEL"),
    ("relativeHumidity", "P1"),
    ("waterLevel", "MTR"),
    ("precipitation", "MMT"),
    ("windSpeed", "MTS"),
    ("noiseLevel", "2N"),
)


def run(arguments: list[str]) -> dict[str, object]:
    """Build a lake through the writer of the program, ask it, delete it."""
    parser = argparse.ArgumentParser(prog="dothi bench lake")
    parser.add_argument("--rows", type=float, default=100e6, help="observations, e.g. 1e6")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--commit-rows", type=int, default=2000, help="rows of one arrival")
    parser.add_argument("--jitter-s", type=float, default=2.0, help="spread of the delay")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="where the lake is built; kept when given")
    chosen = parser.parse_args(arguments)
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="dothi-bench-lake-"))
    lake = open_lake(folder, LakeSettings())
    try:
        province = Province(chosen)
        found: dict[str, object] = {}
        if not lake.table.snapshot().files:
            found["built"] = build(lake, province)
            found["daily_files"] = {"at_rest": at_rest(lake), "asked": ask(lake, province, chosen)}
        found["folding"] = fold(lake, START_AT + timedelta(days=province.days))
        found["at_the_end_of_the_month"] = {
            "at_rest": at_rest(lake),
            "asked": ask(lake, province, chosen),
        }
        found["load_1_5_15_min"] = [round(n, 1) for n in os.getloadavg()]
        return found
    finally:
        lake.close()
        if chosen.folder is None:
            shutil.rmtree(folder)


class Province:
    """Stations of eight attributes, each reporting every five minutes in a phase of its own."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.days: int = chosen.days
        self.commit_rows: int = chosen.commit_rows
        self.jitter_s: float = chosen.jitter_s
        per_series = self.days * PER_DAY * len(ATTRIBUTES)
        self.stations = max(1, round(chosen.rows / per_series))
        self.names = pa.array([f"urn:ngsi-ld:Station:VN-{n:05d}" for n in range(self.stations)])
        self.chance = np.random.default_rng(1)
        self.level = 20 + 10 * self.chance.random(self.series_count)
        self.phase_s = PERIOD_S * self.chance.random(self.stations)

    @property
    def series_count(self) -> int:
        return self.stations * len(ATTRIBUTES)

    def key(self, station: int, attribute: int) -> SeriesKey:
        return SeriesKey(self.names[station].as_py(), ATTRIBUTES[attribute][0])

    def day(self, day: int) -> pa.Table:
        """LOG_SCHEMA rows of one day in order of arrival."""
        count = self.series_count * PER_DAY
        slot = np.repeat(np.arange(PER_DAY), self.series_count)
        series = np.tile(np.arange(self.series_count), PER_DAY)
        station = series // len(ATTRIBUTES)
        start_us = int((START_AT + timedelta(days=day)).timestamp()) * 1_000_000
        observed_us = start_us + slot * PERIOD_S * 1_000_000
        walk = np.cumsum(self.chance.normal(0, 0.3, (PER_DAY, self.series_count)), axis=0)
        number = np.round(self.level + walk, 1).ravel()
        # A station sends its attributes together.
        delay_s = self.phase_s + self.chance.random((PER_DAY, self.stations)) * self.jitter_s
        arrived_us = observed_us + (np.repeat(delay_s, len(ATTRIBUTES), axis=1) * 1e6).ravel()
        order = np.argsort(arrived_us, kind="stable")
        batch = np.arange(count) // self.commit_rows
        last = np.minimum((batch + 1) * self.commit_rows, count) - 1
        committed_us = arrived_us[order][last].astype(np.int64)
        columns = {
            "lane": pa.repeat(pa.scalar(0, pa.int32()), count),
            "seq": pa.array(np.arange(count) + day * count + 1),
            "source": _named([f"gw-{n}" for n in range(60)], station[order] % 60),
            "entity": _named(self.names, station[order]),
            "entity_type": pa.repeat("AirQualityObserved", count),
            "attribute": _named([a for a, _ in ATTRIBUTES], series[order] % len(ATTRIBUTES)),
            "dataset": pa.repeat("", count),
            "observed_at": _times(observed_us[order]),
            "number": pa.array(number[order]),
            "unit": _named([u for _, u in ATTRIBUTES], series[order] % len(ATTRIBUTES)),
            "quality": pa.repeat(pa.scalar(1, pa.uint8()), count),
            "kind": pa.repeat(pa.scalar(1, pa.uint8()), count),
            "change": pa.repeat(pa.scalar(1, pa.uint8()), count),
            "batch": pa.repeat("", count),
            "committed_at": _times(committed_us),
            "revision": pa.repeat(pa.scalar(0, pa.uint8()), count),
        }
        empty = {f.name: pa.nulls(count, f.type) for f in LOG_SCHEMA if f.name not in columns}
        columns |= empty
        return pa.table([columns[f.name] for f in LOG_SCHEMA], schema=LOG_SCHEMA)


def build(lake: Lake, province: Province) -> dict[str, object]:
    """One commit per day, as compaction leaves them."""
    rows = 0
    took_s = 0.0
    for day in range(province.days):
        table = province.day(day)
        rows += table.num_rows
        began = time.perf_counter()
        lake.table.append(table, "bench", rows, LakeSettings().file_rows)
        took_s += time.perf_counter() - began
    return {"rows": rows, "series": province.series_count, "rows_per_s": round(rows / took_s)}


class Then:
    """A clock that stands still."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


def fold(lake: Lake, at: datetime) -> dict[str, object]:
    """Fold what upkeep would have folded by then: at a month's end, its first two thirds."""
    began, began_cpu = time.perf_counter(), time.process_time()
    thirds = lake.upkeep(Then(at)).fold()
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    rows = sum(f.rows for f in lake.table.snapshot().files if f.is_folded)
    return {
        "thirds": thirds,
        "rows": rows,
        "took_s": round(took_s, 1),
        "cpu_us_per_row": round(cpu_s / rows * 1e6, 2) if thirds else None,
    }


def at_rest(lake: Lake) -> dict[str, object]:
    files = lake.table.snapshot().files
    rows, size = sum(f.rows for f in files), sum(f.size for f in files)
    return {
        "files": len(files),
        "rows": rows,
        "bytes": size,
        "bytes_per_observation": round(size / rows, 3),
    }


class NoHotRows:
    """A log whose every row is sealed."""

    def hot(
        self,
        keys: pa.Table | None,
        start_us: int | None,
        end_us: int | None,
        hint: HotHint = NO_HINT,
    ) -> tuple[pa.Table, int, pa.Table]:
        return LOG_SCHEMA.empty_table(), 1 << 62, FORGOTTEN.empty_table()


def ask(lake: Lake, province: Province, chosen: argparse.Namespace) -> dict[str, object]:
    """Milliseconds of the questions."""
    history = lake.history(NoHotRows())
    chance = random.Random(5)
    end_at = START_AT + timedelta(days=province.days)
    month_at = end_at - timedelta(days=30)
    hours = timedelta(hours=7, minutes=13)

    def any_key() -> SeriesKey:
        return province.key(chance.randrange(province.stations), chance.randrange(8))

    def many(mixed: bool) -> tuple[SeriesKey, ...]:
        if mixed:
            return tuple({any_key() for _ in range(1100)})[:1000]
        count = min(1000, province.stations)
        return tuple(province.key(n, 0) for n in range(count))

    def hourly(series: tuple[SeriesKey, ...]) -> AggregateQuery:
        return AggregateQuery(series, month_at, end_at, (Function.AVG,), FixedPeriod(3600))

    def daily(series: tuple[SeriesKey, ...]) -> AggregateQuery:
        functions = (Function.AVG, Function.MAX, Function.P95)
        return AggregateQuery(series, month_at, end_at, functions, CalendarPeriod("day"))

    one_attribute, mixed = many(False), many(True)
    raw, fold = history.raw, history.aggregate
    times = chosen.queries
    return {
        "one_series_one_month": timed(times, lambda: raw(RawQuery((any_key(),), month_at, end_at))),
        "one_series_one_month_odd_edges": timed(
            times, lambda: raw(RawQuery((any_key(),), month_at + hours, end_at - hours))
        ),
        "one_series_one_day": timed(
            times, lambda: raw(RawQuery((any_key(),), end_at - timedelta(days=1), end_at))
        ),
        "one_series_last_100": timed(times, lambda: raw(RawQuery((any_key(),), last_n=100))),
        "one_series_hourly_month": timed(times, lambda: fold(hourly((any_key(),)))),
        "1000_series_hourly_month_one_attribute": timed(5, lambda: fold(hourly(one_attribute))),
        "1000_series_hourly_month_mixed": timed(5, lambda: fold(hourly(mixed))),
        "1000_series_daily_month_p95": timed(3, lambda: fold(daily(one_attribute))),
    }


def timed(times: int, question: Callable[[], pa.Table]) -> dict[str, Any]:
    """Milliseconds: the first, then median, 95th percentile and worst of the others.

    `cpu_p50_ms` is processor time over all cores: what remains the same beside other work.
    """
    took = []
    busy = []
    rows = 0
    for _ in range(times + 1):
        began, began_cpu = time.perf_counter(), time.process_time()
        rows = question().num_rows
        took.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - began_cpu) * 1000)
    first, rest = took[0], np.array(took[1:])
    return {
        "rows": rows,
        "first_ms": round(first, 1),
        "p50_ms": round(float(np.percentile(rest, 50)), 1),
        "p95_ms": round(float(np.percentile(rest, 95)), 1),
        "worst_ms": round(float(rest.max()), 1),
        "cpu_p50_ms": round(float(np.median(busy[1:])), 1),
    }


def _named(names: Any, numbers: np.ndarray[Any, Any]) -> pa.Array:
    dictionary = pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), pa.array(names))
    return dictionary.cast(pa.string())


def _times(us: np.ndarray[Any, Any]) -> pa.Array:
    return pa.array(us.astype(np.int64)).cast(pa.timestamp("us", tz="UTC"))
