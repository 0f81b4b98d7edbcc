"""Folds the files of past days into files that hold a third of a month.

One series over some months then stands in a few places instead of one a day. The thirds begin on
the 1st, 11th and 21st (UTC). A folded file holds whole series, sorted like every other; its times
of commit are kept to the second, because in this order their microseconds would take more room
than the values (docs/adr/0005).
"""

from collections.abc import Iterator
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import TIMESTAMP
from dothi.storage.lake.engine import Engine
from dothi.storage.lake.layout import LAKE_SCHEMA
from dothi.storage.lake.parquet import FOLDED
from dothi.storage.lake.snapshot import DataFile, Snapshot
from dothi.storage.lake.sorted_slices import sorted_slices
from dothi.storage.lake.table import LakeTable

_LATE_FRACTION = 0.05
"""Late rows are folded in once they are more than this part of what is folded already."""


def third_of(day: date) -> tuple[date, date]:
    """First and last day of the third of a month that holds the day."""
    first = day.replace(day=min((day.day - 1) // 10, 2) * 10 + 1)
    if first.day < 21:
        return first, first + timedelta(days=9)
    return first, (first + timedelta(days=15)).replace(day=1) - timedelta(days=1)


def due(snapshot: Snapshot, before: date) -> dict[date, list[DataFile]]:
    """First day of each third that ended before the day and has to be folded -> its files."""
    loose: dict[date, list[DataFile]] = {}
    folded: dict[date, list[DataFile]] = {}
    for file in snapshot.files:
        first, last = third_of(file.day)
        if last < before and file.last_day <= last:
            (folded if file.is_folded else loose).setdefault(first, []).append(file)
    return {
        first: [*files, *folded.get(first, [])]
        for first, files in loose.items()
        if _rows(files) > _LATE_FRACTION * _rows(folded.get(first, []))
    }


def fold(table: LakeTable, engine: Engine, first: date, files: list[DataFile]) -> None:
    """Put folded files in the place of the files of one third of a month."""
    metadata: dict[str, object] = {"dothi": "fold", "day": first.isoformat()}
    # A slice holds whole series; as a file of its own it keeps each series in one place.
    slices = coarse(sorted_slices(engine, files, "true"))
    table.replace(files, first, slices, FOLDED, metadata)


def coarse(slices: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """LAKE_SCHEMA rows with times of commit to the second; where it is the only time, as it is."""
    for rows in slices:
        committed = rows["committed_at"]
        seconds = pc.floor_temporal(committed, unit="second").cast(TIMESTAMP)
        kept = pc.if_else(pc.is_valid(rows["observed_at"]), seconds, committed)
        yield rows.set_column(LAKE_SCHEMA.get_field_index("committed_at"), "committed_at", kept)


def _rows(files: list[DataFile]) -> int:
    return sum(f.rows for f in files)
