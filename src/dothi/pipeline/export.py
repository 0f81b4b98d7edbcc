"""Histories as files: CSV (UTF-8, RFC 4180) or Parquet, written piece by piece.

Works on any `History`; memory holds one page, however long the range is.
"""

from collections.abc import Iterator, Mapping
from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from msgspec.structs import replace

from dothi.model.problem import Problem
from dothi.model.series import AGGREGATE_KEYS, RAW_ANSWER, AggregateQuery, RawQuery, SeriesKey
from dothi.ports.history import History

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
"""Formats and what HTTP calls them."""

RAW_COLUMNS = (
    "entity",
    "attribute",
    "dataset",
    "observed_at",
    "number",
    "text",
    "body",
    "unit",
    "quality",
    "source",
    "committed_at",
    "revision",
)
"""Columns of an export of single values."""

_PAGE_ROWS = 100_000


def export(
    history: History,
    query: RawQuery | AggregateQuery,
    form: str,
    units: Mapping[SeriesKey, str] | None = None,
) -> Iterator[bytes]:
    """The file in pieces; every row of the range, whatever `query.limit` says.

    Single values have RAW_COLUMNS, the unit beside each value. Aggregates have AGGREGATE_KEYS,
    one column per function, and `unit`; when all series share one unit it stands in the headings
    too: `avg [GQ]`.

    Args:
        form: csv or parquet.
        units: unit of each series, for aggregates.
    Raises:
        Problem: another format, before the first piece.
    """
    if form not in MEDIA_TYPES:
        raise Problem(
            "unknown_format",
            "Unknown format",
            f"there is no format {form!r}",
            where="format",
            remedy=f"use one of: {', '.join(MEDIA_TYPES)}",
        )
    pages: Iterator[pa.Table]
    if isinstance(query, RawQuery):
        schema = pa.schema([RAW_ANSWER.field(name) for name in RAW_COLUMNS])
        pages = (page.select(RAW_COLUMNS) for page in raw_pages(history, query))
    else:
        schema = _aggregate_schema(query, units or {})
        pages = _aggregate_pages(history, query, units or {}, schema)
    return _csv(pages, schema) if form == "csv" else _parquet(pages, schema)


def raw_pages(history: History, query: RawQuery, page_rows: int = _PAGE_ROWS) -> Iterator[pa.Table]:
    """RAW_ANSWER rows in order, in tables of about `page_rows` rows.

    Pages end between two instants, so rows of a series that share their time stay together.
    """
    for key in sorted(set(query.series)):
        start_at, limit = query.start_at, page_rows
        while True:
            page = history.raw(replace(query, series=(key,), start_at=start_at, limit=limit))
            if query.last_n is not None or page.num_rows <= limit:
                break
            times = pc.coalesce(page["observed_at"], page["committed_at"])
            whole = page.filter(pc.less(times, times[-1]))
            if whole.num_rows:
                yield whole
                start_at, limit = times[-1].as_py(), page_rows
            else:
                limit *= 2
        if page.num_rows:
            yield page


def _aggregate_pages(
    history: History, query: AggregateQuery, units: Mapping[SeriesKey, str], schema: pa.Schema
) -> Iterator[pa.Table]:
    for key in sorted(set(query.series)):
        page = history.aggregate(replace(query, series=(key,)))
        unit = pa.repeat(pa.scalar(units.get(key), pa.string()), page.num_rows)
        yield page.append_column("unit", unit).rename_columns(schema.names).cast(schema)


def _aggregate_schema(query: AggregateQuery, units: Mapping[SeriesKey, str]) -> pa.Schema:
    distinct = {units.get(key, "") for key in query.series}
    unit = distinct.pop() if len(distinct) == 1 else ""
    fields = list(AGGREGATE_KEYS)
    for function in dict.fromkeys(query.functions):
        is_count = function.value == "count"
        heading = f"{function.value} [{unit}]" if unit and not is_count else function.value
        fields.append(pa.field(heading, pa.int64() if is_count else pa.float64()))
    return pa.schema([*fields, pa.field("unit", pa.string())])


def _csv(pages: Iterator[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    options = pyarrow.csv.WriteOptions(include_header=False, eol="\r\n")
    # Names hold neither quotes nor commas, except that a unit code may not be trusted.
    names = ('"' + name.replace('"', '""') + '"' for name in schema.names)
    yield (",".join(names) + "\r\n").encode()
    for page in pages:
        sink = BytesIO()
        pyarrow.csv.write_csv(_with_text_times(page), sink, options)
        yield sink.getvalue()


def _with_text_times(table: pa.Table) -> pa.Table:
    """Times as RFC 3339."""
    for position, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            texts = pc.strftime(table.column(position), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(position, field.name, texts)
    return table


def _parquet(pages: Iterator[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    sink = BytesIO()
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for page in pages:
            writer.write_table(page)
            yield _drain(sink)
    yield _drain(sink)


def _drain(sink: BytesIO) -> bytes:
    piece = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return piece
