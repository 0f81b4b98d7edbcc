"""Times of tables: formats, zones, and what is no time."""

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.intake.tabular.times import Times
from dothi.model.problem import Problem
from dothi.model.row import TIMESTAMP


def read(texts: list[str | None], time_format: str = "iso", zone: str = "") -> list[str | None]:
    column = Times(time_format, zone).read(pa.array(texts, pa.string()))
    assert column.type == TIMESTAMP
    return [None if v is None else v.isoformat() for v in column.to_pylist()]


def test_iso_with_and_without_zone() -> None:
    texts = [
        "2026-11-22T08:00:00+07:00",
        "2026-11-22 08:00:00.250Z",
        "2026-11-22T08:00",
        "2026-11-22",
        "2026-11-22T08:00:00-0330",
        None,
    ]
    assert read(texts, zone="Asia/Ho_Chi_Minh") == [
        "2026-11-22T01:00:00+00:00",
        "2026-11-22T08:00:00.250000+00:00",
        "2026-11-22T01:00:00+00:00",
        "2026-11-21T17:00:00+00:00",
        "2026-11-22T11:30:00+00:00",
        None,
    ]


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-13-01", "2026-11-22T25:00", "22/11/2026", "now", "infinity", "-"]
)
def test_what_is_no_time_is_null_and_disturbs_no_other(text: str) -> None:
    assert read([text, "2026-11-22T08:00:00Z"])[0] is None
    assert read([text, "2026-11-22T08:00:00Z"])[1] is not None


def test_a_zone_is_never_guessed() -> None:
    with pytest.raises(Problem, match="--zone Asia/Ho_Chi_Minh"):
        read(["2026-11-22T08:00"])


def test_the_am_and_pm_of_airnow() -> None:
    texts = [
        "2016-01-01 01:00 AM",
        "2016-01-01 12:00 AM",
        "2016-01-01 12:00 pm",
        "2016-02-31 1:00 AM",
    ]
    assert read(texts, "%Y-%m-%d %I:%M %p", "Asia/Ho_Chi_Minh") == [
        "2015-12-31T18:00:00+00:00",
        "2015-12-31T17:00:00+00:00",
        "2016-01-01T05:00:00+00:00",
        None,
    ]


def test_day_first_without_padding() -> None:
    assert read(["5/1/2026 7:05"], "%d/%m/%Y %H:%M", "UTC") == ["2026-01-05T07:05:00+00:00"]


def test_seconds_and_milliseconds_since_1970() -> None:
    assert read(["0", "1.5", "x"], "epoch_s") == [
        "1970-01-01T00:00:00+00:00",
        "1970-01-01T00:00:01.500000+00:00",
        None,
    ]
    column = Times("epoch_ms", "").read(pa.array([1_500, None], pa.int64()))
    assert column.to_pylist() == [datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC), None]


def test_clocks_that_change() -> None:
    summer, winter = read(["2026-07-01 12:00", "2026-01-01 12:00"], zone="Europe/London")
    assert (summer, winter) == ("2026-07-01T11:00:00+00:00", "2026-01-01T12:00:00+00:00")


def test_unknown_zone_and_unsupported_format() -> None:
    with pytest.raises(Problem, match="zone"):
        Times("iso", "Asia/Binh_Duong")
    with pytest.raises(Problem, match="%z"):
        Times("%Y%z", "")


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_every_iso_time_is_read_as_python_reads_it(local: datetime, minutes: int) -> None:
    aware = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert read([aware.isoformat()]) == [aware.astimezone(UTC).isoformat()]
    assert read([local.isoformat()], zone="UTC") == [local.replace(tzinfo=UTC).isoformat()]


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert len(read([text], zone="UTC")) == 1
