"""Columns, order and encodings of the lake's table of observations (see docs/adr/0004)."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import TIMESTAMP

LAKE_SCHEMA = pa.schema(
    [
        pa.field("entity", pa.string(), nullable=False),
        pa.field("entity_type", pa.string()),
        pa.field("attribute", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("observed_at", TIMESTAMP),
        pa.field("number", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("body", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("quality", pa.int8(), nullable=False),
        pa.field("kind", pa.int8(), nullable=False),
        pa.field("change", pa.int8(), nullable=False),
        pa.field("revision", pa.int16(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("committed_at", TIMESTAMP, nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("lane", pa.int32(), nullable=False),
    ]
)
"""Columns of the data files. Delta knows no unsigned numbers, so flags are signed here.

`batch` is left out: its ids are random text, which would take more room than the value. The
operational table `batch` finds it by `seq`.
"""

PARTITION = "day"
"""UTC day of observed_at, or of committed_at for rows without a time of their own; of a folded
file the first day of its third of a month."""

FOLDED_PREFIX = "fold-"
"""How the names of folded files begin."""

TABLE_SCHEMA = LAKE_SCHEMA.append(pa.field(PARTITION, pa.date32(), nullable=False))

SORT_COLUMNS = ("attribute", "entity", "dataset", "time")
"""Order within a data file; `time` is observed_at or else committed_at, then seq."""

STATISTICS = (
    "entity",
    "attribute",
    "dataset",
    "unit",
    "quality",
    "kind",
    "change",
    "revision",
    "source",
    "observed_at",
    "committed_at",
    "seq",
    "lane",
)
"""Columns whose least and greatest value stand in the Delta log."""


def to_lake(rows: pa.Table) -> pa.Table:
    """LOG_SCHEMA rows as TABLE_SCHEMA rows, sorted by day and then by SORT_COLUMNS."""
    time = pc.coalesce(rows["observed_at"], rows["committed_at"])
    # Texts repeat: as numbers they are ordered and moved five times faster.
    coded = {
        field.name: _coded(rows[field.name]) if field.type == pa.string() else rows[field.name]
        for field in LAKE_SCHEMA
    }
    order = np.lexsort(
        (
            rows["seq"].to_numpy(),
            time.cast(pa.int64()).to_numpy(),
            *(_ranks(coded[name]) for name in ("dataset", "entity", "attribute")),
            time.cast(pa.date32()).cast(pa.int32()).to_numpy(),
        )
    )
    columns = {**coded, PARTITION: time.cast(pa.date32())}
    taken = [columns[f.name].take(pa.array(order)).cast(f.type) for f in TABLE_SCHEMA]
    return pa.table(taken, schema=TABLE_SCHEMA)


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column with each text stored once."""
    return column.dictionary_encode().unify_dictionaries().combine_chunks()


def _ranks(column: pa.DictionaryArray) -> npt.NDArray[np.int64]:
    """Position of each row's text in the order of all texts of the column."""
    ranks = np.empty(len(column.dictionary), np.int64)
    ranks[pc.sort_indices(column.dictionary).to_numpy()] = np.arange(len(ranks))
    return np.asarray(ranks[column.indices.to_numpy()])


def split_days(table: pa.Table) -> list[pa.Table]:
    """Slices of a table sorted by day, one per day."""
    days = table[PARTITION].combine_chunks()
    ends = pc.run_end_encode(days).run_ends.to_pylist() if len(days) else []
    starts = [0, *ends[:-1]]
    return [table.slice(a, b - a) for a, b in zip(starts, ends, strict=True)]
