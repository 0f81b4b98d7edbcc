"""SQL of the rows that one question is about: lake and hot, values in force only.

The relation has `k` (position of the series in the question), `moment` (observed_at, else
committed_at) and the columns that were asked for. Corrections are looked for only on days whose
files or hot rows hold some: the corrected keys are few, so the rows they replace are left out by
an anti-join and every other row goes through untouched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import Change
from dothi.model.series import SeriesKey
from dothi.storage.lake.engine import Engine, quoted
from dothi.storage.lake.layout import LAKE_SCHEMA
from dothi.storage.lake.series_index import EVERY_ROW, Rows, find_rows, series_numbers
from dothi.storage.lake.snapshot import DataFile, Snapshot

VALUE_CHANGES = (int(Change.UPSERT), int(Change.ASSIGN))
"""Changes that record a value."""

_INDEXED_SERIES = 64
"""With more series than this, their rows lie all over the file."""

_DAY_US = 86_400_000_000
_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A range of UTC microseconds, end exclusive; None: open."""

    start_us: int | None
    end_us: int | None

    def sql(self, column: str) -> list[str]:
        conditions = []
        if self.start_us is not None:
            conditions.append(f"{column} >= {instant_sql(self.start_us)}")
        if self.end_us is not None:
            conditions.append(f"{column} < {instant_sql(self.end_us)}")
        return conditions

    def holds_whole_days(self) -> bool:
        return (self.start_us or 0) % _DAY_US == 0 and (self.end_us or 0) % _DAY_US == 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The series of a question, sorted and distinct."""

    series: tuple[SeriesKey, ...]

    @staticmethod
    def of(series: Iterable[SeriesKey]) -> "Wanted":
        return Wanted(tuple(sorted(set(series))))

    def table(self) -> pa.Table:
        """entity, attribute, dataset and k."""
        return pa.table(
            {
                "entity": pa.array([s.entity for s in self.series], pa.string()),
                "attribute": pa.array([s.attribute for s in self.series], pa.string()),
                "dataset": pa.array([s.dataset for s in self.series], pa.string()),
                "k": pa.array(range(len(self.series)), pa.int32()),
            }
        )

    def prune(self, days: Iterable[tuple[DataFile, ...]]) -> list[DataFile]:
        """Files that may hold one of the series."""
        attributes = sorted({s.attribute for s in self.series})
        entities = [s.entity for s in self.series]
        first, last = min(entities), max(entities)
        return [f for files in days for f in files if f.may_hold(attributes, first, last)]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a question come from: one consistent view of log and lake."""

    engine: Engine
    snapshot: Snapshot
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
    files = wanted.prune(source.snapshot.between(span.start_us, span.end_us))
    make = _Maker(source.horizon, wanted, span, columns)
    tables = {"wanted": wanted.table(), "hot": source.hot}
    has_hot = source.hot.num_rows > 0
    days = set() if all_revisions else _revised_days(files, source.hot)
    if days:
        tables["corrected"] = _corrected(source, make, [f for f in files if f.is_revised], tables)
    if not days or tables["corrected"].num_rows == 0:
        parts = [*make.lake(files), *make.hot(has_hot)]
        return Relation(_union(parts) if parts else make.empty(), tables)
    untouched = make.lake([f for f in files if f.day not in days])
    touched = [*make.lake([f for f in files if f.day in days]), *make.hot(has_hot)]
    return Relation(_union([*untouched, *map(_in_force, touched)]), tables)


def narrow(
    files: Sequence[DataFile], series: Sequence[SeriesKey]
) -> tuple[Sequence[DataFile], Rows | None]:
    """Files that hold one of the series, and between which of their rows (None: all rows)."""
    if len(series) > _INDEXED_SERIES:
        return files, None
    wanted = series_numbers(series)
    found = [(file, find_rows(file.index, wanted)) for file in files]
    kept = [(file, rows) for file, rows in found if rows is not None]
    if not kept or any(rows == EVERY_ROW for _, rows in kept):
        return [file for file, _ in kept], None
    return [f for f, _ in kept], (min(r[0] for _, r in kept), max(r[1] for _, r in kept))


def rows_sql(rows: Rows | None) -> list[str]:
    """Condition on `narrow`'s rows of files `r`."""
    return [] if rows is None else [f"r.file_row_number BETWEEN {rows[0]} AND {rows[1]}"]


def values_sql(files: Sequence[DataFile]) -> list[str]:
    """Condition on files `r` like `values_only`; none where all rows are known to be values."""
    is_constant, change = _common(files, "change")
    return [] if is_constant and change in VALUE_CHANGES else [f"r.change IN {VALUE_CHANGES}"]


