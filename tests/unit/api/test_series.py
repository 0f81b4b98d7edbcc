"""Questions to the history: how they are understood and how answers look."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from dothi.model.series import (
    AGGREGATE_KEYS,
    RAW_ANSWER,
    CalendarPeriod,
    FixedPeriod,
    Function,
    SeriesKey,
)

KEY, OTHER = "urn:x:1|level", "urn:x:2|level|urn:d:1"
T0 = datetime(2026, 11, 1, tzinfo=UTC)
MS = int(T0.timestamp() * 1000)
RANGE = {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T07:00:00+07:00"}


def _raw(n: int = 3) -> pa.Table:
    rows = [
        {
            "lane": 0, "seq": i, "source": "s1", "entity": "urn:x:1", "attribute": "level",
            "dataset": "", "observed_at": T0 + timedelta(minutes=i) if i else None,
            "number": i / 2 if i < 2 else None, "text": "cao" if i >= 2 else None, "unit": "MTR",
            "quality": 1, "kind": 1, "batch": "b", "committed_at": T0, "revision": i % 2,
        }
        for i in range(n)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=RAW_ANSWER)


async def test_observations_come_as_columns_per_series(api: Any) -> None:
    api.history.table = _raw()
    got = (await api.get("/series", key=[KEY, OTHER], last_n=5, limit=3, **RANGE)).json()
    first, second = got["series"]
    assert first == {
        "entity": "urn:x:1", "attribute": "level", "dataset": "", "unit": "MTR",
        "t": [MS, MS + 60_000, MS + 120_000], "v": [0.0, 0.5, "cao"], "q": [1, 1, 1],
    }  # fmt: skip
    assert (second["entity"], second["dataset"], second["t"]) == ("urn:x:2", "urn:d:1", [])
    assert got["truncated"] is False
    (query,) = api.history.asked
    assert query.series == (SeriesKey("urn:x:1", "level"), SeriesKey("urn:x:2", "level", "urn:d:1"))
    assert (query.end_at - query.start_at, query.last_n) == (timedelta(days=1), 5)
    cut = (await api.get("/series", key=KEY, limit=2)).json()
    assert (len(cut["series"][0]["t"]), cut["truncated"]) == (2, True)


async def test_revisions_show_what_was_corrected(api: Any) -> None:
    api.history.table = _raw()
    (series,) = (await api.get("/series/revisions", key=KEY)).json()["series"]
    assert series["revision"] == [0, 1, 0]
    assert series["committed"] == [MS] * 3
    assert series["source"] == ["s1"] * 3
    assert api.history.asked[0].all_revisions


async def test_aggregates(api: Any) -> None:
    api.history.table = pa.Table.from_pylist(
        [
            {"entity": "urn:x:1", "attribute": "level", "dataset": "", "period_start_at": T0,
             "period_end_at": T0 + timedelta(hours=1), "avg": 1.5, "count": 2},
        ],
        schema=pa.schema([*AGGREGATE_KEYS, ("avg", pa.float64()), ("count", pa.int64())]),
    )  # fmt: skip
    got = await api.get("/series/aggregate", key=KEY, fn=["avg", "count"], period="PT1H", **RANGE)
    assert got.json()["series"] == [
        {"entity": "urn:x:1", "attribute": "level", "dataset": "", "start": [MS],
         "end": [MS + 3_600_000], "avg": [1.5], "count": [2]}
    ]  # fmt: skip
    await api.get("/series/aggregate", key=KEY, fn="avg", period="P1M", **RANGE)
    hourly, monthly = api.history.asked
    assert hourly.period == FixedPeriod(3600.0)
    assert hourly.functions == (Function.AVG, Function.COUNT)
    assert monthly.period == CalendarPeriod("month", "Asia/Ho_Chi_Minh")


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


async def test_export_as_csv_and_parquet(api: Any) -> None:
    api.history.table = _raw()
    answer = await api.get("/series/export", key=KEY)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    header, *lines = answer.text.splitlines()
    assert header.startswith('"entity","attribute","dataset","observed_at","number"')
    assert len(lines) == 3
    assert "2026-11-01T00:01:00.000000Z" in lines[1]
    answer = await api.get("/series/export", key=KEY, format="parquet")
    table = pyarrow.parquet.read_table(BytesIO(answer.content))
    assert table.num_rows == 3
    assert table["observed_at"].type == pa.timestamp("us", "UTC")
