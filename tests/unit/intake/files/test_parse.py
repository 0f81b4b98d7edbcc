"""Lines of station files: every case of the circular's practice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.intake.files.parse import Delivery, Limits, Parsed, parse
from dothi.intake.files.settings import FilesSettings, SymbolSettings
from dothi.intake.files.station import station_of
from dothi.intake.files.symbols import symbol_table
from dothi.model.quality import Quality
from dothi.model.row import ROW_SCHEMA

NOW = datetime(2025, 1, 1, 4, 0, tzinfo=UTC)
"""11:00 on the clocks of Vietnam."""
FIRST = datetime(1990, 1, 1, tzinfo=UTC)
SYMBOLS = symbol_table({})
LIMITS = Limits(SYMBOLS, NOW + timedelta(minutes=5))
SAMPLE = (
    "pH\t7.21\t-\t20250101103000\t00\n"
    "COD\t35.6\tmg/L\t20250101103000\t00\n"
    "TSS\t18.2\tmg/L\t20250101103000\t01\n"
    "Flow\t41.7\tm3/h\t20250101103000\t02\n"
)


def delivery(text: str, key: str = "BD_KCNA_NUO001") -> Delivery:
    return Delivery(f"{key}.txt", station_of(key, FilesSettings()), text)


def parsed(text: str) -> Parsed:
    return parse([delivery(text)], LIMITS)


def rows(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parsed(text).rows.to_pylist()
    return found


def only_reason(text: str) -> str:
    result = parsed(text)
    assert result.rows.num_rows == 0
    (rejection,) = result.rejected
    assert "line 1" in rejection.detail
    assert rejection.sample == text.strip("\n")
    return rejection.reason


def test_the_sample_of_the_circular() -> None:
    found = parsed(SAMPLE)
    assert found.rows.schema == ROW_SCHEMA
    assert (found.accepted, found.refused, found.rejected) == ((4,), (0,), ())
    ph, cod, tss, flow = found.rows.to_pylist()
    assert ph["entity"] == "urn:ngsi-ld:WaterQualityObserved:BD_KCNA_NUO001"
    assert ph["entity_type"] == "WaterQualityObserved"
    assert ph["source"] == "BD_KCNA_NUO001"
    assert (ph["attribute"], ph["number"], ph["unit"]) == ("pH", 7.21, "C62")
    assert ph["observed_at"] == datetime(2025, 1, 1, 3, 30, tzinfo=UTC)
    assert (cod["attribute"], cod["unit"]) == ("cod", "M1")
    assert (flow["attribute"], flow["unit"]) == ("flow", "MQH")
    assert tss["number"] == 18.2


@pytest.mark.parametrize(
    ("status", "quality", "reason"),
    [
        ("00", 0, None),
        ("01", Quality.BAD, "calibrating"),
        ("02", Quality.BAD, "fault"),
        ("03", Quality.BAD, "maintenance"),
    ],
)
def test_status_becomes_quality_with_its_reason(
    status: str, quality: int, reason: str | None
) -> None:
    (row,) = rows(f"COD\t35.6\tmg/L\t20250101103000\t{status}")
    assert row["quality"] == quality
    assert row["number"] == 35.6
    if reason is None:
        assert row["body"] is None
    else:
        assert row["body"] == (
            f'{{"status":{{"type":"Property","value":"{reason}"}},'
            f'"statusCode":{{"type":"Property","value":"{status}"}}}}'
        )


def test_empty_value_is_a_missing_observation() -> None:
    plain, faulty = rows("COD\t\tmg/L\t20250101103000\t00\nTSS\t \tmg/L\t20250101103000\t02")
    assert (plain["number"], plain["quality"], plain["body"]) == (None, Quality.MISSING, None)
    assert (faulty["number"], faulty["quality"]) == (None, Quality.MISSING)
    assert '"fault"' in faulty["body"]


def test_unknown_symbol() -> None:
    assert only_reason("XYZ\t1\tmg/L\t20250101103000\t00") == "symbol_unknown"


def test_a_symbol_can_be_added_by_configuration() -> None:
    extra = {"DO": SymbolSettings(attribute="dissolvedOxygen", units=("mg/L",))}
    limits = Limits(symbol_table(extra), NOW)
    found = parse([delivery("DO\t5,2\tmg/l\t20250101103000\t00")], limits)
    assert found.rows["attribute"].to_pylist() == ["dissolvedOxygen"]


def test_a_symbol_of_an_unknown_unit_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="furlong"):
        symbol_table({"DO": SymbolSettings(attribute="x", units=("furlong",))})


@pytest.mark.parametrize("unit", ["m3/h", "Cel", "furlong"])
def test_unit_mismatch(unit: str) -> None:
    assert only_reason(f"COD\t1\t{unit}\t20250101103000\t00") == "unit_mismatch"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("COD\t1\tmg/l", "M1"),
        ("COD\t1\t-", "M1"),
        ("SO2\t1\tmg/Nm3", "GP"),
        ("SO2\t1\tµg/Nm3", "GQ"),
        ("CO\t1\tppm", "59"),
        ("Temp\t1\toC", "CEL"),
        ("Color\t1\tPt-Co", "PTCO"),
        ("Flow\t1\tm3/day", "G52"),
    ],
)
def test_spellings_of_units(line: str, code: str) -> None:
    assert rows(f"{line}\t20250101103000\t00")[0]["unit"] == code


@pytest.mark.parametrize("symbol", ["PM2,5", "PM2.5", "PM25", "pm2.5", " PM2,5 "])
def test_pm25_in_all_its_spellings(symbol: str) -> None:
    assert rows(f"{symbol}\t30\tug/m3\t20250101103000\t00")[0]["attribute"] == "pm25"


@pytest.mark.parametrize("key", ["BD_KCNA_KHI002", "TV_DH_KHI1"])
def test_air_stations(key: str) -> None:
    (row,) = parse([delivery("PM10\t1\tug/m3\t20250101103000\t00", key)], LIMITS).rows.to_pylist()
    assert row["entity"] == f"urn:ngsi-ld:AirQualityObserved:{key}"


@pytest.mark.parametrize(
    "text",
    [
        SAMPLE,
        SAMPLE.replace("\n", "\r\n"),
        SAMPLE.replace("\n", "\r"),
        SAMPLE.rstrip("\n"),
        "\n\n" + SAMPLE + " \n\n",
        SAMPLE.replace("\t", " \t  "),
        SAMPLE.replace("7.21", "7,21").replace("35.6", "35,6").replace("18.2", "18,2"),
    ],
    ids=["lf", "crlf", "cr", "no final newline", "blank lines", "spaces", "decimal comma"],
)
def test_forms_that_mean_the_same(text: str) -> None:
    wanted = [r["number"] for r in rows(SAMPLE)]
    assert [r["number"] for r in rows(text)] == wanted


@pytest.mark.parametrize(
    "value", ["NaN", "inf", "-Infinity", "1e999", "1.234,5", "1,2,3", "0.260|0.267", "0x10", "--"]
)
def test_values_that_are_no_numbers(value: str) -> None:
    assert only_reason(f"COD\t{value}\tmg/L\t20250101103000\t00") == "value_not_a_number"


@pytest.mark.parametrize(
    "time",
    ["20250231103000", "20250101250000", "2025010110300", "2025-01-01 10:30", "", "00000101000000"],
)
def test_times_that_are_none(time: str) -> None:
    assert only_reason(f"COD\t1\tmg/L\t{time}\t00") == "time_invalid"


@pytest.mark.parametrize("time", ["20250101110501", "20260101103000", "99991231235959"])
def test_future_time(time: str) -> None:
    assert only_reason(f"COD\t1\tmg/L\t{time}\t00") == "time_in_future"


def test_a_clock_that_is_a_little_ahead_is_no_future() -> None:
    assert len(rows("COD\t1\tmg/L\t20250101110459\t00")) == 1


@pytest.mark.parametrize("status", ["04", "0", "", "OK"])
def test_unknown_status(status: str) -> None:
    assert only_reason(f"COD\t1\tmg/L\t20250101103000\t{status}") == "status_unknown"


@pytest.mark.parametrize("line", ["COD", "COD\t1\tmg/L\t20250101103000", "a\tb\tc\td\te\tf"])
def test_a_line_cut_off_or_of_another_form(line: str) -> None:
    assert only_reason(line) == "field_count"


def test_a_bad_line_does_not_disturb_the_others() -> None:
    found = parsed(SAMPLE + "COD\tx\tmg/L\t20250101103000\t00\nTSS\t1\tmg/L\t20250101104000\t00\n")
    assert found.rows.num_rows == 5
    assert (found.accepted, found.refused) == ((5,), (1,))
    assert "line 5" in found.rejected[0].detail


def test_many_bad_lines_are_counted_exactly_and_described_a_few_times() -> None:
    found = parsed("XYZ\t1\tmg/L\t20250101103000\t00\n" * 1_000)
    assert sum(r.count for r in found.rejected) == 1_000
    assert len(found.rejected) == 21


def test_a_line_of_enormous_length() -> None:
    found = parsed("COD\t" + "9" * 100_000 + "\tmg/L\t20250101103000\t00")
    assert [r.reason for r in found.rejected] == ["line_too_long"]
    assert len(found.rejected[0].sample) == 300


def test_late_and_out_of_order_lines_keep_their_own_time() -> None:
    found = rows(
        "COD\t3\tmg/L\t20250101103000\t00\n"
        "COD\t1\tmg/L\t20241224080000\t00\n"
        "COD\t2\tmg/L\t20250101102500\t00\n"
    )
    assert [r["observed_at"].isoformat() for r in found] == [
        "2025-01-01T03:30:00+00:00",
        "2024-12-24T01:00:00+00:00",
        "2025-01-01T03:25:00+00:00",
    ]


def test_files_of_several_stations_keep_apart() -> None:
    found = parse(
        [delivery(SAMPLE), delivery("PM10\t1\tug/m3\tbad\t00", "BD_X_KHI1"), delivery("")], LIMITS
    )
    assert (found.accepted, found.refused) == ((4, 0, 0), (0, 1, 0))
    assert found.rejected[0].source == "BD_X_KHI1"


def test_nothing_at_all() -> None:
    assert parse([], LIMITS).rows.schema == ROW_SCHEMA


FIELD = st.one_of(
    st.sampled_from(
        ["pH", "COD", "PM2,5", "7.21", "7,2", "", "-", "mg/L", "20250101103000", "00", "NaN"]
    ),
    st.text(max_size=20),
)


@given(st.lists(st.lists(FIELD, max_size=7).map("\t".join), max_size=20))
def test_every_line_is_either_a_row_or_a_rejection(lines: list[str]) -> None:
    text = "\n".join(lines)
    plain = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    filled = sum(1 for line in plain if line and not line.isspace())
    found = parsed(text)
    assert found.rows.num_rows + sum(r.count for r in found.rejected) == filled
    assert found.rows.num_rows == found.accepted[0]


@given(
    st.floats(min_value=-1e12, max_value=1e12),
    st.integers(0, 34 * 365 * 86_400).map(lambda s: FIRST + timedelta(seconds=s)),
    st.booleans(),
)
def test_what_a_logger_writes_is_what_is_read(value: float, at: datetime, comma: bool) -> None:
    text = repr(value).replace(".", ",") if comma else repr(value)
    (row,) = rows(f"COD\t{text}\tmg/L\t{at:%Y%m%d%H%M%S}\t00")
    assert row["number"] == value
    assert row["observed_at"] == at - timedelta(hours=7)
