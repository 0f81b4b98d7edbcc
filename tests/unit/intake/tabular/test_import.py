"""CSV and Parquet to stored rows: layouts, bad cells, resuming, hostile files."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dothi.intake.tabular import importer as importing
from dothi.intake.tabular.importer import Importer, ImportReport
from dothi.intake.tabular.mapping import Mapping, Value
from dothi.intake.tabular.preview import preview
from dothi.model.problem import Overloaded, Problem, StoreUnavailable
from hub import open_hub
from memory_ports import FixedClock, KeptBatches

DATA = Path(__file__).parents[3] / "data" / "import"
CLOCK = FixedClock()
WIDE = Mapping(
    source="station-a",
    time_column="time",
    entity="urn:ngsi-ld:AirQualityObserved:a",
    entity_type="AirQualityObserved",
    columns={
        "pm": Value(attribute="pm25", unit="GQ"),
        "note": Value(attribute="note", kind="text"),
    },
)
LONG = Mapping(
    source="ea",
    layout="long",
    time_column="dateTime",
    entity_column="stationReference",
    entity_type="WaterObserved",
    attribute_column="parameter",
    value_column="value",
    columns={"level": Value(attribute="waterLevel", unit="MTR")},
)
HANOI = Mapping(
    source="hanoi",
    time_column="Date (LT)",
    time_format="%Y-%m-%d %I:%M %p",
    zone="Asia/Ho_Chi_Minh",
    entity="urn:ngsi-ld:AirQualityObserved:hanoi",
    entity_type="AirQualityObserved",
    columns={"Raw Conc.": Value(attribute="pm25", unit="GQ")},
    quality_column="QC Name",
    quality={"Valid": 1, "Invalid": 4, "Missing": 9},
    missing=("-999.0",),
)


def csv(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


async def run(path: Path, mapping: Mapping, ingest: KeptBatches | None = None) -> KeptBatches:
    ingest = ingest or KeptBatches()
    await Importer(ingest, CLOCK).run(path, mapping)
    return ingest


async def test_a_wide_table(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "time,pm,note,other\n2026-01-01T00:00Z,12.5,clear,x\n2026-01-01T01:00Z,, ,x\n"
        "2026-01-01T02:00Z,13,fog,x\n",
    )
    got = await run(path, WIDE)
    found = [(r["attribute"], r["number"], r["text"], r["unit"]) for r in got.rows]
    assert found == [
        ("pm25", 12.5, None, "GQ"),
        ("pm25", 13.0, None, "GQ"),
        ("note", None, "clear", None),
        ("note", None, "fog", None),
    ]
    assert got.rejected == []
    assert got.rows[0]["entity_type"] == "AirQualityObserved"


async def test_the_uk_rivers_with_their_malformed_values() -> None:
    got = await run(DATA / "ea_levels_2021-05-07_part.csv", LONG)
    assert got.reasons == {"value_not_a_number": 3}
    assert [r.sample for r in got.rejected] == ["0.260|0.267", "0.201|0.109", "0.209|0.200"]
    assert "line 2, column value" in got.rejected[0].detail
    assert {r["attribute"] for r in got.rows} == {"waterLevel"}
    assert got.rows[0]["entity"] == "urn:ngsi-ld:WaterObserved:4033"


async def test_hanoi_pm25_with_its_quality_labels() -> None:
    got = await run(DATA / "hanoi_pm25_2016_part.csv", HANOI)
    first = got.rows[0]
    assert (first["number"], first["quality"]) == (94.7, 1)
    assert first["observed_at"] == datetime(2015, 12, 31, 18, 0, tzinfo=UTC)
    assert got.rejected == []
    assert len(got.rows) < 59


async def test_bad_cells_are_refused_one_by_one_with_line_and_column(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        b"time,pm,note\n2026-01-01T00:00Z,abc,ok\nyesterday,1,ok\n,2,ok\n"
        b"2026-01-01T03:00Z,NaN,\xff\xfe\n2026-01-01T04:00Z,inf,ok\n2026-01-01T05:00Z,7,last\n",
    )
    got = await run(path, WIDE)
    assert got.reasons == {
        "time_missing": 1,
        "time_invalid": 1,
        "value_not_a_number": 2,
        "utf8_invalid": 1,
    }
    assert {r.detail.split(":")[0] for r in got.rejected} == {
        "line 2, column pm",
        "line 3, column time",
        "line 4, column time",
        "line 5, column note",
        "line 6, column pm",
    }
    assert [r["number"] or r["text"] for r in got.rows] == [7.0, "ok", "ok", "last"]


async def test_rows_that_do_not_fit_the_header_keep_the_lines_of_the_others(tmp_path: Path) -> None:
    lines = ["time,pm,note"]
    for n in range(100):
        lines.append("short" if n % 10 == 3 else f"2026-01-01T00:00:{n % 60:02}Z,bad{n},x")
    got = await run(csv(tmp_path, "\n".join(lines)), WIDE)
    assert got.reasons == {"field_count": 10, "value_not_a_number": 90}
    assert [r.row for r in got.rejected if r.reason == "field_count"] == list(range(3, 100, 10))
    for rejection in got.rejected:
        if rejection.reason == "value_not_a_number" and rejection.sample:
            assert rejection.sample == f"bad{rejection.row}"


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("\ufefftime;pm;note\r\n2026-01-01T00:00Z;7,5;x\r\n", {"delimiter": ";", "decimal": ","}),
        ("time\tpm\tnote\n2026-01-01T00:00Z\t 7.5 \tx", {"delimiter": "\t"}),
        ('time,pm,note\n2026-01-01T00:00Z,"7.5","a ""b"", c"\n', {}),
        ("note,pm,time\nx,7.5,2026-01-01T00:00Z\n", {}),
    ],
)
async def test_dialects(tmp_path: Path, text: str, mapping: dict[str, str]) -> None:
    chosen = Mapping(**{f: getattr(WIDE, f) for f in WIDE.__struct_fields__} | mapping)
    got = await run(csv(tmp_path, text), chosen)
    assert got.rows[0]["number"] == 7.5
    assert len(got.rows) == 2


async def test_another_encoding(tmp_path: Path) -> None:
    text = "time,pm,note\n2026-01-01T00:00Z,1,Bến Cát\n"
    chosen = Mapping(
        **{f: getattr(WIDE, f) for f in WIDE.__struct_fields__} | {"encoding": "utf-16"}
    )
    got = await run(csv(tmp_path, text.encode("utf-16")), chosen)
    assert got.rows[1]["text"] == "Bến Cát"


async def test_parquet_with_its_own_types(tmp_path: Path) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    table = pa.table(
        {
            "time": pa.array([at, at.replace(hour=1), None], pa.timestamp("ms", tz="Asia/Tokyo")),
            "pm": pa.array([1, 2, 3], pa.int32()),
            "note": pa.array(["a", None, "c"]).dictionary_encode(),
        }
    )
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    got = await run(path, WIDE)
    assert [(r["attribute"], r["number"]) for r in got.rows] == [
        ("pm25", 1.0),
        ("pm25", 2.0),
        ("note", None),
    ]
    assert got.reasons == {"time_missing": 1}


async def test_naive_parquet_times_need_a_zone(tmp_path: Path) -> None:
    at = datetime(2026, 1, 1)  # noqa: DTZ001
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"time": [at], "pm": [1.0], "note": ["x"]}), path)
    with pytest.raises(Problem, match="carry no zone"):
        await run(path, WIDE)


async def test_the_same_file_again_stores_nothing_twice(tmp_path: Path) -> None:
    path = csv(tmp_path, "time,pm,note\n2026-01-01T00:00Z,1,x\nbad,1,x\n")
    async with open_hub(tmp_path, CLOCK) as hub:
        first = await Importer(hub.intake, CLOCK).run(path, WIDE)
        again = await Importer(hub.intake, CLOCK).run(path, WIDE)
        assert (first.stored, first.rejected, first.known) == (2, 1, 0)
        assert (again.stored, again.known) == (0, 2)
        assert hub.rows().num_rows == 2
        (totals,) = hub.receipts.totals()
        assert (totals.received, totals.stored, totals.rejected) == (3, 2, 1)


async def test_an_import_that_broke_off_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "ROWS_PER_BATCH", 20)
    times = [f"2026-01-01T{n // 60:02}:{n % 60:02}Z,{n},x" for n in range(100)]
    path = csv(tmp_path, "\n".join(["time,pm,note", *times]))
    ingest = KeptBatches()
    kept = ingest.submit

    async def failing(batch: object) -> object:
        if len(ingest.batches) == 4:
            raise StoreUnavailable("disk full")
        return await kept(batch)  # type: ignore[arg-type]

    ingest.submit = failing  # type: ignore[method-assign, assignment]
    with pytest.raises(StoreUnavailable):
        await run(path, WIDE, ingest)
    ingest.submit = kept  # type: ignore[method-assign]
    report = await Importer(ingest, CLOCK).run(path, WIDE)
    assert report.received == 200
    assert len(ingest.batches) == 10
    assert all(len(values) == 1 for values in ingest.revisions.values())
    assert len(ingest.revisions) == 200


async def test_progress_and_a_busy_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "ROWS_PER_BATCH", 20)
    path = csv(tmp_path, "time,pm,note\n" + "2026-01-01T00:00Z,1,x\n" * 100)
    seen: list[tuple[int, int, bool]] = []

    def note(report: ImportReport) -> None:
        seen.append((report.received, report.read_bytes, report.eta_s is not None))

    ingest = KeptBatches(errors=[Overloaded(0.01)])
    await Importer(ingest, CLOCK).run(path, WIDE, note)
    assert [received for received, _, _ in seen] == list(range(20, 201, 20))
    assert seen[-1][1] == path.stat().st_size
    assert seen[-1][2]


def test_a_dry_run_shows_rows_and_all_problems(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "time,pm,note\n2026-01-01T00:00Z,1,x\nbad,1,x\n2099-01-01T00:00Z,1,\n"
        "2026-01-01T02:00Z,2,y\n",
    )
    found = preview(path, WIDE, CLOCK, {}, rows=3)
    assert found.first.num_rows == 3
    assert found.first["quality"].to_pylist() == [1, 1, 1]
    assert found.report.reasons == {"time_invalid": 1, "time_in_future": 1}
    assert (found.report.stored, found.report.rejected) == (4, 2)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "t.csv", "file_malformed"),
        (b"PAR1 nonsense", "t.parquet", "file_malformed"),
        (b"time,pm\n", "t.csv", "columns_missing"),
        (b"time,time,pm,note\n", "t.csv", "columns_missing"),
        (b"time,pm,note\n" + b"9" * 9_000_000, "t.csv", "line_too_long"),
        (gzip.compress(b"time,pm,note\n1,2,3\n")[:-9], "t.csv.gz", "file_malformed"),
        (b"no gzip", "t.csv.gz", "file_malformed"),
    ],
    ids=["empty", "parquet", "columns", "twice", "long line", "cut gzip", "no gzip"],
)
async def test_files_that_are_no_tables(
    tmp_path: Path, content: bytes, name: str, code: str
) -> None:
    with pytest.raises(Problem) as caught:
        await run(csv(tmp_path, content, name), WIDE)
    assert caught.value.code == code


async def test_a_zip_bomb_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    line = b"2026-01-01T00:00Z,1,x\n" * 50_000
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b"time,pm,note\n")
        for _ in range(120):
            file.write(b"\n" * len(line))
    with pytest.raises(Problem) as caught:
        await run(path, WIDE)
    assert caught.value.code == "encoding_bomb"


async def test_a_compressed_table(tmp_path: Path) -> None:
    packed = gzip.compress(b"time,pm,note\n2026-01-01T00:00Z,1,x\n")
    assert len((await run(csv(tmp_path, packed, "t.csv.gz"), WIDE)).rows) == 2


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be opened"):
        await run(tmp_path / "none.csv", WIDE)


@pytest.mark.parametrize(
    "changes",
    [
        {"source": ""},
        {"time_column": ""},
        {"entity": ""},
        {"entity_column": "x"},
        {"columns": {}},
        {"layout": "long"},
        {"decimal": ","},
    ],
)
async def test_a_mapping_that_contradicts_itself(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    chosen = Mapping(**{f: getattr(WIDE, f) for f in WIDE.__struct_fields__} | changes)
    with pytest.raises(Problem) as caught:
        await run(csv(tmp_path, "a\n"), chosen)
    assert caught.value.code == "mapping_invalid"