def instant_sql(us: int) -> str:
    """A TIMESTAMPTZ literal."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return f"TIMESTAMPTZ '{at.replace(tzinfo=None).isoformat(' ', 'microseconds')}+00'"


def files_sql(files: Sequence[DataFile], option: str = "filename = false") -> str:
    """A scan of data files."""
    names = ", ".join(quoted(f.location) for f in files)
    return f"read_parquet([{names}], hive_partitioning = false, {option})"


@dataclass(frozen=True, slots=True)
class _Maker:
    horizon: int
    wanted: Wanted
    span: Span
    columns: Sequence[str]

    def lake(
        self, files: Sequence[DataFile], columns: Sequence[str] | None = None, extra: str = ""
    ) -> list[str]:
        """Zero or one SELECT over files."""
        files, rows = narrow(files, self.wanted.series)
        if not files:
            return []
        names = self.columns if columns is None else columns
        has_timeless = any(f.has_timeless for f in files)
        at = "coalesce(r.observed_at, r.committed_at)" if has_timeless else "r.observed_at"
        join, conditions = self._match(files)
        conditions += rows_sql(rows)
        if not self.span.holds_whole_days():
            conditions += self.span.sql(at)
        conditions += values_sql(files)
        if any(f.last_seq > self.horizon for f in files):
            conditions.append(f"r.seq <= {self.horizon}")
        if extra:
            conditions.append(extra)
        k = "0" if not join else "wanted.k"
        listed = ", ".join(_lake_column(name, files) for name in names)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        option = "filename = false" if rows is None else "file_row_number = true"
        source = f"{files_sql(files, option)} r{join}{where}"
        return [f"SELECT {k} AS k, {at} AS moment{', ' if listed else ''}{listed} FROM {source}"]

    def hot(self, present: bool, columns: Sequence[str] | None = None) -> list[str]:
        """Zero or one SELECT over the hot rows."""
        if not present:
            return []
        names = self.columns if columns is None else columns
        at = "coalesce(r.observed_at, r.committed_at)"
        listed = "".join(f", r.{name}" for name in names)
        on = "r.attribute = wanted.attribute AND r.entity = wanted.entity"
        on += " AND r.dataset = wanted.dataset"
        conditions = self.span.sql(at)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return [
            f"SELECT wanted.k AS k, {at} AS moment{listed} FROM hot r JOIN wanted ON {on}{where}"
        ]

    def empty(self) -> str:
        listed = "".join(f", r.{name}" for name in self.columns)
        at = "coalesce(r.observed_at, r.committed_at)"
        return f"SELECT 0 AS k, {at} AS moment{listed} FROM hot r WHERE false"

    def _match(self, files: Sequence[DataFile]) -> tuple[str, list[str]]:
        """Join and conditions that pick the wanted series."""
        is_constant, dataset = _common(files, "dataset")
        names = ["attribute", "entity"]
        if not (is_constant and all(s.dataset == dataset for s in self.wanted.series)):
            names.append("dataset")
        if len(self.wanted.series) == 1:
            (only,) = self.wanted.series
            return "", [f"r.{name} = {quoted(getattr(only, name))}" for name in names]
        on = " AND ".join(f"r.{name} = wanted.{name}" for name in names)
        return f" JOIN wanted ON {on}", []


def _corrected(
    source: Source, make: _Maker, files: Sequence[DataFile], tables: dict[str, pa.Table]
) -> pa.Table:
    """Keys with a correction and the revision in force: k, observed_at, revision."""
    columns = ("observed_at", "revision")
    parts = make.lake(files, columns, "r.revision > 0 AND r.observed_at IS NOT NULL")
    parts += make.hot(source.hot.num_rows > 0, columns)
    sql = f"""SELECT k, observed_at, max(revision) AS revision FROM ({_union(parts)})
        WHERE revision > 0 AND observed_at IS NOT NULL GROUP BY ALL"""
    return source.engine.query(sql, tables)


def _revised_days(files: Iterable[DataFile], hot: pa.Table) -> set[date]:
    """UTC days that hold corrections."""
    days = {f.day for f in files if f.is_revised}
    revised = hot.filter(pc.greater(hot["revision"], 0))["observed_at"]
    return days | set(pc.unique(revised.drop_null().cast(pa.date32())).to_pylist())


def _in_force(sql: str) -> str:
    return f"""SELECT * FROM ({sql}) x WHERE NOT EXISTS (SELECT 1 FROM corrected c
        WHERE c.k = x.k AND c.observed_at = x.observed_at AND c.revision > x.revision)"""


def _union(parts: Sequence[str]) -> str:
    return " UNION ALL ".join(parts)


def _lake_column(name: str, files: Sequence[DataFile]) -> str:
    """A column of the files, or the one value that they all hold: that need not be read."""
    if name not in LAKE_SCHEMA.names:
        return f"'' AS {name}"  # batch is not kept in the lake
    sql_type = _SQL_TYPES.get(LAKE_SCHEMA.field(name).type)
    is_constant, value = _common(files, name)
    if not is_constant or sql_type is None:
        return f"r.{name}"
    literal = "NULL" if value is None else quoted(str(value))
    return f"CAST({literal} AS {sql_type}) AS {name}"


def _common(files: Sequence[DataFile], column: str) -> tuple[bool, object]:
    """Whether all rows of all files hold one value in the column, and which."""
    first = files[0].constant(column)
    same = first[0] and all(f.constant(column) == first for f in files)
    return same, first[1]
