"""A recorded day out of a file and out of a history, and how it is played."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.drill.recording import Recording, Wanted, record
from dothi.app.drill.replay import ReplayFeed
from dothi.app.drill.timing import Timing
from dothi.app.stores import open_stores
from dothi.intake.tabular.mapping import Mapping
from dothi.model.batch import Batch
from dothi.model.problem import Problem
from dothi.model.row import rows_table
from dothi.model.source import Origin, Source
from dothi.model.zone import ZONE
from dothi.pipeline.intake import Intake
from dothi.pipeline.settings import PipelineSettings
from dothi.ports.clock import SystemClock
from dothi.storage.lake.settings import LakeSettings
from mqtt_peers import RecordingIngest

ENTITY = "urn:ngsi-ld:WaterObserved:1"
MAPPING = msgspec.convert(
    {
        "source": "phu-an",
        "source_name": "Phú An",
        "time_column": "at",
        "zone": "Asia/Ho_Chi_Minh",
        "entity": ENTITY,
        "entity_type": "WaterObserved",
        "quality_column": "flag",
        "columns": {"level": {"attribute": "level", "unit": "MTR"}},
    },
    Mapping,
)
CSV = """at,level,flag
2026-11-20 17:00,1.30,1
2026-11-20 18:00,1.50,1
2026-11-20 17:30,1.40,3
2026-11-20 21:00,1.20,1
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "levels.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def played(path: Path) -> pa.Table:
    return pq.read_table(path)


def test_a_file_of_one_day(table: Path, tmp_path: Path) -> None:
    found = record(Wanted(file=table, mapping=MAPPING), Settings(), tmp_path / "drill")
    assert (found.rows, found.duration_s) == (4, 86_400)
    assert found.begin_at == datetime(2026, 11, 20, tzinfo=ZONE)
    [source] = found.sources
    assert (source.id, source.origin) == ("replay-phu-an", Origin.REPLAYED)
    assert "20/11/2026" in source.origin_note_vi
    assert "20/11/2026" in source.origin_note
    rows = played(found.path)
    assert rows["number"].to_pylist() == [1.3, 1.4, 1.5, 1.2]
    assert set(rows["source"].to_pylist()) == {"replay-phu-an"}
    # What was good is judged by the limits of today; what was doubtful stays so.
    assert rows["quality"].to_pylist() == [0, 3, 0, 0]


def test_some_hours_of_a_parquet_file(table: Path, tmp_path: Path) -> None:
    file = tmp_path / "levels.parquet"
    pq.write_table(pa.csv.read_csv(table), file)
    wanted = Wanted(date(2026, 11, 20), "17:30-21:00", file=file, mapping=MAPPING)
    found = record(wanted, Settings(), tmp_path / "drill")
    assert played(found.path)["number"].to_pylist() == [1.4, 1.5]
    assert found.duration_s == 3.5 * 3600


@pytest.mark.parametrize(
    ("more", "changes", "code"),
    [
        ("2026-11-21 01:00,1.0,1\n", {}, "which_day"),
        ("", {"day": date(2026, 11, 19)}, "nothing_recorded"),
        ("", {"between": "21:00-17:00"}, "bad_between"),
        ("", {"between": "5-7"}, "bad_between"),
    ],
)
def test_what_cannot_be_played(
    table: Path, tmp_path: Path, more: str, changes: dict[str, object], code: str
) -> None:
    table.write_text(CSV + more, encoding="utf-8")
    wanted = Wanted(file=table, mapping=MAPPING, **changes)  # type: ignore[arg-type]
    with pytest.raises(Problem) as problem:
        record(wanted, Settings(), tmp_path / "drill")
    assert problem.value.code == code


async def test_hours_out_of_the_history_sealed_or_not(tmp_path: Path) -> None:
    """Half of it lies in the lake; the server that holds the lock would not be disturbed."""
    folder, clock = DataFolder(tmp_path / "data"), SystemClock()
    folder.create()
    begin = datetime(2026, 11, 20, 17, tzinfo=ZONE)
    with open_stores(folder, clock, LakeSettings(hot_window_s=-60)) as stores:
        stores.sources.put(Source("gauge-1", "Trạm 1", "mqtt"))
        intake = Intake(stores.writer, {}, PipelineSettings())
        await intake.start()
        for first in (0, 90):
            columns: dict[str, object] = {
                "source": "gauge-1",
                "entity": ENTITY,
                "entity_type": "WaterObserved",
                "attribute": "level",
                "observed_at": [begin + timedelta(minutes=first + n) for n in range(90)],
                "number": [float(first + n) for n in range(90)],
                "unit": "MTR",
                "quality": 1,
            }
            await intake.submit(Batch(f"b{first}", rows_table(columns), clock.now()))
            if first == 0:
                stores.lake.sealer(stores.seal_source, stores.cursors, clock).seal()
        await intake.stop()
    wanted = Wanted(date(2026, 11, 20), "17:10-19:30", history=folder)
    found = record(wanted, Settings(), tmp_path / "drill")
    rows = played(found.path)
    assert rows["number"].to_pylist() == [float(n) for n in range(10, 150)]
    assert set(rows["entity_type"].to_pylist()) == {"WaterObserved"}
    assert set(rows["unit"].to_pylist()) == {"MTR"}
    [source] = found.sources
    assert source.name == "Trạm 1 (phát lại)"


async def test_it_is_played_faster_and_dated_anew(table: Path, tmp_path: Path) -> None:
    wanted = Wanted(date(2026, 11, 20), "17:00-18:01", file=table, mapping=MAPPING)
    found = record(wanted, Settings(), tmp_path / "drill")
    began = datetime.now(UTC)
    ingest = await _play(found, Timing(began, 3600), found.duration_s)
    assert [row["number"] for row in ingest.rows] == [1.3, 1.4, 1.5]
    after = [(row["observed_at"] - began).total_seconds() for row in ingest.rows]
    assert after == pytest.approx([0, 0.5, 1.0], abs=1e-3)
    assert len(ingest.batches) >= 2, "what lies in the future was sent"
    assert datetime.now(UTC) - began >= timedelta(seconds=1)


async def test_it_ends_with_its_scenario(table: Path, tmp_path: Path) -> None:
    found = record(Wanted(file=table, mapping=MAPPING), Settings(), tmp_path / "drill")
    ingest = await _play(found, Timing(datetime.now(UTC), 1_000_000), 17.6 * 3600)
    assert [row["number"] for row in ingest.rows] == [1.3, 1.4]


async def _play(found: Recording, timing: Timing, duration_s: float) -> RecordingIngest:
    ingest = RecordingIngest()
    await ReplayFeed(found, ingest, timing).run(duration_s)
    return ingest
