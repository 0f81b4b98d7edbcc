"""The one query path: rows still in the log and rows in the lake as one history."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from dothi.model.quality import USABLE
from dothi.model.series import (
    AGGREGATE_KEYS,
    RAW_ANSWER,
    AggregateQuery,
    Function,
    RawQuery,
    ScanQuery,
    SeriesKey,
)
from dothi.ports.history import HotHint, HotRows, Stretches
from dothi.storage.lake.conditions import VALUES, Changes
from dothi.storage.lake.engine import Engine
from dothi.storage.lake.forgetting import Relation
from dothi.storage.lake.periods import DAY_US, Periods, periods, to_us
from dothi.storage.lake.question import Span, Wanted
from dothi.storage.lake.relation import Source, relation, values_only
from dothi.storage.lake.scanning import COLUMNS, SERIES_AT_ONCE, Scan
from dothi.storage.lake.series_reader import SeriesReader
from dothi.storage.lake.table import LakeTable

_SQL = {
    Function.AVG: "avg(number)",
    Function.MIN: "min(number)",
    Function.MAX: "max(number)",
    Function.SUM: "sum(number)",
    Function.COUNT: "count(*)",
    Function.STDDEV: "stddev_samp(number)",
    Function.FIRST: "arg_min(number, us)",
    Function.LAST: "arg_max(number, us)",
    Function.P05: "quantile_cont(number, 0.05)",
    Function.P50: "quantile_cont(number, 0.5)",
    Function.P95: "quantile_cont(number, 0.95)",
    Function.P99: "quantile_cont(number, 0.99)",
}

_KEYS = ("entity", "attribute", "dataset")
_FOLDED_COLUMNS = ("observed_at", "number", "quality", "revision")
T = TypeVar("T")
_ALWAYS = ("seq", "observed_at", "committed_at", "quality", "kind", "revision")


class LakeHistory:
    """`ports.history.History` over a lake table and the hot rows of the log."""

    def __init__(
        self, table: LakeTable, hot: HotRows, engine: Engine, reader: SeriesReader
    ) -> None:
        self._table = table
        self._hot = hot
        self._engine = engine
        self._reader = reader

    def raw(self, query: RawQuery) -> pa.Table:
        """See `History.raw`. `batch` is empty for rows of the lake (found by lane and seq)."""
        wanted = Wanted.of(query.series)
        span = _span(query.start_at, query.end_at)
        if not wanted.series or _is_empty(span):
            return RAW_ANSWER.empty_table()
        hint = HotHint(query.first_n, query.last_n, query.columns)
        source = self._source(wanted, span, hint, tuple(int(change) for change in query.changes))
        if query.last_n is not None or query.first_n is not None:
            return self._some(source, wanted, span, query)
        columns = _raw_columns(query.columns)
        rows = relation(source, wanted, span, columns, all_revisions=query.all_revisions)
        return self._raw_answer(rows, wanted, query.limit)

    def aggregate(self, query: AggregateQuery) -> pa.Table:
        """See `History.aggregate`. `stddev` is that of a sample: null for a single value."""
        wanted = Wanted.of(query.series)
        span = _span(query.start_at, query.end_at)
        functions = tuple(dict.fromkeys(query.functions))
        start_us, end_us = to_us(query.start_at), to_us(query.end_at)
        folding = periods(query.period, start_us, max(end_us, start_us + 1))
        if not wanted.series or _is_empty(span):
            return _aggregate_schema(functions).empty_table()
        source = self._source(wanted, span, HotHint(columns=_FOLDED_COLUMNS))
        rows = relation(source, wanted, span, _FOLDED_COLUMNS, all_revisions=False)
        quality = "" if query.any_quality else f" AND quality IN {_usable()}"
        columns = ", ".join(f"{_SQL[f]} AS {f.value}" for f in functions)
        sql = f"""SELECT k, {folding.label_sql} AS label, {columns}
            FROM (SELECT k, epoch_us(moment) AS us, number FROM ({rows.sql})
                  WHERE number IS NOT NULL{quality})
            GROUP BY ALL ORDER BY ALL"""
        return _aggregate_answer(self._engine.query(sql, rows.tables), wanted, folding, functions)

    def scan(self, query: ScanQuery, fold: Callable[[Stretches], T]) -> list[T]:
        """See `Scans.scan`."""
        span = _span(query.start_at, query.end_at)
        edges = None if query.edges is None else np.array(query.edges, np.float64)
        found: list[T] = []
        for first in range(0, 0 if _is_empty(span) else len(query.series), SERIES_AT_ONCE):
            wanted = Wanted(query.series[first : first + SERIES_AT_ONCE])
            source = self._source(wanted, span, HotHint(columns=COLUMNS))

            def folded(some: Stretches, first: int = first) -> T:
                return fold(replace(some, k=some.k + first))

            found += Scan(source, wanted, span, edges).each(folded)
        return found

    def _source(
        self, wanted: Wanted, span: Span, hint: HotHint, changes: Changes = VALUES
    ) -> Source:
        """Hot rows first: what they leave out is in every later snapshot of the lake."""
        keys = wanted.table().select(list(_KEYS))
        hot, horizon, forgotten = self._hot.hot(keys, span.start_us, span.end_us, hint)
        files = [f for f in self._table.snapshot().files if span.meets(f)]
        values = values_only(hot, changes)
        return Source(self._engine, self._reader, files, values, horizon, forgotten, changes)

    def _some(self, source: Source, wanted: Wanted, span: Span, query: RawQuery) -> pa.Table:
        """The newest or earliest rows, out of ever more days until every series has enough."""
        is_last = query.last_n is not None
        count = max((query.last_n if is_last else query.first_n) or 0, 0)
        found: list[pa.Table] = []
        missing = wanted.series
        for piece in _pieces(source, span, is_last=is_last):
            part = Wanted(missing)
            columns = _raw_columns(query.columns)
            rows = relation(source, part, piece, columns, all_revisions=query.all_revisions)
            answer = self._raw_answer(_end_of_each(rows, count, is_last=is_last), part, None)
            found.append(answer)
            missing = _short_series(found, wanted.series, count)
            if not missing:
                break
        return _outermost(found, count, is_last=is_last).slice(0, query.limit + 1)

    def _raw_answer(self, rows: Relation, wanted: Wanted, limit: int | None) -> pa.Table:
        if rows.rows is not None:
            ordered = _in_order(rows.rows)
            answer = ordered if limit is None else ordered.slice(0, limit + 1)
        else:
            cut = "" if limit is None else f" LIMIT {limit + 1}"
            sql = f"SELECT * FROM ({rows.sql}) ORDER BY k, moment, revision, seq{cut}"
            answer = self._engine.query(sql, rows.tables)
        return _in_full(_with_keys(answer, wanted))


def _raw_columns(needed: Sequence[str]) -> tuple[str, ...]:
    """Columns of a raw answer that are read, beside the names of the series."""
    wanted = {*_ALWAYS, *needed} if needed else set(RAW_ANSWER.names)
    return tuple(name for name in RAW_ANSWER.names if name in wanted and name not in _KEYS)


def _in_order(rows: pa.Table) -> pa.Table:
    """Rows of a relation by k, moment, revision, seq."""
    keys = [rows[name].cast(pa.int64()).to_numpy() for name in ("seq", "revision", "moment", "k")]
    by_series, by_time = np.diff(keys[3]), np.diff(keys[2])
    if ((by_series > 0) | ((by_series == 0) & (by_time > 0))).all():
        return rows  # mostly they come so, and to look is a tenth of sorting
    order = np.lexsort(keys)
    if (np.diff(order) == 1).all():
        return rows
    return rows.unify_dictionaries().combine_chunks().take(pa.array(order))


def _end_of_each(found: Relation, count: int, *, is_last: bool) -> Relation:
    """Of a relation the newest or earliest rows of each series, `count` at most."""
    if found.rows is None:
        order = "moment DESC, seq DESC" if is_last else "moment, seq"
        ranks = f"row_number() OVER (PARTITION BY k ORDER BY {order})"
        some = f"SELECT * FROM ({found.sql}) QUALIFY {ranks} <= {count}"
        return Relation(None, some, found.tables)
    rows = _in_order(found.rows)
    k = rows["k"].to_numpy()
    at = np.arange(len(k))
    if is_last:
        ranks = np.searchsorted(k, k, side="right") - 1 - at
    else:
        ranks = at - np.searchsorted(k, k, side="left")
    return Relation(rows.filter(pa.array(ranks < count)), "", {})


def _span(start_at: datetime | None, end_at: datetime | None) -> Span:
    return Span(
        None if start_at is None else to_us(start_at), None if end_at is None else to_us(end_at)
    )


def _is_empty(span: Span) -> bool:
    return span.start_us is not None and span.end_us is not None and span.start_us >= span.end_us


def _usable() -> str:
    return f"({', '.join(str(int(flag)) for flag in sorted(USABLE))})"


def _with_keys(answer: pa.Table, wanted: Wanted) -> pa.Table:
    """The answer with entity, attribute and dataset in the place of k."""
    if len(wanted.series) == 1:
        for name in _KEYS:
            text = pa.scalar(getattr(wanted.series[0], name), pa.string())
            answer = answer.append_column(name, pa.repeat(text, answer.num_rows))
        return answer
    keys = wanted.table().take(answer["k"])
    for name in _KEYS:
        answer = answer.append_column(name, keys[name])
    return answer


def _in_full(answer: pa.Table) -> pa.Table:
    """RAW_ANSWER; what was not read is null, empty or 0."""
    held = set(answer.column_names)
    columns = [
        answer[field.name].cast(field.type) if field.name in held else _blank(field, answer)
        for field in RAW_ANSWER
    ]
    return pa.table(columns, schema=RAW_ANSWER)


def _blank(field: pa.Field, answer: pa.Table) -> pa.Array:
    if field.nullable:
        return pa.nulls(answer.num_rows, field.type)
    blank = pa.scalar("" if pa.types.is_string(field.type) else 0, field.type)
    return pa.repeat(blank, answer.num_rows)


def _pieces(source: Source, span: Span, *, is_last: bool) -> Iterator[Span]:
    """Pieces of the span of 1, 2, 4 … days that hold rows, from its end or its beginning."""
    hot = source.hot
    times = pc.coalesce(hot["observed_at"], hot["committed_at"]).cast(pa.date32())
    days = {f.day for f in source.files}
    days |= set(pc.unique(times).to_pylist())
    ordered = sorted(days, reverse=is_last)
    edge = span.end_us if is_last else span.start_us
    size = 1
    while ordered:
        piece, ordered = ordered[:size], ordered[size:]
        if is_last:
            low = _midnight_us(piece[-1])
            lower = low if span.start_us is None else max(low, span.start_us)
            yield Span(lower, edge)
            edge = lower
        else:
            # A folded file begins on its day and holds later ones: the piece ends with the next.
            upper = _midnight_us(ordered[0]) if ordered else span.end_us
            yield Span(edge, upper)
            edge = upper
        size *= 2


def _midnight_us(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_US


def _short_series(
    found: Sequence[pa.Table], series: tuple[SeriesKey, ...], count: int
) -> tuple[SeriesKey, ...]:
    """Series of which fewer than `count` rows were found."""
    keys = pa.concat_tables([t.select(list(_KEYS)) for t in found])
    counted = keys.group_by(list(_KEYS)).aggregate([([], "count_all")]).to_pylist()
    enough = {
        SeriesKey(c["entity"], c["attribute"], c["dataset"])
        for c in counted
        if c["count_all"] >= count
    }
    return tuple(s for s in series if s not in enough)


def _outermost(found: Sequence[pa.Table], count: int, *, is_last: bool) -> pa.Table:
    """The newest or earliest `count` rows of each series, in the order of a raw answer."""
    if not found:
        return RAW_ANSWER.empty_table()
    rows = pa.concat_tables(found)
    at = pc.coalesce(rows["observed_at"], rows["committed_at"])
    keys = [(name, "ascending") for name in (*_KEYS, "at", "revision", "seq")]
    rows = rows.append_column("at", at).sort_by(keys).select(RAW_ANSWER.names)
    if len(found) == 1:
        return rows
    return rows.filter(pa.array(_ranks(rows, from_end=is_last) < count))


def _ranks(rows: pa.Table, *, from_end: bool) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How many rows of the same series stand behind or before each row; sorted by series."""
    groups = rows.group_by(list(_KEYS), use_threads=False).aggregate([([], "count_all")])
    sizes = groups["count_all"].to_numpy()
    ends = np.repeat(np.cumsum(sizes), sizes)
    behind = np.asarray(ends - 1 - np.arange(rows.num_rows), dtype=np.int64)
    if from_end:
        return behind
    return np.asarray(np.repeat(sizes, sizes) - 1 - behind, dtype=np.int64)


def _aggregate_schema(functions: Sequence[Function]) -> pa.Schema:
    types = {Function.COUNT: pa.int64()}
    return pa.schema(
        [*AGGREGATE_KEYS, *(pa.field(f.value, types.get(f, pa.float64())) for f in functions)]
    )


def _aggregate_answer(
    answer: pa.Table, wanted: Wanted, folding: Periods, functions: Sequence[Function]
) -> pa.Table:
    labels = answer["label"].to_numpy()
    distinct, positions = np.unique(labels, return_inverse=True)
    edges = np.array([folding.edges(int(n)) for n in distinct], dtype=np.int64).reshape(-1, 2)
    schema = _aggregate_schema(functions)
    at = schema.field("period_start_at").type
    answer = _with_keys(answer, wanted)
    for column, name in enumerate(("period_start_at", "period_end_at")):
        answer = answer.append_column(name, pa.array(edges[positions, column]).cast(at))
    return answer.select(schema.names).cast(schema)
