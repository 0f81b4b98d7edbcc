"""Leaves out rows that are forgotten.

Log and lake keep them; `ports/history.py` FORGOTTEN says which ones. A value that comes again is
stored as a correction of the forgotten one, so what is left out never hides what is not.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.storage.lake.question import Wanted

_FEW = 64
"""So many are looked at one by one; more are joined by the engine."""


class Relation(Struct, frozen=True):
    """Rows at hand, or SQL text for them and the tables that it names."""

    rows: pa.Table | None
    sql: str
    tables: dict[str, pa.Table]


def without_forgotten(found: Relation, wanted: Wanted, forgotten: pa.Table) -> Relation:
    """A relation that has the columns observed_at and seq, without the forgotten rows."""
    spans = pa.table(
        {
            "k": wanted.positions(forgotten),
            **{name: forgotten[name] for name in ("observed_at", "from_seq", "up_to_seq")},
        }
    )
    spans = spans.filter(pc.is_valid(spans["k"]))
    if found.rows is not None and spans.num_rows <= _FEW:
        rows = found.rows.filter(pa.array(_kept(found.rows, spans)))
        return Relation(rows, found.sql, found.tables | {"taken": rows})
    sql = f"""SELECT * FROM ({found.sql}) x WHERE NOT EXISTS (SELECT 1 FROM forgotten f
        WHERE f.k = x.k AND x.seq BETWEEN f.from_seq AND f.up_to_seq
        AND (f.observed_at IS NULL OR f.observed_at = x.observed_at))"""
    return Relation(None, sql, found.tables | {"forgotten": spans})


def _kept(rows: pa.Table, spans: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    kept = np.ones(rows.num_rows, np.bool_)
    k, seq = rows["k"].to_numpy(), rows["seq"].to_numpy()
    observed = rows["observed_at"].cast(pa.int64())
    has_time = pc.is_valid(observed).to_numpy(zero_copy_only=False)
    us = observed.fill_null(0).to_numpy()
    columns = (spans["k"], spans["observed_at"].cast(pa.int64()), spans["from_seq"])
    for series, at, first, last in zip(
        *(column.to_pylist() for column in (*columns, spans["up_to_seq"])), strict=True
    ):
        gone = (k == series) & (seq >= first) & (seq <= last)
        kept &= ~(gone if at is None else gone & has_time & (us == at))
    return kept
