"""Takes rows that are forgotten out of the lake's files.

They left the log when they were sealed, which waits for every consumer. First the files without
them are committed, then their record is settled: after a crash in between the next round finds
nothing left to take out, and settles it.
"""

import logging
from collections.abc import Mapping
from datetime import date
from itertools import groupby
from typing import Any

import pyarrow as pa

from dothi.model.series import SeriesKey
from dothi.ports.sealing import ForgottenRows
from dothi.storage.lake.engine import Engine, quoted
from dothi.storage.lake.lake_rows import files_sql
from dothi.storage.lake.parquet import FOLDED, FileShape
from dothi.storage.lake.periods import to_us
from dothi.storage.lake.question import Wanted, instant_sql
from dothi.storage.lake.snapshot import DataFile
from dothi.storage.lake.sorted_slices import sorted_slices
from dothi.storage.lake.table import LakeTable

_log = logging.getLogger(__name__)
_AT_ONCE = 200
"""Stretches that one look at the files takes out."""


def erase_forgotten(
    table: LakeTable, engine: Engine, forgotten: ForgottenRows, shape: FileShape
) -> int:
    """Take out everything that is forgotten and sealed; the number of rows that were there."""
    erased = 0
    while (spans := forgotten.erasable(_AT_ONCE)).num_rows:
        erased += _erase(table, engine, spans, shape)
        forgotten.settle(spans)
    if erased:
        _log.info("took %d forgotten rows out of the lake", erased)
    return erased


def _erase(table: LakeTable, engine: Engine, spans: pa.Table, shape: FileShape) -> int:
    rows = spans.to_pylist()
    series = [SeriesKey(row["entity"], row["attribute"], row["dataset"]) for row in rows]
    is_gone = f"({' OR '.join(map(_is_of, rows))})"
    files = Wanted.of(series).prune(table.snapshot().files)
    if not files:
        return 0
    counted = engine.query(
        f"SELECT filename, count(*) AS rows FROM {files_sql(files, 'filename = true')} "
        f"WHERE {is_gone} GROUP BY ALL"
    )
    found = dict(zip(counted["filename"].to_pylist(), counted["rows"].to_pylist(), strict=True))
    touched = sorted((f for f in files if f.location in found), key=_place)
    for (day, is_folded), some in groupby(touched, key=_place):
        old = list(some)
        kept = sorted_slices(engine, old, f"NOT {is_gone}")
        metadata: dict[str, object] = {"dothi": "erase", "day": day.isoformat()}
        table.replace(old, day, kept, FOLDED if is_folded else shape, metadata)
    return sum(found.values())


def _place(file: DataFile) -> tuple[date, bool]:
    """Files of one day, folded or not, are rewritten together."""
    return file.day, file.is_folded


def _is_of(row: Mapping[str, Any]) -> str:
    """SQL that is true for the rows of a stretch, and false for all others."""
    names = [f"{n} = {quoted(row[n])}" for n in ("attribute", "entity", "dataset")]
    terms = [*names, f"seq BETWEEN {row['from_seq']} AND {row['up_to_seq']}"]
    if row["observed_at"] is not None:
        terms.append(f"observed_at = {instant_sql(to_us(row['observed_at']))}")
    return f"coalesce({' AND '.join(terms)}, false)"
