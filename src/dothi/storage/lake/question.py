"""What a question to the history is about: a span of time and a set of series."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.model.series import SeriesKey
from dothi.storage.lake.series_index import Digests, digests
from dothi.storage.lake.snapshot import DataFile, day_of

_DAY_US = 86_400_000_000


class Span(Struct, frozen=True):
    """A range of UTC microseconds, end exclusive; None: open."""

    start_us: int | None
    end_us: int | None

    def sql(self, column: str) -> list[str]:
        """Conditions on a column of instants."""
        conditions = []
        if self.start_us is not None:
            conditions.append(f"{column} >= {instant_sql(self.start_us)}")
        if self.end_us is not None:
            conditions.append(f"{column} < {instant_sql(self.end_us)}")
        return conditions

    def meets(self, file: DataFile) -> bool:
        """Whether an instant of the file's days lies within."""
        starts = self.start_us is None or file.last_day >= day_of(self.start_us)
        return starts and (self.end_us is None or file.day <= day_of(self.end_us - 1))

    def covers(self, file: DataFile) -> bool:
        """Whether no instant of the file's days lies outside."""
        starts = self.start_us is None or day_of(self.start_us + _DAY_US - 1) <= file.day
        return starts and (self.end_us is None or day_of(self.end_us) > file.last_day)


@dataclass(frozen=True)
class Wanted:
    """The series of a question, sorted and distinct."""

    series: tuple[SeriesKey, ...]

    @staticmethod
    def of(series: Iterable[SeriesKey]) -> "Wanted":
        return Wanted(tuple(sorted(set(series))))

    @cached_property
    def digests(self) -> Digests:
        """See series_index."""
        return digests(self.series)

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

    def positions(self, rows: pa.Table) -> pa.Array | pa.ChunkedArray:
        """k of each row by its names (int32); null where its series is not wanted."""
        if len(self.series) == 1:
            return _zero_where(rows, self.series[0])
        wanted = self.table()
        packed, wanted_packed = (
            np.zeros(rows.num_rows, np.int64),
            np.zeros(len(self.series), np.int64),
        )
        for name in ("entity", "attribute", "dataset"):
            known = pc.unique(wanted[name])
            packed = packed * (len(known) + 1) + _places(rows[name], known)
            wanted_packed = wanted_packed * (len(known) + 1) + _places(wanted[name], known)
        # An unknown name counts one place further than every known one, so nothing matches it.
        k = pc.index_in(pa.array(packed), value_set=pa.array(wanted_packed))
        return k.cast(pa.int32())

    def prune(self, files: Iterable[DataFile]) -> list[DataFile]:
        """Files that may hold one of the series."""
        attributes = sorted({s.attribute for s in self.series})
        entities = [s.entity for s in self.series]
        first, last = min(entities), max(entities)
        return [f for f in files if f.may_hold(attributes, first, last)]


def _zero_where(rows: pa.Table, series: SeriesKey) -> pa.ChunkedArray:
    """0 where the row is one of the series, null elsewhere."""
    texts = {"entity": series.entity, "attribute": series.attribute, "dataset": series.dataset}
    same = [pc.equal(rows[name], pa.scalar(text, pa.string())) for name, text in texts.items()]
    is_it = pc.and_(pc.and_(same[0], same[1]), same[2])
    return pc.if_else(is_it, pa.scalar(0, pa.int32()), pa.scalar(None, pa.int32()))


def _places(texts: pa.ChunkedArray, known: pa.Array) -> npt.NDArray[np.int64]:
    at = pc.index_in(texts, value_set=known).fill_null(len(known))
    places: npt.NDArray[np.int64] = at.cast(pa.int64()).to_numpy()
    return places


def instant_sql(us: int) -> str:
    """A TIMESTAMPTZ literal."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return f"TIMESTAMPTZ '{at.replace(tzinfo=None).isoformat(' ', 'microseconds')}+00'"
