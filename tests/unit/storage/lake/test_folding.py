"""Folding changes no answer, keeps late rows, and leaves nothing behind."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.model.series import RawQuery, SeriesKey
from dothi.storage.lake import folding
from dothi.storage.lake.folding import third_of
from dothi.storage.lake.open import Lake, open_lake
from dothi.storage.lake.settings import LakeSettings, RetentionRule
from dothi.storage.lake.sorted_slices import sorted_slices
from log_in_memory import FixedClock, MemoryLog

T0 = datetime(2026, 3, 1, tzinfo=UTC)
END = FixedClock(T0 + timedelta(days=99))
SERIES = tuple(SeriesKey(f"urn:{n}", name) for n in range(3) for name in ("level", "rain"))


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    rule = RetentionRule(id="rain", keep_days=80, attributes=("rain",))
    opened = open_lake(tmp_path / "lake", LakeSettings(hot_window_s=0, retention=(rule,)))
    yield opened
    opened.close()


def row(key: SeriesKey, at: datetime, number: float, **more: object) -> dict[str, object]:
    return {
        "entity": key.entity,
        "attribute": key.attribute,
        "observed_at": at,
        "number": number,
        **more,
    }


def fill(lake: Lake, log: MemoryLog, days: int = 25) -> None:
    """Three values a day of each series, from 1 March on, one seal a day."""
    sealer = lake.sealer(log, log, END)
    for day in range(days):
        moments = [T0 + timedelta(days=day, hours=h) for h in (0, 8, 23)]
        log.write([row(key, at, day + n / 10) for n, key in enumerate(SERIES) for at in moments])
        sealer.seal()


def upkeep_at(lake: Lake, now: datetime) -> int:
    return lake.upkeep(FixedClock(now)).fold()


def answer(lake: Lake, log: MemoryLog, **span: datetime) -> list[dict[str, object]]:
    rows = lake.history(log).raw(RawQuery(SERIES, **span)).to_pylist()  # type: ignore[arg-type]
    # Times of commit are kept to the second.
    return [{**r, "committed_at": r["committed_at"].replace(microsecond=0)} for r in rows]


def test_thirds_that_ended_are_folded_and_every_answer_stays(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log)
    spans = [
        {},
        {"start_at": T0 + timedelta(days=3, hours=8), "end_at": T0 + timedelta(days=12)},
        {"start_at": T0 + timedelta(days=10)},
        {"end_at": T0 + timedelta(days=10)},
    ]
    before = [answer(lake, log, **span) for span in spans]
    last_3 = lake.history(log).raw(RawQuery(SERIES, last_n=30)).select(["entity", "number"])
    assert upkeep_at(lake, datetime(2026, 3, 13, tzinfo=UTC)) == 1, "ended two days ago"
    assert upkeep_at(lake, datetime(2026, 3, 22, tzinfo=UTC)) == 0
    assert upkeep_at(lake, datetime(2026, 3, 23, tzinfo=UTC)) == 1
    files = lake.table.snapshot().files
    assert [(f.day.day, f.last_day.day, f.is_folded) for f in files] == [
        (1, 10, True),
        (11, 20, True),
        *((day, day, False) for day in range(21, 26)),
    ]
    assert [answer(lake, log, **span) for span in spans] == before
    assert lake.history(log).raw(RawQuery(SERIES, last_n=30)).select(["entity", "number"]) == last_3


def test_late_rows_and_corrections_reach_what_is_folded(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log)
    upkeep_at(lake, END.now())
    sealer = lake.sealer(log, log, END)
    at = T0 + timedelta(days=4, hours=8)
    log.write([row(SERIES[0], at, 99.0, revision=1), row(SERIES[1], at + timedelta(hours=1), 5.5)])
    for _ in range(2):
        found = {(r["entity"], r["attribute"], r["observed_at"]): r for r in answer(lake, log)}
        assert found["urn:0", "level", at]["number"] == 99.0
        assert found["urn:0", "rain", at + timedelta(hours=1)]["number"] == 5.5
        assert len(found) == 25 * 18 + 1
        sealer.seal()
    keys = pa.table(
        {
            "entity": ["urn:0", "urn:1", "urn:9"],
            "attribute": ["level", "rain", "level"],
            "dataset": ["", "", ""],
            "observed_at": pa.array([at, at, at], pa.timestamp("us", tz="UTC")),
        }
    )
    stored = lake.keys.find_keys(keys).to_pylist()
    known = {r["entity"]: (r["number"], r["revision"]) for r in stored}
    assert known == {"urn:0": (99.0, 1), "urn:1": (4.3, 0)}
    assert upkeep_at(lake, END.now()) == 0, "two rows are not worth it"


def test_many_late_rows_are_folded_in(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log)
    upkeep_at(lake, END.now())
    moments = [T0 + timedelta(days=n, minutes=1) for n in range(10)]
    log.write([row(key, at, 1.25) for key in SERIES for at in moments])
    lake.sealer(log, log, END).seal()
    before = answer(lake, log)
    assert upkeep_at(lake, END.now()) == 1
    assert [f.rows for f in lake.table.snapshot().files] == [240, 180, 90]
    assert answer(lake, log) == before


def test_retention_reaches_into_what_is_folded(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log)
    upkeep_at(lake, END.now())
    assert lake.upkeep(FixedClock(datetime(2026, 5, 25, tzinfo=UTC))).retain() == 5 * 9
    record = [(r["day"], r["rows"]) for r in lake.deletions.read().to_pylist()]
    assert record == [(date(2026, 3, day), 9) for day in range(1, 6)]
    rain = [r["observed_at"] for r in answer(lake, log) if r["attribute"] == "rain"]
    assert min(rain) == datetime(2026, 3, 6, tzinfo=UTC)
    assert len(lake.table.snapshot().files) == 3
    assert all(f.is_folded for f in lake.table.snapshot().files)


def test_a_slice_is_a_file_and_a_series_lies_in_one(
    lake: Lake, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(lake, log, days=10)
    monkeypatch.setattr(
        folding, "sorted_slices", lambda e, f, c: sorted_slices(e, f, c, slice_rows=70)
    )
    before = answer(lake, log)
    upkeep_at(lake, END.now())
    assert sorted(f.rows for f in lake.table.snapshot().files) == [30, 60, 90]
    assert answer(lake, log) == before


def test_it_can_be_switched_off(tmp_path: Path, log: MemoryLog) -> None:
    lake = open_lake(tmp_path / "lake", LakeSettings(hot_window_s=0, fold_after_days=0))
    fill(lake, log)
    assert upkeep_at(lake, END.now()) == 0
    lake.close()


@given(st.dates(date(1990, 1, 1), date(2050, 12, 31)))
def test_thirds_cover_every_day_once(day: date) -> None:
    first, last = third_of(day)
    assert first <= day <= last
    assert first.day in (1, 11, 21)
    assert third_of(last + timedelta(days=1))[0] == last + timedelta(days=1)
    assert 8 <= (last - first).days + 1 <= 11
