"""The rows that one question is about: lake and hot, values in force only.

They have `k` (position of the series in the question), `moment` (observed_at, else committed_at)
and the columns that were asked for. Corrections are looked for only on days whose files or hot
rows hold some: the corrected keys are few, so the rows they replace are left out by an anti-join
and every other row goes through untouched.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field

from dothi.model.row import LOG_SCHEMA
from dothi.ports.history import FORGOTTEN
from dothi.storage.lake.conditions import VALUES, Changes
from dothi.storage.lake.engine import Engine
from dothi.storage.lake.forgetting import Relation, without_forgotten
from dothi.storage.lake.lake_rows import LakeRows, Taken
from dothi.storage.lake.question import Span, Wanted
from dothi.storage.lake.series_reader import SeriesReader
from dothi.storage.lake.snapshot import DataFile


class Source(Struct, frozen=True):
    """Where the rows of a question come from: one consistent view of log and lake."""

    engine: Engine
    reader: SeriesReader
    files: Sequence[DataFile]
    """Of the lake; those that cannot hold a row of the question may be among them."""
    hot: pa.Table
    """LOG_SCHEMA; values of the wanted series within the span only."""
    horizon: int
    """Rows of the lake beyond this seq are in `hot`."""
    forgotten: pa.Table = field(default_factory=FORGOTTEN.empty_table)
    """FORGOTTEN rows of the wanted series."""
    changes: Changes = VALUES
    """Rows of these changes are asked for."""


def values_only(rows: pa.Table, changes: Changes = VALUES) -> pa.Table:
    """Rows that set a value; deletions and entity changes are not history of a value."""
    is_asked = pc.is_in(rows["change"], pa.array(changes, pa.uint8()))
    return rows if pc.all(is_asked).as_py() else rows.filter(is_asked)


def relation(
    source: Source, wanted: Wanted, span: Span, columns: Sequence[str], *, all_revisions: bool
) -> Relation:
    """The rows of the wanted series within the span.

    Args:
        columns: names of LOG_SCHEMA beside entity, attribute and dataset; each is in the result
            after k and moment.
    """
    if not source.forgotten.num_rows:
        return _relation(source, wanted, span, columns, all_revisions=all_revisions)
    needed = dict.fromkeys((*columns, "observed_at", "seq"))
    rows = _relation(source, wanted, span, tuple(needed), all_revisions=all_revisions)
    return without_forgotten(rows, wanted, source.forgotten)


def _relation(
    source: Source, wanted: Wanted, span: Span, columns: Sequence[str], *, all_revisions: bool
) -> Relation:
    """The same, with what is forgotten still in it."""
    lake = LakeRows(source.reader, wanted, span, source.horizon, source.changes)
    files = wanted.prune(f for f in source.files if span.meets(f))
    hot = _hot(source.hot, wanted, span, columns)
    days = set() if all_revisions else revised_days(files, source.hot)
    tables = {"wanted": wanted.table()}
    if days:
        tables["corrected"] = _corrected(source, lake, [f for f in files if f.is_revised])
    if not days or tables["corrected"].num_rows == 0:
        taken = lake.take(files, columns)
        return _related(Taken([*taken.read, *hot], taken.scans), Taken([], []), tables, columns)
    touched = lake.take([f for f in files if not days.isdisjoint(f.days())], columns)
    untouched = lake.take([f for f in files if days.isdisjoint(f.days())], columns)
    return _related(untouched, Taken([*touched.read, *hot], touched.scans), tables, columns)


def _related(
    untouched: Taken, touched: Taken, tables: dict[str, pa.Table], columns: Sequence[str]
) -> Relation:
    """All rows; of the touched ones those that no correction replaces."""
    if not (untouched.scans or touched.read or touched.scans):
        rows = _together(untouched.read) if untouched.read else _empty(columns)
        return Relation(rows, "SELECT * FROM taken", {"taken": rows})
    selects = list(untouched.scans)
    if untouched.read:
        tables["untouched"] = _together(untouched.read)
        selects.append("SELECT * FROM untouched")
    selects += map(_in_force, touched.scans)
    if touched.read:
        tables["touched"] = _together(touched.read)
        selects.append(_in_force("SELECT * FROM touched"))
    return Relation(None, " UNION ALL ".join(selects), tables)


def _hot(hot: pa.Table, wanted: Wanted, span: Span, columns: Sequence[str]) -> list[pa.Table]:
    """The hot rows in the shape of the relation; none or one table."""
    moment = pc.coalesce(hot["observed_at"], hot["committed_at"])
    us = moment.cast(pa.int64()).to_numpy()
    within = np.ones(len(us), np.bool_)
    if span.start_us is not None:
        within &= us >= span.start_us
    if span.end_us is not None:
        within &= us < span.end_us
    rows = hot
    if not within.all():
        at = pa.array(np.flatnonzero(within))
        rows, moment = hot.take(at), moment.take(at)
    if rows.num_rows == 0:
        return []
    k = wanted.positions(rows)
    listed = pa.table({"k": k, "moment": moment} | {name: rows[name] for name in columns})
    return [listed.filter(pc.is_valid(k)) if k.null_count else listed]


def _together(parts: Sequence[pa.Table]) -> pa.Table:
    """One table; texts that were read as dictionaries and flags of another width become plain."""
    if len(parts) == 1:
        return parts[0]
    return pa.concat_tables([p.cast(_schema(p.column_names[2:])) for p in parts])


def _schema(columns: Sequence[str]) -> pa.Schema:
    moment = LOG_SCHEMA.field("committed_at").type
    fields = [(name, LOG_SCHEMA.field(name).type) for name in columns]
    return pa.schema([("k", pa.int32()), ("moment", moment), *fields])


def _empty(columns: Sequence[str]) -> pa.Table:
    return _schema(columns).empty_table()


def _corrected(source: Source, lake: LakeRows, revised: Sequence[DataFile]) -> pa.Table:
    """Keys with a correction and the revision in force: k, observed_at, revision."""
    columns = ("observed_at", "revision")
    taken = lake.take(revised, columns, only_corrections=True)
    read = [*taken.read, *_hot(source.hot, lake.wanted, lake.span, columns)]
    found = _related(
        Taken(read, taken.scans), Taken([], []), {"wanted": lake.wanted.table()}, columns
    )
    sql = f"""SELECT k, observed_at, max(revision) AS revision FROM ({found.sql})
        WHERE revision > 0 AND observed_at IS NOT NULL GROUP BY ALL"""
    return source.engine.query(sql, found.tables)


def revised_days(files: Iterable[DataFile], hot: pa.Table) -> set[date]:
    """UTC days that hold corrections."""
    days = {day for f in files if f.is_revised for day in f.days()}
    if hot.num_rows == 0:
        return days
    revised = hot.filter(pc.greater(hot["revision"], pa.scalar(0, pa.uint8())))["observed_at"]
    return days | set(pc.unique(revised.drop_null().cast(pa.date32())).to_pylist())


def _in_force(sql: str) -> str:
    return f"""SELECT * FROM ({sql}) x WHERE NOT EXISTS (SELECT 1 FROM corrected c
        WHERE c.k = x.k AND c.observed_at = x.observed_at AND c.revision > x.revision)"""
