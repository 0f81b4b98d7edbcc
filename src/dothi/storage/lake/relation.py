"""SQL of the rows that one question is about: lake and hot, values in force only.

The relation has `k` (position of the series in the question), `moment` (observed_at, else
committed_at) and the columns that were asked for. Corrections are looked for only on days whose
files or hot rows hold some: the corrected keys are few, so the rows they replace are left out by
an anti-join and every other row goes through untouched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from dothi.storage.lake.engine import Engine
from dothi.storage.lake.lake_rows import VALUE_CHANGES, LakeRows
from dothi.storage.lake.question import Span, Wanted
from dothi.storage.lake.series_reader import SeriesReader
from dothi.storage.lake.snapshot import DataFile


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a question come from: one consistent view of log and lake."""

    engine: Engine
    reader: SeriesReader
    files: Sequence[DataFile]
    """Of the lake; those that cannot hold a row of the question may be among them."""
    hot: pa.Table
    """LOG_SCHEMA; values only."""
    horizon: int
    """Rows of the lake beyond this seq are in `hot`."""


@dataclass(frozen=True, slots=True)
class Relation:
    """SQL text, and the tables that it names."""

    sql: str
    tables: dict[str, pa.Table]


def values_only(rows: pa.Table) -> pa.Table:
    """Rows that set a value; deletions and entity changes are not history of a value."""
    return rows.filter(pc.is_in(rows["change"], pa.array(VALUE_CHANGES, pa.uint8())))


def relation(
    source: Source, wanted: Wanted, span: Span, columns: Sequence[str], *, all_revisions: bool
) -> Relation:
    """The rows of the wanted series within the span.

    Args:
        columns: names of LOG_SCHEMA beside entity, attribute and dataset; each is in the result
            after k and moment.
    """
    tables = {"wanted": wanted.table(), "hot": source.hot}
    lake = LakeRows(source.reader, wanted, span, source.horizon, tables)
    files = wanted.prune(f for f in source.files if span.meets(f))
    days = set() if all_revisions else _revised_days(files, source.hot)
    if days:
        tables["corrected"] = _corrected(source, lake, [f for f in files if f.is_revised])
    if not days or tables["corrected"].num_rows == 0:
        parts = [*lake.select(files, columns), *_hot(source, span, columns)]
        return Relation(_union(parts) if parts else _empty(columns), tables)
    touched = [f for f in files if not days.isdisjoint(f.days())]
    untouched = [f for f in files if days.isdisjoint(f.days())]
    checked = [*lake.select(touched, columns), *_hot(source, span, columns)]
    parts = [*lake.select(untouched, columns), *map(_in_force, checked)]
    return Relation(_union(parts) if parts else _empty(columns), tables)


def _hot(source: Source, span: Span, columns: Sequence[str]) -> list[str]:
    """Zero or one SELECT over the hot rows."""
    if source.hot.num_rows == 0:
        return []
    at = "coalesce(r.observed_at, r.committed_at)"
    listed = "".join(f", r.{name}" for name in columns)
    on = "r.attribute = wanted.attribute AND r.entity = wanted.entity"
    on += " AND r.dataset = wanted.dataset"
    conditions = span.sql(at)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return [f"SELECT wanted.k AS k, {at} AS moment{listed} FROM hot r JOIN wanted ON {on}{where}"]


def _empty(columns: Sequence[str]) -> str:
    listed = "".join(f", r.{name}" for name in columns)
    at = "coalesce(r.observed_at, r.committed_at)"
    return f"SELECT 0 AS k, {at} AS moment{listed} FROM hot r WHERE false"


def _corrected(source: Source, lake: LakeRows, revised: Sequence[DataFile]) -> pa.Table:
    """Keys with a correction and the revision in force: k, observed_at, revision."""
    columns = ("observed_at", "revision")
    parts = lake.select(revised, columns, "r.revision > 0 AND r.observed_at IS NOT NULL")
    parts += _hot(source, lake.span, columns)
    if not parts:
        parts = [_empty(columns)]
    sql = f"""SELECT k, observed_at, max(revision) AS revision FROM ({_union(parts)})
        WHERE revision > 0 AND observed_at IS NOT NULL GROUP BY ALL"""
    return source.engine.query(sql, lake.tables)


def _revised_days(files: Iterable[DataFile], hot: pa.Table) -> set[date]:
    """UTC days that hold corrections."""
    days = {day for f in files if f.is_revised for day in f.days()}
    revised = hot.filter(pc.greater(hot["revision"], 0))["observed_at"]
    return days | set(pc.unique(revised.drop_null().cast(pa.date32())).to_pylist())


def _in_force(sql: str) -> str:
    return f"""SELECT * FROM ({sql}) x WHERE NOT EXISTS (SELECT 1 FROM corrected c
        WHERE c.k = x.k AND c.observed_at = x.observed_at AND c.revision > x.revision)"""


def _union(parts: Sequence[str]) -> str:
    return " UNION ALL ".join(parts)
