"""Series as a file to keep: CSV or Parquet, written and sent in parts."""

from collections.abc import Callable, Iterator
from io import BytesIO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from starlette.responses import Response, StreamingResponse

from dothi.api.deps import ApiDeps
from dothi.api.query import wrong_parameter
from dothi.live.entity_view import rfc3339
from dothi.model.problem import Problem
from dothi.model.series import AggregateQuery, RawQuery

_PART_ROWS = 20_000
_RAW_COLUMNS = (
    "entity", "attribute", "dataset", "observed_at", "number", "text", "body", "unit", "quality",
    "source", "committed_at", "revision",
)  # fmt: skip


async def export(deps: ApiDeps, query: RawQuery | AggregateQuery, form: str) -> Response:
    """Ask the history, then send the file while it is written."""
    if form not in _WRITERS:
        raise wrong_parameter("format", f"{form!r} is not a format", "csv or parquet")
    write, media = _WRITERS[form]
    table = await deps.in_thread(_ask, deps, query)
    day = deps.clock.now().strftime("%Y%m%d")
    headers = {
        "content-disposition": f'attachment; filename="dothi-series-{day}.{form}"',
        "cache-control": "no-store",
    }
    return StreamingResponse(write(table), 200, headers, media)


def _ask(deps: ApiDeps, query: RawQuery | AggregateQuery) -> pa.Table:
    if isinstance(query, AggregateQuery):
        return deps.history.aggregate(query)
    table = deps.history.raw(query)
    if table.num_rows > query.limit:
        raise Problem(
            "export_too_large",
            "Too much for one file",
            f"the range holds more than {query.limit:,} observations",
            413,
            where="query start",
            remedy="take a shorter range or aggregates, or use `dothi export` on the server",
        )
    return table.select(_RAW_COLUMNS)


def _csv(table: pa.Table) -> Iterator[bytes]:
    header = ",".join(f'"{name}"' for name in table.column_names)
    yield header.encode() + b"\n"
    options = pyarrow.csv.WriteOptions(include_header=False)
    for start in range(0, table.num_rows, _PART_ROWS):
        part = BytesIO()
        pyarrow.csv.write_csv(_with_text_times(table.slice(start, _PART_ROWS)), part, options)
        yield part.getvalue()


def _with_text_times(table: pa.Table) -> pa.Table:
    """Times as RFC 3339: the writer's own form is not."""
    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(at, field.name, rfc3339(table.column(at)))
    return table


def _parquet(table: pa.Table) -> Iterator[bytes]:
    sink = BytesIO()
    with pyarrow.parquet.ParquetWriter(sink, table.schema, compression="zstd") as writer:
        for start in range(0, table.num_rows, _PART_ROWS):
            writer.write_table(table.slice(start, _PART_ROWS))
            yield _take(sink)
    yield _take(sink)


def _take(sink: BytesIO) -> bytes:
    written = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return written


_Writer = Callable[[pa.Table], Iterator[bytes]]
_WRITERS: dict[str, tuple[_Writer, str]] = {
    "csv": (_csv, "text/csv; charset=utf-8"),
    "parquet": (_parquet, "application/vnd.apache.parquet"),
}
