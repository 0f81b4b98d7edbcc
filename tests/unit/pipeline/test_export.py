"""Exports hold every row of the range, in any number of pages."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dothi.model.problem import Problem
from dothi.model.series import RAW_ANSWER, AggregateQuery, Function, RawQuery, SeriesKey
from dothi.pipeline.export import export, raw_pages

T0 = datetime(2026, 3, 1, tzinfo=UTC)
KEYS = (SeriesKey("urn:b", "pm25"), SeriesKey("urn:a", "pm25"))


class TableHistory:
    """`History` over a table: the plainest that can be."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows

    def raw(self, query: RawQuery) -> pa.Table:
        keep = pc.is_in(self.rows["entity"], pa.array([s.entity for s in query.series]))
        rows = self.rows.filter(keep)
        if query.start_at is not None:
            start = pa.scalar(query.start_at, rows["observed_at"].type)
            rows = rows.filter(pc.greater_equal(rows["observed_at"], start))
        return rows.slice(0, query.limit + 1)

    def aggregate(self, query: AggregateQuery) -> pa.Table:
        rows = [
            {
                "entity": s.entity,
                "attribute": s.attribute,
                "dataset": "",
                "period_start_at": T0,
                "period_end_at": T0 + timedelta(hours=1),
                "avg": 1.5,
                "count": 2,
            }
            for s in query.series
        ]
        return pa.Table.from_pylist(rows)


def history(minutes: list[int], **more: object) -> TableHistory:
    rows = [
        {
            "entity": entity,
            "attribute": "pm25",
            "dataset": "",
            "observed_at": T0 + timedelta(minutes=m),
            "number": m / 4,
            "unit": "GQ",
            "quality": 1,
            "kind": 1,
            "source": "s1",
            "lane": 0,
            "seq": m,
            "batch": "",
            "committed_at": T0,
            "revision": 0,
            **more,
        }
        for entity in ("urn:a", "urn:b")
        for m in minutes
    ]
    return TableHistory(pa.Table.from_pylist(rows, RAW_ANSWER))


@pytest.mark.parametrize("page_rows", [1, 2, 3, 7, 100])
def test_pages_hold_every_row_once(page_rows: int) -> None:
    minutes = [0, 1, 1, 1, 2, 3, 3, 9]
    found = list(raw_pages(history(minutes), RawQuery(KEYS), page_rows))
    rows = pa.concat_tables(found)
    assert rows["seq"].to_pylist() == minutes * 2
    assert rows["entity"].to_pylist() == ["urn:a"] * 8 + ["urn:b"] * 8


def test_csv_is_rfc_4180_in_utf_8() -> None:
    tricky = 'Độ mặn "cao",\nsông Tiền'
    pieces = export(history([0, 1], text=tricky), RawQuery(KEYS[1:]), "csv")
    text = b"".join(pieces).decode()
    assert text.count("\r\n") == 3
    header, first, _second = csv.reader(io.StringIO(text, newline=""))
    row = dict(zip(header, first, strict=True))
    assert row["text"] == tricky
    assert row["observed_at"] == "2026-03-01T00:00:00.000000Z"
    assert (row["number"], row["unit"], row["body"]) == ("0", "GQ", "")


def test_parquet_reads_back() -> None:
    data = b"".join(export(history(list(range(50))), RawQuery(KEYS), "parquet"))
    table = pq.read_table(io.BytesIO(data))
    assert table.num_rows == 100
    assert table["number"].to_pylist()[:3] == [0.0, 0.25, 0.5]


@pytest.mark.parametrize(
    ("units", "headings"),
    [
        ({}, ["avg", "count", "unit"]),
        (dict.fromkeys(KEYS, "GQ"), ["avg [GQ]", "count", "unit"]),
        ({KEYS[0]: "GQ", KEYS[1]: "CEL"}, ["avg", "count", "unit"]),
    ],
)
def test_aggregates_carry_their_unit(units: dict[SeriesKey, str], headings: list[str]) -> None:
    functions = (Function.AVG, Function.COUNT)
    query = AggregateQuery(KEYS, T0, T0 + timedelta(hours=1), functions, None)
    text = b"".join(export(history([0]), query, "csv", units)).decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header[5:] == headings
    assert [row[0] for row in rows] == ["urn:a", "urn:b"]
    assert [row[-1] for row in rows] == [units.get(key, "") for key in sorted(KEYS)]


def test_an_unknown_format_is_refused_at_once() -> None:
    with pytest.raises(Problem, match="csv, parquet"):
        export(history([0]), RawQuery(KEYS), "xls")
