"""The rows of one question out of data files.

Rows of files with an index are read at their places (series_reader); files without one, and
questions about a great many rows, are scanned by the engine.
"""

from collections.abc import Sequence

import pyarrow as pa
from msgspec import Struct

from dothi.storage.lake.conditions import VALUES, Changes, Conditions
from dothi.storage.lake.engine import quoted
from dothi.storage.lake.layout import LAKE_SCHEMA
from dothi.storage.lake.question import Span, Wanted
from dothi.storage.lake.series_reader import Located, SeriesReader
from dothi.storage.lake.snapshot import DataFile

_READ_AHEAD_ROWS = 20_000_000
"""More rows than this are scanned, which needs no memory for all of them at once."""

_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
}


class LakeRows(Struct, frozen=True):
    """The lake's side of a question."""

    reader: SeriesReader
    wanted: Wanted
    span: Span
    horizon: int
    """Rows beyond this seq are not the lake's to answer with."""
    changes: Changes = VALUES
    """Rows of these changes are asked for; others are no history of a value."""

    def take(
        self, files: Sequence[DataFile], columns: Sequence[str], *, only_corrections: bool = False
    ) -> "Taken":
        """k, moment and the columns of the wanted rows: read, or as SELECT where they must be
        scanned."""
        located, scanned = self.reader.locate(files, self.wanted.digests)
        if sum(one.places.rows for one in located) > _READ_AHEAD_ROWS:
            located, scanned = [], [*scanned, *(one.file for one in located)]
        asked = _Asked(self, tuple(columns), only_corrections)
        return Taken(
            read=[asked.read(located)] if located else [],
            scans=[asked.scan(scanned)] if scanned else [],
        )


class Taken(Struct, frozen=True):
    """Rows of one question, of equal columns."""

    read: list[pa.Table]
    scans: list[str]
    """SELECTs that name the table `wanted`."""


class _Asked(Struct, frozen=True):
    of: LakeRows
    columns: tuple[str, ...]
    only_corrections: bool

    def read(self, located: Sequence[Located]) -> pa.Table:
        files = [one.file for one in located]
        conditions = self._conditions(files)
        needed = dict.fromkeys(c for c in self.columns if _is_read(c, files))
        needed |= dict.fromkeys(("observed_at", *conditions.columns))
        rows = self.of.reader.read(located, list(needed))
        mask = conditions.mask(rows)
        rows = rows if mask is None else rows.filter(mask)
        listed = {"k": rows["k"], "moment": conditions.moment(rows)}
        return pa.table(listed | {c: _column(c, rows, files) for c in self.columns})

    def scan(self, files: Sequence[DataFile]) -> str:
        join, matches = self._match(files)
        conditions = self._conditions(files)
        where = " AND ".join([*matches, *conditions.sql()])
        k, moment = "wanted.k" if join else "0", conditions.moment_sql()
        listed = "".join(f", {_column_sql(name, files)}" for name in self.columns)
        return (
            f"SELECT {k} AS k, {moment} AS moment{listed} "
            f"FROM {files_sql(files)} r{join}{f' WHERE {where}' if where else ''}"
        )

    def _conditions(self, files: Sequence[DataFile]) -> Conditions:
        span, horizon = self.of.span, self.of.horizon
        return Conditions(
            has_timeless=any(f.has_timeless for f in files),
            span=None if all(map(span.covers, files)) else span,
            changes=None if _all_asked(files, self.of.changes) else self.of.changes,
            up_to_seq=horizon if any(f.last_seq > horizon for f in files) else None,
            only_corrections=self.only_corrections,
        )

    def _match(self, files: Sequence[DataFile]) -> tuple[str, list[str]]:
        """Join and conditions that pick the wanted series by their names."""
        series = self.of.wanted.series
        is_constant, dataset = _common(files, "dataset")
        names = ["attribute", "entity"]
        if not (is_constant and all(s.dataset == dataset for s in series)):
            names.append("dataset")
        if len(series) == 1:
            return "", [f"r.{name} = {quoted(getattr(series[0], name))}" for name in names]
        on = " AND ".join(f"r.{name} = wanted.{name}" for name in names)
        return f" JOIN wanted ON {on}", []


def files_sql(files: Sequence[DataFile], option: str = "filename = false") -> str:
    """A scan of data files."""
    names = ", ".join(quoted(f.location) for f in files)
    return f"read_parquet([{names}], hive_partitioning = false, {option})"


def _all_asked(files: Sequence[DataFile], changes: Changes) -> bool:
    """Whether every row of the files has one of the changes, by the statistics."""
    is_constant, change = _common(files, "change")
    return is_constant and change in changes


def _is_read(name: str, files: Sequence[DataFile]) -> bool:
    return name in LAKE_SCHEMA.names and _literal(name, files) is None


def _column(name: str, rows: pa.Table, files: Sequence[DataFile]) -> pa.Array | pa.ChunkedArray:
    """A column as it was read, or filled with the one value that all files hold."""
    if name in rows.column_names:
        return rows[name]
    if name not in LAKE_SCHEMA.names:
        return pa.repeat(pa.scalar(""), rows.num_rows)  # batch is not kept in the lake
    _, value = _common(files, name)
    return pa.repeat(pa.scalar(value, LAKE_SCHEMA.field(name).type), rows.num_rows)


def _column_sql(name: str, files: Sequence[DataFile]) -> str:
    if name not in LAKE_SCHEMA.names:
        return f"'' AS {name}"  # batch is not kept in the lake
    literal = _literal(name, files)
    return f"r.{name}" if literal is None else f"{literal} AS {name}"


def _literal(name: str, files: Sequence[DataFile]) -> str | None:
    """The one value that all files hold in a column: that need not be read."""
    sql_type = _SQL_TYPES.get(LAKE_SCHEMA.field(name).type)
    is_constant, value = _common(files, name)
    if not is_constant or sql_type is None:
        return None
    return f"CAST({'NULL' if value is None else quoted(str(value))} AS {sql_type})"


def _common(files: Sequence[DataFile], column: str) -> tuple[bool, object]:
    """Whether all rows of all files hold one value in the column, and which."""
    first = files[0].constant(column)
    same = first[0] and all(f.constant(column) == first for f in files)
    return same, first[1]
