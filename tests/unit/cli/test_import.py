"""`dothi import` from the command line to the stored rows."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dothi.app.http.batches import Batches
from dothi.app.remote_ingest import RemoteIngest
from dothi.cli.entry import dothi
from dothi.intake.tabular.importer import Importer
from dothi.intake.tabular.mapping import Mapping, Value
from dothi.model.problem import Problem, StoreUnavailable
from hub import open_hub
from memory_ports import FixedClock
from serving import serve

TABLE = (
    "time;station;PM2,5\n22/10/2026 07:00;a;12,5\n22/10/2026 08:00;a;x\n22/10/2026 09:00;b;13,5\n"
)
OPTIONS = [
    *("--source", "phong-tnmt", "--type", "AirQualityObserved", "--entity-column", "station"),
    *("--time-column", "time", "--time-format", "%d/%m/%Y %H:%M", "--zone", "Asia/Ho_Chi_Minh"),
    *("--delimiter", ";", "--decimal", ",", "--column", "PM2,5=pm25:GQ"),
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "air.csv"
    path.write_text(TABLE)
    return path


def run(table: Path, *options: str) -> Result:
    data_dir = str(table.parent / "data")
    return CliRunner().invoke(dothi, ["import", str(table), "--data-dir", data_dir, *options])


def test_a_dry_run_stores_nothing(table: Path) -> None:
    result = run(table, *OPTIONS, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "entity=urn:ngsi-ld:AirQualityObserved:a" in result.output
    assert "observed_at=2026-10-22T00:00:00+00:00  number=12.5  unit=GQ" in result.output
    assert "3 read, 2 good, 1 rejected" in result.output
    assert "line 3, column PM2,5" in result.output
    assert not (table.parent / "data").exists()


def test_an_import_and_the_same_again(table: Path) -> None:
    first = run(table, *OPTIONS)
    assert first.exit_code == 0, first.output
    assert "3 read, 2 stored, 0 duplicate, 1 rejected" in first.output
    again = run(table, *OPTIONS)
    assert "3 read, 0 stored, 0 duplicate, 1 rejected" in again.output
    assert "2 had been imported before" in again.output


def test_a_mapping_file_and_an_option_that_changes_it(table: Path) -> None:
    mapping = table.parent / "map.toml"
    mapping.write_text(
        'source = "s"\nentity = "urn:x:1"\ntime_column = "time"\ntime_format = "%d/%m/%Y %H:%M"\n'
        'decimal = ","\ndelimiter = ";"\n[columns."PM2,5"]\nattribute = "pm25"\n'
    )
    result = run(table, "--map", str(mapping), "--zone", "UTC", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "entity=urn:x:1  attribute=pm25  observed_at=2026-10-22T07:00:00+00:00" in result.output


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--column", "pm25"], "NAME=ATTRIBUTE"),
        (["--map", "/nowhere.toml"], "mapping cannot be read"),
        ([], "which source"),
        (["--source", "s", "--origin", "guessed"], "guessed"),
    ],
)
def test_what_does_not_fit_is_explained(table: Path, options: list[str], text: str) -> None:
    result = run(table, *options, "--dry-run")
    assert result.exit_code != 0
    assert text in result.output + str(result.exception)


MAPPING = Mapping(
    source="phong-tnmt",
    time_column="time",
    entity="urn:ngsi-ld:AirQualityObserved:a",
    columns={"pm": Value(attribute="pm25", unit="ug/m3")},
)


async def test_an_import_through_a_running_server(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("time,pm\n2026-01-01T00:00Z,1\n2026-01-01T01:00Z,x\n2099-01-01T01:00Z,2\n")
    clock = FixedClock()
    async with open_hub(tmp_path, clock) as hub:
        async with (
            serve(Batches(hub.intake).endpoints()) as address,
            RemoteIngest(address, "session") as ingest,
        ):
            importer = Importer(ingest, clock)
            first = await importer.run(path, MAPPING)
            again = await importer.run(path, MAPPING)
        assert (first.received, first.stored, first.rejected) == (3, 1, 2)
        assert first.reasons == {"value_not_a_number": 1, "time_in_future": 1}
        assert (again.stored, again.known, again.rejected) == (0, 1, 2)
        (row,) = hub.rows().to_pylist()
        assert (row["number"], row["unit"], row["source"]) == (1.0, "GQ", "phong-tnmt")
        (totals,) = hub.receipts.totals()
        assert (totals.received, totals.stored, totals.rejected) == (3, 1, 2)


async def test_a_server_that_refuses_or_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("time,pm\n2026-01-01T00:00Z,1\n")
    async with serve([]) as address, RemoteIngest(address, "session") as ingest:
        with pytest.raises(Problem, match="404"):
            await Importer(ingest, FixedClock()).run(path, MAPPING)
    async with RemoteIngest("http://127.0.0.1:1", "session") as ingest:
        with pytest.raises(StoreUnavailable):
            await Importer(ingest, FixedClock()).run(path, MAPPING)
