"""Sealing moves every row once, wherever it is interrupted."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dothi.model.problem import Problem
from dothi.model.series import RawQuery, SeriesKey
from dothi.ports.history import NO_HINT, HotHint
from dothi.ports.service import Watched
from dothi.storage.lake.open import Lake, open_lake
from dothi.storage.lake.periodic import PeriodicService
from dothi.storage.lake.sealing import Sealer
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.lake.table import LakeTable
from log_in_memory import Crash, FixedClock, MemoryLog

T0 = datetime(2026, 3, 1, tzinfo=UTC)
KEY = SeriesKey("urn:a", "level")


def values(first: int, count: int) -> list[dict[str, object]]:
    return [
        {
            "entity": "urn:a",
            "attribute": "level",
            "observed_at": T0 + timedelta(minutes=n),
            "number": float(n),
        }
        for n in range(first, first + count)
    ]


def opened(folder: Path, hot_window_s: float = 0, hot_rows: int = 1000) -> Lake:
    settings = LakeSettings(
        hot_window_s=hot_window_s, hot_rows=hot_rows, seal_chunk_rows=10, drop_chunk_rows=3
    )
    return open_lake(folder, settings)


def seen(lake: Lake, log: MemoryLog) -> list[float]:
    numbers: list[float] = lake.history(log).raw(RawQuery((KEY,)))["number"].to_pylist()
    return numbers


def sealer_of(lake: Lake, log: MemoryLog, at: datetime = T0 + timedelta(days=9)) -> Sealer:
    return lake.sealer(log, log, FixedClock(at))


def test_rows_move_in_chunks_and_are_seen_once(tmp_path: Path) -> None:
    lake, log = opened(tmp_path), MemoryLog()
    log.write(values(0, 35))
    assert sealer_of(lake, log).seal() == 35
    assert log.rows.num_rows == 0
    assert log.watermark == 35
    assert lake.table.sealed_version("dothi-lane-0") == 35
    assert seen(lake, log) == [float(n) for n in range(35)]
    assert sealer_of(lake, log).seal() == 0


def test_the_hot_window_stays(tmp_path: Path) -> None:
    lake, log = opened(tmp_path, hot_window_s=600.0), MemoryLog()
    log.write(values(0, 35))
    assert sealer_of(lake, log, T0 + timedelta(minutes=30)).seal() == 20
    assert log.rows.num_rows == 15
    assert seen(lake, log) == [float(n) for n in range(35)]


def test_too_many_hot_rows_move_whatever_their_age(tmp_path: Path) -> None:
    lake, log = opened(tmp_path, hot_window_s=1e6, hot_rows=25), MemoryLog()
    log.write(values(0, 35))
    assert sealer_of(lake, log, T0).seal() == 10
    assert log.rows.num_rows == 25


def test_no_cursor_is_overtaken(tmp_path: Path) -> None:
    lake, log = opened(tmp_path), MemoryLog()
    log.write(values(0, 35))
    log.consumers = {"live": 35, "rules": 12}
    assert sealer_of(lake, log).seal() == 12
    log.advance("rules", 35)
    assert sealer_of(lake, log).seal() == 23


@pytest.mark.parametrize("step", ["write", "commit", "mark_sealed", "drop_sealed"])
def test_a_crash_between_two_steps_is_mended(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, log = opened(tmp_path), MemoryLog()
    log.write(values(0, 35))
    with monkeypatch.context() as patch:
        _break(step, log, patch)
        with pytest.raises(Crash):
            sealer_of(lake, log).seal()
        log.crash_before.clear()
    again = opened(tmp_path)
    assert seen(again, log) == [float(n) for n in range(35)]
    sealer_of(again, log).reconcile()
    assert seen(again, log) == [float(n) for n in range(35)]
    log.write(values(35, 5))
    sealer_of(again, log).seal()
    assert seen(again, log) == [float(n) for n in range(40)]
    assert log.rows.num_rows == 0
    assert _rows_in_lake(again.table) == 40


def _break(step: str, log: MemoryLog, patch: pytest.MonkeyPatch) -> None:
    def crash(*_args: object, **_named: object) -> None:
        raise Crash(step)

    if step == "write":
        patch.setattr("dothi.storage.lake.table.write_day", crash)
    elif step == "commit":
        patch.setattr(LakeTable, "_commit", crash)
    else:
        log.crash_before = {step}


def test_crashes_at_random_steps_never_lose_or_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    log = MemoryLog()
    written = 0
    for _ in range(25):
        log.write(values(written, 7))
        written += 7
        lake = opened(tmp_path)
        with monkeypatch.context() as patch:
            _break(chance.choice(["write", "commit", "mark_sealed", "drop_sealed"]), log, patch)
            with pytest.raises(Crash):
                sealer_of(lake, log).seal()
        log.crash_before.clear()
        assert seen(opened(tmp_path), log) == [float(n) for n in range(written)]
    lake = opened(tmp_path)
    sealer_of(lake, log).seal()
    assert _rows_in_lake(lake.table) == written


def _rows_in_lake(table: LakeTable) -> int:
    return sum(f.rows for f in table.snapshot().files)


def test_a_reader_that_took_the_hot_rows_first_misses_and_doubles_nothing(tmp_path: Path) -> None:
    """Rows sealed between the two halves of a question are taken from the hot half only."""
    lake, log = opened(tmp_path), MemoryLog()
    log.write(values(0, 20))
    sealer = sealer_of(lake, log)
    sealer.seal()
    log.write(values(20, 20))

    class SealsInBetween(MemoryLog):
        def hot(
            self,
            keys: pa.Table | None,
            start_us: int | None,
            end_us: int | None,
            hint: HotHint = NO_HINT,
        ) -> tuple[pa.Table, int, pa.Table]:
            answer = log.hot(keys, start_us, end_us)
            sealer.seal()
            return answer

    assert seen(lake, SealsInBetween()) == [float(n) for n in range(40)]
    assert seen(lake, log) == [float(n) for n in range(40)]


def test_a_lake_older_than_the_log_is_refused(tmp_path: Path) -> None:
    lake, log = opened(tmp_path / "lake"), MemoryLog()
    log.write(values(0, 5))
    sealer_of(lake, log).seal()
    with pytest.raises(Problem, match="put back the folder"):
        sealer_of(opened(tmp_path / "other"), log).seal()


def test_a_seal_that_was_done_is_refused(tmp_path: Path) -> None:
    lake, log = opened(tmp_path), MemoryLog()
    log.write(values(0, 5))
    rows = log.rows
    lake.table.append(rows, "lane", 5, 1000)
    with pytest.raises(ValueError, match="already sealed up to 5"):
        lake.table.append(rows, "lane", 5, 1000)
    assert _rows_in_lake(lake.table) == 5


def test_late_corrections_of_sealed_rows(tmp_path: Path) -> None:
    lake, log = opened(tmp_path), MemoryLog()
    log.write(values(0, 5))
    sealer_of(lake, log).seal()
    log.write([{**values(2, 1)[0], "number": 22.0, "revision": 1}])
    assert seen(lake, log) == [0.0, 1.0, 22.0, 3.0, 4.0]
    sealer_of(lake, log).seal()
    assert seen(lake, log) == [0.0, 1.0, 22.0, 3.0, 4.0]
    log.write([{**values(2, 1)[0], "number": 23.0, "revision": 2}])
    assert seen(lake, log) == [0.0, 1.0, 23.0, 3.0, 4.0]


def test_sealed_keys_are_found_with_their_latest_revision(tmp_path: Path) -> None:
    lake, log = opened(tmp_path), MemoryLog()
    log.write(values(0, 5))
    log.write([{**values(2, 1)[0], "number": 22.0, "revision": 1}])
    sealer_of(lake, log).seal()
    asked = values(2, 1) + values(4, 3) + [{**values(3, 1)[0], "entity": "urn:b"}]
    asked.append({**values(0, 1)[0], "observed_at": None})
    keys = pa.table(
        {
            "entity": [row["entity"] for row in asked],
            "attribute": [row["attribute"] for row in asked],
            "dataset": ["" for _ in asked],
            "observed_at": pa.array(
                [row["observed_at"] for row in asked], pa.timestamp("us", "UTC")
            ),
        }
    )
    found = lake.keys.find_keys(keys).sort_by("observed_at")
    assert found["number"].to_pylist() == [22.0, 4.0]
    assert found["revision"].to_pylist() == [1, 0]
    nothing = keys.set_column(0, "entity", pc.binary_join_element_wise(keys["entity"], "x", "/"))
    assert lake.keys.find_keys(nothing).num_rows == 0
    assert lake.keys.find_keys(keys.slice(0, 0)).num_rows == 0


async def test_the_service_breaks_with_the_round_and_starts_again() -> None:
    rounds: list[int] = []

    def work() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 2:
            raise OSError("disk full")

    service = PeriodicService("sealing", work, 0.001)
    await service.start()
    with pytest.raises(OSError, match="disk full"):
        await asyncio.wait_for(service.wait(), 10)
    await service.stop()
    await service.start()
    while len(rounds) < 4:
        await asyncio.sleep(0.01)
    await service.stop()
    await service.stop()
    assert isinstance(service, Watched)


def test_sealing_counts_itself(tmp_path: Path) -> None:
    lake, log = opened(tmp_path), MemoryLog()
    log.write(values(0, 5))
    sealer = sealer_of(lake, log)
    sealer.seal()
    log.write(values(5, 2))
    figures = {m.name: m.samples[0][1] for m in sealer.measures()}
    assert figures["dothi_sealed_rows_total"] == 5
    assert figures["dothi_hot_rows"] == 2
    assert figures["dothi_lake_rows"] == 5
    assert figures["dothi_lake_files"] == 1


def test_a_log_beyond_its_limit_is_sealed_before_the_time(tmp_path: Path) -> None:
    settings = LakeSettings(hot_window_s=1e9, hot_rows=10, seal_every_s=300)
    lake, log = open_lake(tmp_path / "lake", settings), MemoryLog()
    sealer = lake.sealer(log, log, FixedClock(datetime.now(UTC)))
    log.write(values(0, 10))
    assert sealer.look() == 0
    log.write(values(10, 5))
    assert sealer.look() == 5
    assert sealer.look() == 0
    lake.close()


def test_batches_are_known_for_a_while(tmp_path: Path) -> None:
    lake, log = opened(tmp_path), MemoryLog()
    sealer_of(lake, log, T0).seal()
    assert log.batches_before_us == (T0 - timedelta(days=7)).timestamp() * 1_000_000
