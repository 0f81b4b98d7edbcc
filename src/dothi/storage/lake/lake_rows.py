"""SELECTs over data files for the rows of one question.

Rows of files with an index are read beforehand (series_reader) and become a table beside the SQL;
files without one, and questions about a great many rows, are scanned by the engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from dothi.model.row import Change
from dothi.storage.lake.engine import quoted
from dothi.storage.lake.layout import LAKE_SCHEMA
from dothi.storage.lake.question import Span, Wanted
from dothi.storage.lake.series_reader import Located, SeriesReader
from dothi.storage.lake.snapshot import DataFile

VALUE_CHANGES = (int(Change.UPSERT), int(Change.ASSIGN))
"""Changes that record a value."""

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


@dataclass(frozen=True, slots=True)
class LakeRows:
    """The lake's side of a question."""

    reader: SeriesReader
    wanted: Wanted
    span: Span
    horizon: int
    """Rows beyond this seq are not the lake's to answer with."""
    tables: dict[str, pa.Table] = field(default_factory=dict)
    """What the SELECTs name; filled as they are made. `wanted` must be among them."""

    def select(
        self, files: Sequence[DataFile], columns: Sequence[str], extra: str = ""
    ) -> list[str]:
        """SELECTs of k, moment and the columns: one over read rows, one over scanned files.

        Args:
            extra: a condition on the columns of a row `r`.
        """
        located, scanned = self.reader.locate(files, self.wanted.digests)
        if sum(one.places.rows for one in located) > _READ_AHEAD_ROWS:
            located, scanned = [], [*scanned, *(one.file for one in located)]
        return [*self._read(located, columns, extra), *self._scan(scanned, columns, extra)]

    def _read(self, located: Sequence[Located], columns: Sequence[str], extra: str) -> list[str]:
        if not located:
            return []
        files = [one.file for one in located]
        name = f"read_{len(self.tables)}"
        needed = dict.fromkeys(c for c in columns if _is_read(c, files))
        needed |= dict.fromkeys(("observed_at", *_asked_by_conditions(files, self.horizon)))
        self.tables[name] = self.reader.read(located, list(needed))
        return [self._sql(f"{name} r", "r.k", files, columns, [extra] if extra else [])]

    def _scan(self, files: Sequence[DataFile], columns: Sequence[str], extra: str) -> list[str]:
        if not files:
            return []
        join, conditions = self._match(files)
        if extra:
            conditions.append(extra)
        k = "wanted.k" if join else "0"
        return [self._sql(f"{files_sql(files)} r{join}", k, files, columns, conditions)]

    def _sql(
        self,
        source: str,
        k: str,
        files: Sequence[DataFile],
        columns: Sequence[str],
        conditions: list[str],
    ) -> str:
        has_timeless = any(f.has_timeless for f in files)
        at = "coalesce(r.observed_at, r.committed_at)" if has_timeless else "r.observed_at"
        if not all(map(self.span.covers, files)):
            conditions += self.span.sql(at)
        if not _are_values(files):
            conditions.append(f"r.change IN {VALUE_CHANGES}")
        if any(f.last_seq > self.horizon for f in files):
            conditions.append(f"r.seq <= {self.horizon}")
        listed = "".join(f", {_column_sql(name, files)}" for name in columns)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {k} AS k, {at} AS moment{listed} FROM {source}{where}"

    def _match(self, files: Sequence[DataFile]) -> tuple[str, list[str]]:
        """Join and conditions that pick the wanted series by their names."""
        is_constant, dataset = _common(files, "dataset")
        names = ["attribute", "entity"]
        if not (is_constant and all(s.dataset == dataset for s in self.wanted.series)):
            names.append("dataset")
        if len(self.wanted.series) == 1:
            (only,) = self.wanted.series
            return "", [f"r.{name} = {quoted(getattr(only, name))}" for name in names]
        on = " AND ".join(f"r.{name} = wanted.{name}" for name in names)
        return f" JOIN wanted ON {on}", []


def files_sql(files: Sequence[DataFile], option: str = "filename = false") -> str:
    """A scan of data files."""
    names = ", ".join(quoted(f.location) for f in files)
    return f"read_parquet([{names}], hive_partitioning = false, {option})"


def _asked_by_conditions(files: Sequence[DataFile], horizon: int) -> list[str]:
    asked = []
    if any(f.has_timeless for f in files):
        asked.append("committed_at")
    if not _are_values(files):
        asked.append("change")
    if any(f.last_seq > horizon for f in files):
        asked.append("seq")
    if any(f.is_revised for f in files):
        asked.append("revision")
    return asked


def _are_values(files: Sequence[DataFile]) -> bool:
    """Whether no row of the files is a deletion or a change of an entity."""
    is_constant, change = _common(files, "change")
    return is_constant and change in VALUE_CHANGES


def _is_read(name: str, files: Sequence[DataFile]) -> bool:
    return name in LAKE_SCHEMA.names and _literal(name, files) is None


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
