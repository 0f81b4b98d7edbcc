"""Compaction changes no answer; retention deletes what the rules say and records it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from dothi.model.series import RawQuery, SeriesKey
from dothi.storage.lake.open import Lake, open_lake
from dothi.storage.lake.settings import LakeSettings, RetentionRule
from dothi.storage.lake.upkeep import Upkeep
from log_in_memory import FixedClock, MemoryLog

T0 = datetime(2026, 3, 1, tzinfo=UTC)
NOW = FixedClock(T0 + timedelta(days=5, hours=12))
LEVEL = SeriesKey("urn:a", "level")


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    rules = (
        RetentionRule(id="water", keep_days=2, attributes=("level",), valid_from=date(2026, 1, 1)),
        RetentionRule(id="water", keep_days=1, attributes=("level",), valid_from=date(2027, 1, 1)),
        RetentionRule(id="cars", keep_days=3, entity_types=("Vehicle",), reason="Decree 13/2023"),
    )
    lake = open_lake(
        tmp_path / "lake", LakeSettings(hot_window_s=0, retention=rules, compact_files=4)
    )
    yield lake
    lake.close()


def fill(lake: Lake, log: MemoryLog, seals_a_day: int = 3) -> None:
    """Six days of a water level and of a vehicle's speed, several seals a day."""
    sealer = lake.sealer(log, log, FixedClock(T0 + timedelta(days=99)))
    for n in range(6 * seals_a_day):
        at = T0 + timedelta(days=n / seals_a_day)
        log.write(
            [
                {"entity": f"urn:{e}", "entity_type": kind, "attribute": name, "number": float(n)}
                | {"observed_at": at + timedelta(minutes=m)}
                for m in range(3)
                for e, kind, name in (("b", "Vehicle", "speed"), ("a", "Gauge", "level"))
            ]
        )
        sealer.seal()


def upkeep_of(lake: Lake) -> Upkeep:
    return lake.upkeep(NOW)


def answers(lake: Lake, log: MemoryLog) -> list[dict[str, object]]:
    series = (LEVEL, SeriesKey("urn:b", "speed"))
    rows: list[dict[str, object]] = lake.history(log).raw(RawQuery(series)).to_pylist()
    return rows


def test_compaction_merges_and_sorts_and_changes_no_answer(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log)
    before = answers(lake, log)
    assert upkeep_of(lake).compact() == 5
    days = lake.table.snapshot().by_day()
    counts = [len(files) for _, files in sorted(days.items())]
    assert counts == [1, 1, 1, 1, 1, 3], "the current day waits for more files"
    assert answers(lake, log) == before
    (file,) = days[date(2026, 3, 1)]
    rows = pq.read_table(file.location, partitioning=None)
    columns = (rows[name].to_pylist() for name in ("attribute", "entity", "observed_at"))
    keys = list(zip(*columns, strict=True))
    assert keys == sorted(keys)
    assert upkeep_of(lake).compact() == 0


def test_the_current_day_is_compacted_when_it_has_many_files(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log, seals_a_day=5)
    upkeep_of(lake).compact()
    assert len(lake.table.snapshot().by_day()[NOW.now().date()]) == 2


def test_files_sealed_during_compaction_stay(
    lake: Lake, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(lake, log)
    sealer = lake.sealer(log, log, FixedClock(T0 + timedelta(days=99)))
    replace = lake.table.replace
    late = {"entity": "urn:a", "attribute": "level", "observed_at": T0 + timedelta(hours=1)}

    def seal_first(*args: object) -> int:
        log.write([{**late, "number": 77.0}] if log.head() < 109 else [])
        sealer.seal()
        return replace(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(type(lake.table), "replace", lambda _self, *args: seal_first(*args))
    before = answers(lake, log)
    upkeep_of(lake).compact()
    after = answers(lake, log)
    assert len(after) == len(before) + 1
    assert 77.0 in [row["number"] for row in after]


def test_retention_deletes_by_attribute_and_type_and_records_it(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log)
    assert upkeep_of(lake).retain() == 3 * 9 + 2 * 9
    days = {(row["attribute"], str(row["observed_at"])[:10]) for row in answers(lake, log)}
    kept = [("level", 4), ("level", 5), ("level", 6)] + [("speed", d) for d in (3, 4, 5, 6)]
    assert days == {(name, f"2026-03-0{day}") for name, day in kept}
    record = lake.deletions.read()
    assert record.num_rows == 5
    cars = [row for row in record.to_pylist() if row["rule"] == "cars"]
    assert [(row["day"], row["rows"], row["reason"]) for row in cars] == [
        (date(2026, 3, 1), 9, "Decree 13/2023"),
        (date(2026, 3, 2), 9, "Decree 13/2023"),
    ]
    assert upkeep_of(lake).retain() == 0
    assert lake.deletions.read().num_rows == 5


def test_a_record_lost_in_a_crash_is_written_at_the_next_round(
    lake: Lake, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(lake, log)

    class Crash(Exception):
        pass

    def crash(*_args: object, **_named: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr("dothi.storage.lake.deletions.write_deltalake", crash)
        with pytest.raises(Crash):
            upkeep_of(lake).retain()
    upkeep_of(lake).retain()
    assert sum(lake.deletions.read()["rows"].to_pylist()) == 3 * 9 + 2 * 9


def test_rows_without_a_type_are_kept(lake: Lake, log: MemoryLog) -> None:
    log.write([{"entity": "urn:x", "entity_type": None, "attribute": "speed", "observed_at": T0}])
    lake.sealer(log, log, NOW).seal()
    assert upkeep_of(lake).retain() == 0


def test_a_round_ends_with_a_vacuum_that_spares_what_is_needed(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log)
    before = answers(lake, log)
    orphan = lake.table.root / "day=2026-03-01" / "part-left-by-a-crash.parquet"
    orphan.write_bytes(b"half a file")
    upkeep_of(lake).compact()
    assert lake.table.vacuum(24) == 0, "files are too young"
    assert lake.table.vacuum(0) == 16
    assert not orphan.exists()
    files = len(list(lake.table.root.glob("day=*/*.parquet")))
    assert len(list(lake.table.root.glob("_series/*/*.npy"))) == files
    assert answers(lake, log) == before


def test_a_lake_without_its_series_index_answers_the_same(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log)
    before = answers(lake, log)
    shutil.rmtree(lake.table.root / "_series")
    again = open_lake(lake.table.root.parent, lake.settings)
    assert answers(again, log) == before
    again.close()


def test_other_readers_of_delta_see_the_same_rows(lake: Lake, log: MemoryLog) -> None:
    fill(lake, log)
    upkeep_of(lake).compact()
    table = DeltaTable(lake.table.root)
    assert table.to_pyarrow_table().num_rows == 108
    assert table.schema().to_json()


@pytest.mark.thorough
def test_the_table_lives_through_checkpoints(lake: Lake, log: MemoryLog) -> None:
    sealer = lake.sealer(log, log, FixedClock(T0 + timedelta(days=99)))
    for n in range(105):
        at = T0 + timedelta(minutes=n)
        log.write([{"entity": "urn:a", "attribute": "level", "observed_at": at, "number": 1.0}])
        sealer.seal()
    assert (lake.table.root / "_delta_log" / "_last_checkpoint").exists()
    again = open_lake(lake.table.root.parent, lake.settings)
    assert again.table.sealed_version("dothi-lane-0") == 105
    assert len(answers(again, log)) == 105
    again.close()
