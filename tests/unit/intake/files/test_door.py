"""The watched folder from the file on disk to the stored batch."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dothi.intake.files.door import FilesDoor, Ports
from dothi.intake.files.settings import FilesSettings, StationSettings
from dothi.model.problem import Overloaded, Problem, StoreUnavailable
from dothi.ports.files import SeenFile
from memory_ports import FixedClock, KeptBatches, KeptFilesSeen, KeptSources

NOW = datetime(2025, 1, 2, 0, 0, tzinfo=UTC)
AT = datetime(2025, 1, 1, 3, 30, tzinfo=UTC)
DAY = "NUO001/2025/01/01"


def line(value: str = "35.6", time: str = "20250101103000", status: str = "00") -> str:
    return f"COD\t{value}\tmg/L\t{time}\t{status}\n"


def name(stamp: str = "20250101103000", key: str = "BD_KCNA_NUO001") -> str:
    return f"{key}_{stamp}.txt"


@dataclass
class Bench:
    folder: Path
    ingest: KeptBatches
    seen: KeptFilesSeen
    sources: KeptSources
    clock: FixedClock

    def put(self, path: str, content: str | bytes) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    async def door(self, **settings: object) -> FilesDoor:
        """A door that is set up, and looks only when it is told to."""
        given = FilesSettings(folder=str(self.folder), stable_s=0, poll_s=3600, **settings)  # type: ignore[arg-type]
        door = FilesDoor(given, Ports(self.ingest, self.seen, self.sources, self.clock))
        await door.start()
        await door.stop()
        door._stopping.clear()
        return door

    def values(self, attribute: str = "cod") -> list[float | None]:
        return [row["number"] for row in self.ingest.rows if row["attribute"] == attribute]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, KeptBatches(), KeptFilesSeen(), KeptSources(), FixedClock(NOW))


async def test_a_file_is_read_once_and_stays_where_it_is(bench: Bench) -> None:
    door = await bench.door()
    path = bench.put(f"{DAY}/{name()}", line())
    await door.look()
    await door.look()
    assert bench.values() == [35.6]
    assert path.exists()
    assert (door.report.files, door.report.lines, door.report.waiting) == (1, 1, 0)
    record = bench.seen.kept[f"{DAY}/{name()}"]
    assert (record.lines, record.rejected) == (1, 0)
    source = bench.sources.kept["BD_KCNA_NUO001"]
    assert (source.kind, source.cadence_s) == ("file", 300)


async def test_a_restart_reads_nothing_again(bench: Bench) -> None:
    bench.put(f"{DAY}/{name()}", line())
    await (await bench.door()).look()
    again = await bench.door()
    await again.look()
    assert len(bench.ingest.batches) == 1
    assert again.report.files == 0


async def test_duplicate_file_under_another_name_is_harmless(bench: Bench) -> None:
    door = await bench.door()
    bench.put(f"{DAY}/{name()}", line())
    await door.look()
    bench.put(f"{DAY}/{name('20250101103001')}", line())
    await door.look()
    assert list(bench.ingest.revisions.values()) == [[(35.6, None, None)]]


async def test_late_file_in_an_old_folder_comes_with_the_full_scan(bench: Bench) -> None:
    door = await bench.door(full_scan_s=0)
    bench.put(f"NUO001/2024/11/30/{name('20241130103000')}", line(time="20241130103000"))
    await door.look()
    assert bench.ingest.rows[0]["observed_at"] == datetime(2024, 11, 30, 3, 30, tzinfo=UTC)


async def test_files_out_of_order_are_taken_in_the_order_of_their_names(bench: Bench) -> None:
    door = await bench.door()
    for stamp, value in (("20250101104000", "3"), ("20250101103000", "1"), ("20250101103500", "2")):
        bench.put(f"x/{name(stamp)}", line(value, stamp))
    await door.look()
    assert bench.values() == [1, 2, 3]


async def test_time_in_name_and_time_in_line_differ_the_line_counts(bench: Bench) -> None:
    door = await bench.door()
    bench.put(name("20250101235959"), line(time="20241231070000"))
    await door.look()
    assert bench.ingest.rows[0]["observed_at"] == datetime(2024, 12, 31, tzinfo=UTC)
    assert bench.ingest.rejected == []


async def test_same_key_again_with_a_changed_value_keeps_both_and_the_last_wins(
    bench: Bench,
) -> None:
    door = await bench.door()
    bench.put(name("20250101103000"), line("35.6"))
    bench.put(name("20250101104500"), line("30.1"))
    await door.look()
    (values,) = bench.ingest.revisions.values()
    assert [number for number, _, _ in values] == [35.6, 30.1]


async def test_a_file_written_again_with_a_changed_value(bench: Bench) -> None:
    door = await bench.door()
    bench.put(name(), line("35.6"))
    await door.look()
    bench.put(name(), line("5.60"))
    await door.look()
    bench.put(name(), line("30.15"))
    await door.look()
    (values,) = bench.ingest.revisions.values()
    assert [number for number, _, _ in values] == [35.6, 5.6, 30.15]


async def test_partial_upload_waits_for_a_stable_size_or_the_rename(bench: Bench) -> None:
    door = await bench.door()
    door._settling.stable_s = 0.05
    bench.put(f"{name()}.part", line()[:9])
    path = bench.put(name("20250101110000"), line()[:9])
    await door.look()
    path.write_text(line())
    await asyncio.sleep(0.06)
    await door.look()
    assert bench.ingest.batches == []
    (bench.folder / f"{name()}.part").unlink()
    bench.put(name(), line(time="20250101104000"))
    for _ in range(3):
        await asyncio.sleep(0.06)
        await door.look()
    assert bench.values() == [35.6, 35.6]
    assert bench.ingest.rejected == []


async def test_5_minute_and_1_hour_files_mixed(bench: Bench) -> None:
    """An hourly logger of the same station has its own key and gets a dataset of its own."""
    hourly = StationSettings(
        entity="urn:ngsi-ld:WaterQualityObserved:BD_KCNA_NUO001",
        type="WaterQualityObserved",
        dataset="urn:ngsi-ld:Dataset:PT1H",
    )
    door = await bench.door(stations={"BD_KCNA_NUO001H": hourly})
    for minute in range(0, 60, 5):
        stamp = f"2025010110{minute:02}00"
        bench.put(name(stamp), line(str(minute), stamp))
    bench.put(name("20250101100000", "BD_KCNA_NUO001H"), line("27.5", "20250101100000"))
    await door.look()
    assert len(bench.ingest.revisions) == 13
    assert all(len(values) == 1 for values in bench.ingest.revisions.values())
    assert {row["entity"] for row in bench.ingest.rows} == {hourly.entity}


async def test_an_unreadable_file_goes_to_rejected_with_its_reason(bench: Bench) -> None:
    door = await bench.door()
    bench.put("x/readme.txt", "hello")
    bench.put(f"x/{name()}", b"COD\t35.6\tmg/m\xb3\t20250101103000\t00")
    bench.put(f"x/{name('20250101104000')}", line(time="20250101104000"))
    await door.look()
    assert bench.ingest.reasons == {"file_name_invalid": 1, "utf8_invalid": 1}
    sources = {r.reason: r.source for r in bench.ingest.rejected}
    assert sources == {"file_name_invalid": "circular-10-files", "utf8_invalid": "BD_KCNA_NUO001"}
    assert bench.values() == [35.6]
    aside = sorted(p.name for p in (bench.folder / "rejected" / "x").iterdir())
    assert aside == [name(), f"{name()}.reason.txt", "readme.txt", "readme.txt.reason.txt"]
    assert door.report.rejected_files == 2


async def test_a_file_name_that_is_no_utf8(bench: Bench) -> None:
    door = await bench.door()
    (bench.folder / "b\udcf4.txt").write_text("x")
    await door.look()
    assert bench.ingest.reasons == {"file_name_invalid": 1}
    assert bench.ingest.rejected[0].detail.startswith("b?.txt: ")


async def test_a_file_of_100_megabytes(bench: Bench) -> None:
    door = await bench.door()
    with bench.put(name(), b"").open("wb") as file:
        file.truncate(100_000_000)
    await door.look()
    assert bench.ingest.reasons == {"file_too_large": 1}


async def test_thousands_of_files_are_handled_in_batches(bench: Bench) -> None:
    door = await bench.door(files_per_batch=500)
    for number in range(2_000):
        stamp = f"202501011{number // 360:01}{number // 6 % 60:02}{number % 6 * 10:02}"
        bench.put(f"{DAY}/{name(stamp, f'BD_A_NUO{number}')}", line(time=stamp))
    await door.look()
    assert len(bench.ingest.batches) == 4
    assert sum(batch.rows.num_rows for batch in bench.ingest.batches) == 2_000


async def test_a_busy_store_is_waited_for(bench: Bench) -> None:
    door = await bench.door()
    bench.put(name(), line())
    bench.ingest.errors = [Overloaded(0.01), Overloaded(0.01)]
    await door.look()
    assert bench.values() == [35.6]


async def test_a_store_that_is_gone_leaves_the_files_waiting(bench: Bench) -> None:
    door = await bench.door()
    bench.put(name(), line())
    bench.put("bad.txt", line())
    bench.ingest.errors = [StoreUnavailable("disk full")]
    with pytest.raises(StoreUnavailable):
        await door.look()
    assert bench.seen.kept == {}
    assert (bench.folder / "bad.txt").exists()
    await door.look()
    assert bench.values() == [35.6]
    assert not (bench.folder / "bad.txt").exists()


async def test_a_crash_between_storing_and_remembering_doubles_nothing(bench: Bench) -> None:
    door = await bench.door()
    bench.put(name(), line() + "X\t1\t-\t20250101103000\t00\n")
    kept, bench.seen.record = bench.seen.record, _fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="power cut"):
        await door.look()
    bench.seen.record = kept  # type: ignore[method-assign]
    await (await bench.door()).look()
    assert len(bench.ingest.batches) == 1
    assert bench.ingest.reasons == {"symbol_unknown": 1}


def _fail(_files: list[SeenFile]) -> None:
    raise OSError("power cut")


async def test_names_and_places_of_configured_stations_are_stored_once(bench: Bench) -> None:
    station = StationSettings(name="Trạm KCN A", lon=106.65, lat=10.98)
    for _ in range(2):
        await bench.door(stations={"BD_KCNA_NUO001": station})
    found = {row["attribute"]: row["text"] or row["body"] for row in bench.ingest.rows}
    assert found == {
        "name": "Trạm KCN A",
        "location": '{"type":"Point","coordinates":[106.65,10.98]}',
    }
    assert bench.sources.kept["BD_KCNA_NUO001"].name == "Trạm KCN A"


async def test_the_service_runs_by_itself_and_stops(bench: Bench) -> None:
    settings = FilesSettings(folder=str(bench.folder), poll_s=0.02, stable_s=0.02)
    door = FilesDoor(settings, Ports(bench.ingest, bench.seen, bench.sources, bench.clock))
    await door.start()
    bench.put(f"{DAY}/{name()}", line())
    async with asyncio.timeout(20):
        while not bench.ingest.batches:
            await asyncio.sleep(0.01)
    await door.stop()
    await door.stop()
    await door.wait()
    assert bench.values() == [35.6]


async def test_a_folder_that_vanishes_is_shown_and_waited_for(bench: Bench, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    settings = FilesSettings(folder=str(inbox), poll_s=0.02, stable_s=0)
    door = FilesDoor(settings, Ports(bench.ingest, bench.seen, bench.sources, bench.clock))
    await door.start()
    inbox.rmdir()
    async with asyncio.timeout(20):
        while not door.report.error:
            await asyncio.sleep(0.01)
        inbox.mkdir()
        (inbox / name()).write_text(line())
        while not bench.ingest.batches or door.report.error:
            await asyncio.sleep(0.01)
    await door.stop()


async def test_a_missing_folder_is_a_problem_at_the_start(bench: Bench, tmp_path: Path) -> None:
    settings = FilesSettings(folder=str(tmp_path / "nowhere"))
    door = FilesDoor(settings, Ports(bench.ingest, bench.seen, bench.sources, bench.clock))
    with pytest.raises(Problem, match="create or mount it"):
        await door.start()
