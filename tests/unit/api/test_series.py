"""Questions to the history over HTTP, answered from the real store."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

ENTITY, OTHER = "urn:x:1", "urn:x:2"
KEY, OTHER_KEY = f"{ENTITY}|level", f"{OTHER}|level|urn:d:1"
T0 = datetime(2026, 11, 1, tzinfo=UTC)
MS = int(T0.timestamp() * 1000)
MINUTE_MS = 60_000
LATEST = "9999-12-31T23:59:59Z"
RANGE = {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T07:00:00+07:00"}


@pytest.fixture
async def filled(api: Any) -> Any:
    """Levels 0.0, 0.5 and 1.0 a minute apart, the second corrected to 0.75; a text of another."""
    times = [T0 + timedelta(minutes=i) for i in range(3)]
    await api.parts.send(
        entity=[ENTITY] * 3, attribute="level", number=[0.0, 0.5, 1.0], observed_at=times,
        unit="MTR",
    )  # fmt: skip
    await api.parts.send(
        entity=ENTITY, attribute="level", number=0.75, observed_at=times[1], unit="MTR"
    )
    await api.parts.send(
        entity=OTHER, attribute="level", dataset="urn:d:1", text="cao", observed_at=T0
    )
    return api


async def test_observations_come_as_columns_per_series(filled: Any) -> None:
    got = (await filled.get("/series", key=[OTHER_KEY, KEY, "urn:x:none|a"], **RANGE)).json()
    other, first, nothing = got["series"]
    assert first == {
        "entity": ENTITY, "attribute": "level", "dataset": "", "unit": "MTR",
        "t": [MS, MS + MINUTE_MS, MS + 2 * MINUTE_MS], "v": [0.0, 0.75, 1.0], "q": [1, 1, 1],
    }  # fmt: skip
    assert (other["dataset"], other["t"], other["v"]) == ("urn:d:1", [MS], ["cao"])
    assert (nothing["entity"], nothing["t"], nothing["unit"]) == ("urn:x:none", [], None)
    assert got["truncated"] is False


async def test_last_n_and_limit(filled: Any) -> None:
    last = (await filled.get("/series", key=KEY, last_n=2)).json()
    assert last["series"][0]["v"] == [0.75, 1.0]
    cut = (await filled.get("/series", key=KEY, limit=2)).json()
    assert (cut["series"][0]["v"], cut["truncated"]) == ([0.0, 0.75], True)


async def test_revisions_show_what_was_corrected(filled: Any) -> None:
    (series,) = (await filled.get("/series/revisions", key=KEY)).json()["series"]
    assert list(zip(series["v"], series["revision"], strict=True)) == [
        (0.0, 0), (0.5, 0), (0.75, 1), (1.0, 0),
    ]  # fmt: skip
    assert set(series["source"]) == {"s1"}
    assert all(ms > MS for ms in series["committed"])


async def test_aggregates_over_fixed_and_calendar_periods(filled: Any) -> None:
    query = {"key": [KEY, OTHER_KEY], "fn": ["avg", "count", "p95"], **RANGE}
    hourly, other = (
        await filled.get("/series/aggregate", period="PT1H", **query)
    ).json()["series"]  # fmt: skip
    assert (hourly["start"], hourly["end"]) == ([MS], [MS + 60 * MINUTE_MS])
    assert hourly["avg"] == [pytest.approx(1.75 / 3)]
    assert (hourly["count"], len(hourly["p95"])) == ([3], 1)
    assert "max" not in hourly
    assert other["entity"] == OTHER
    monthly = (await filled.get("/series/aggregate", period="P1M", **query)).json()["series"][0]
    # The month as the clocks of Việt Nam show it, seven hours before UTC.
    assert monthly["start"] == [MS - 7 * 60 * MINUTE_MS]
    whole = (await filled.get("/series/aggregate", key=KEY, **RANGE)).json()["series"][0]
    assert whole["avg"] == [pytest.approx(1.75 / 3)]


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        ("/series", {}, "key"),
        ("/series", {"key": "urn:x:1"}, "entity|attribute"),
        ("/series", {"key": KEY, "start": "yesterday"}, "start"),
        ("/series", {"key": KEY, "start": "2026-11-22T08:00:00"}, "start"),
        ("/series", {"key": [KEY] * 101}, "100"),
        ("/series", {"key": KEY, "start": RANGE["end"], "end": RANGE["start"]}, "before end"),
        ("/series/aggregate", {"key": KEY, **RANGE, "period": "P7D"}, "PT5M"),
        ("/series/aggregate", {"key": KEY, **RANGE, "period": "PT0S"}, "PT5M"),
        ("/series/aggregate", {"key": KEY, **RANGE, "period": "PT0.1S"}, "buckets"),
        ("/series/aggregate", {"key": KEY, **RANGE, "period": "P1D", "zone": "Mars/x"}, "zone"),
        ("/series/aggregate", {"key": KEY, **RANGE, "fn": "median"}, "fn"),
        ("/series/aggregate", {"key": KEY, **RANGE, "period": "PT9999999999999H"}, "PT5M"),
        ("/series/aggregate", {"key": KEY, **RANGE, "period": f"PT{'9' * 400}H"}, "PT5M"),
        (
            "/series/aggregate",
            {"key": KEY, "start": "0001-01-01T00:00:00Z", "end": LATEST, "period": "PT1H"},
            "buckets",
        ),
        ("/series/export", {"key": KEY, "format": "xlsx"}, "csv or parquet"),
        ("/series/export", {"key": KEY, "fn": "avg"}, "start and end"),
    ],
)
async def test_wrong_questions_say_what_to_do(
    api: Any, path: str, query: dict[str, object], says: str
) -> None:
    answer = await api.get(path, **query)
    assert answer.status_code == 400
    problem = answer.json()
    assert says in problem["detail"] + problem["remedy"] + problem["where"]


async def test_a_plus_in_an_address_is_explained(api: Any) -> None:
    answer = await api.client.get(f"/api/v1/series?key={KEY}&start=2026-11-22T08:00:00+07:00")
    assert "%2B" in answer.json()["remedy"]


async def test_ranges_at_the_ends_of_the_calendar(filled: Any) -> None:
    for start in ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00-11:00"):
        got = await filled.get("/series", key=KEY, start=start, end=LATEST)
        assert len(got.json()["series"][0]["t"]) == 3
    yearly = await filled.get(
        "/series/aggregate", key=KEY, start="0001-01-01T00:00:00Z", end=LATEST, period="P1Y"
    )
    (series,) = yearly.json()["series"]
    assert [v for v in series["avg"] if v is not None] == [pytest.approx(1.75 / 3)]


async def test_export_as_csv_and_parquet(filled: Any) -> None:
    answer = await filled.get("/series/export", key=KEY)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    header, *lines = answer.text.splitlines()
    assert header.startswith('"entity","attribute","dataset","observed_at","number"')
    assert len(lines) == 3
    assert "2026-11-01T00:01:00.000000Z" in lines[1]
    answer = await filled.get("/series/export", key=KEY, format="parquet")
    table = pyarrow.parquet.read_table(BytesIO(answer.content))
    assert table["number"].to_pylist() == [0.0, 0.75, 1.0]
    assert table["observed_at"].type == pa.timestamp("us", "UTC")
    answer = await filled.get("/series/export", key=KEY, fn=["max"], period="PT1H", **RANGE)
    assert answer.text.splitlines()[0].endswith('"max"')
    assert answer.text.splitlines()[1].endswith(",1")
