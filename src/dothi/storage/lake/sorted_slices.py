"""Rows of many data files in file order, in slices that fit into memory."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from dothi.model.series import SeriesKey
from dothi.storage.lake.engine import Engine, quoted
from dothi.storage.lake.lake_rows import files_sql
from dothi.storage.lake.layout import LAKE_SCHEMA
from dothi.storage.lake.snapshot import DataFile

SLICE_ROWS = 2_000_000
"""About 250 bytes of memory a row while a slice is sorted and written."""
_NAMES = ("attribute", "entity", "dataset")
_ORDER = f"{', '.join(_NAMES)}, coalesce(observed_at, committed_at), seq"


def sorted_slices(
    engine: Engine, files: Sequence[DataFile], condition: str, slice_rows: int = SLICE_ROWS
) -> Iterator[pa.Table]:
    """LAKE_SCHEMA rows that meet the condition; a series never lies in two slices.

    A slice holds about `slice_rows` rows, more where one series alone has more.
    """
    columns = ", ".join(LAKE_SCHEMA.names)
    for low, high in _ranges(engine, files, condition, slice_rows):
        where = " AND ".join([f"({condition})", *_within(low, high)])
        yield engine.query(
            f"SELECT {columns} FROM {files_sql(files)} WHERE {where} ORDER BY {_ORDER}"
        )


def _ranges(
    engine: Engine, files: Sequence[DataFile], condition: str, slice_rows: int
) -> list[tuple[SeriesKey | None, SeriesKey | None]]:
    """First series of each slice and of the next one; None: open."""
    if sum(f.rows for f in files) <= slice_rows:
        return [(None, None)]
    names = ", ".join(_NAMES)
    counted = engine.query(
        f"SELECT {names}, count(*) AS rows FROM {files_sql(files)} WHERE {condition} "
        f"GROUP BY ALL ORDER BY {names}"
    )
    before = np.cumsum(counted["rows"].to_numpy()) - counted["rows"].to_numpy()
    starts = np.flatnonzero(np.diff(before // slice_rows)) + 1
    heads = counted.take(pa.array(starts))
    series = map(SeriesKey, *(heads[n].to_pylist() for n in ("entity", "attribute", "dataset")))
    edges = [None, *series, None]
    return list(pairwise(edges))


def _within(low: SeriesKey | None, high: SeriesKey | None) -> list[str]:
    """Conditions for low <= series < high in file order."""
    found = []
    if low is not None:
        # By itself the engine would not skip row groups by a comparison of several columns.
        found += [f"attribute >= {quoted(low.attribute)}", f"NOT ({_before(low)})"]
    if high is not None:
        found += [f"attribute <= {quoted(high.attribute)}", _before(high)]
    if low is not None and high is not None and low.attribute == high.attribute:
        found += [f"entity BETWEEN {quoted(low.entity)} AND {quoted(high.entity)}"]
    return found


def _before(series: SeriesKey) -> str:
    attribute, entity, dataset = (quoted(getattr(series, name)) for name in _NAMES)
    return (
        f"(attribute < {attribute} OR (attribute = {attribute} AND (entity < {entity} "
        f"OR (entity = {entity} AND dataset < {dataset}))))"
    )
