"""`dothi export` on a real data directory, rows in log and lake."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from dothi.app.data_folder import DataFolder
from dothi.app.stores import open_stores
from dothi.cli.entry import dothi
from dothi.model.batch import Batch
from dothi.model.problem import Problem
from dothi.model.row import rows_table
from dothi.pipeline.intake import Intake
from dothi.pipeline.settings import PipelineSettings
from dothi.ports.clock import SystemClock
from dothi.storage.lake.settings import LakeSettings

ENTITY = "urn:ngsi-ld:Gauge:1"
T0 = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """60 water levels: 30 sealed, 30 in the log."""
    folder = DataFolder(tmp_path)
    clock = SystemClock()
    with open_stores(folder, clock, LakeSettings(hot_window_s=-60)) as stores:
        intake = Intake(stores.writer, {}, PipelineSettings())
        await intake.start()
        for first in (0, 30):
            columns: dict[str, object] = {
                "source": "gauge-1",
                "entity": ENTITY,
                "attribute": "waterLevel",
                "observed_at": [T0 + timedelta(minutes=n) for n in range(first, first + 30)],
                "number": [n / 10 for n in range(first, first + 30)],
                "unit": "MTR",
                "quality": 1,
            }
            await intake.submit(Batch(f"b{first}", rows_table(columns), clock.now()))
            if first == 0:
                sealer = stores.lake.sealer(stores.seal_source, stores.cursors, clock)
                assert sealer.seal() == 30
        await intake.stop()
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(dothi, ["export", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_values_as_csv(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "level.csv"
    run(str(file), "--key", f"{ENTITY}|waterLevel", "--data-dir", str(data_dir))
    with file.open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert [float(row["number"]) for row in rows] == [n / 10 for n in range(60)]
    assert {row["unit"] for row in rows} == {"MTR"}
    assert not list(tmp_path.glob(".*part"))


def test_aggregates_of_an_entity_as_parquet(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "level.parquet"
    options = ["--period", "PT30M", "--fn", "avg", "--fn", "count", "--data-dir", str(data_dir)]
    times = ["--start", "2026-03-01T07:00:00+07:00", "--end", "2026-03-01T01:00:00Z"]
    run(str(file), "--entity", ENTITY, *times, *options)
    table = pq.read_table(file)
    assert table["avg [MTR]"].to_pylist() == pytest.approx([1.45, 4.45])
    assert table["count"].to_pylist() == [30, 30]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["x.xls", "--key", f"{ENTITY}|waterLevel"], "csv, parquet"),
        (["x.csv"], "--key"),
        (["x.csv", "--key", "half"], "entity|attribute"),
        (["x.csv", "--key", f"{ENTITY}|waterLevel", "--start", "yesterday"], "2026"),
    ],
)
def test_a_wrong_question_leaves_no_file(
    data_dir: Path, tmp_path: Path, arguments: list[str], remedy: str
) -> None:
    file = tmp_path / "out" / arguments[0]
    file.parent.mkdir()
    with pytest.raises(Problem) as caught:
        run(str(file), *arguments[1:], "--data-dir", str(data_dir))
    assert remedy in str(caught.value)
    assert not list(file.parent.iterdir())
