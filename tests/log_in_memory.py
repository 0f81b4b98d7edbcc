"""The operational store as history and sealing see it, in memory, for tests and benchmarks."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import LOG_SCHEMA
from dothi.ports.history import FORGOTTEN, NO_HINT, HotHint

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Crash(Exception):
    """Stands for a process that ends between two steps."""


class MemoryLog:
    """SealSource, HotRows and Cursors over one Arrow table."""

    def __init__(self) -> None:
        self.rows = LOG_SCHEMA.empty_table()
        self.watermark = 0
        self.forgotten = FORGOTTEN.empty_table()
        self.consumers: dict[str, int] = {}
        self.crash_before: set[str] = set()
        """Names of methods that raise Crash when called."""

    lane = 0

    def write(self, rows: Sequence[dict[str, object]]) -> list[int]:
        """Append rows with defaults; the seqs given."""
        first = self.head() + 1
        full = [
            {
                "lane": 0,
                "seq": first + n,
                "source": "s1",
                "entity_type": "Station",
                "dataset": "",
                "quality": 1,
                "kind": 1,
                "change": 1,
                "batch": "b1",
                "revision": 0,
                "committed_at": row.get("observed_at"),
                **row,
            }
            for n, row in enumerate(rows)
        ]
        self.rows = pa.concat_tables([self.rows, pa.Table.from_pylist(full, LOG_SCHEMA)])
        return [int(str(row["seq"])) for row in full]

    def forget(
        self, series: tuple[str, str, str], observed_at: datetime | None = None, seq: int = 0
    ) -> None:
        """Rows of the series that are there now are no longer told: all, or one instance."""
        entity, attribute, dataset = series
        span = {"from_seq": seq, "up_to_seq": seq or self.head()}
        names = {"entity": entity, "attribute": attribute, "dataset": dataset}
        row = names | span | {"observed_at": observed_at}
        fresh = pa.Table.from_pylist([row], FORGOTTEN)
        self.forgotten = pa.concat_tables([self.forgotten, fresh])

    def head(self) -> int:
        return max(pc.max(self.rows["seq"]).as_py() or 0, self.watermark)

    def horizon(self) -> int:
        return self.watermark

    def sealable(self, before_us: int, up_to_seq: int, max_rows: int) -> pa.Table:
        seq = self.rows["seq"]
        due = pc.and_(pc.greater(seq, self.watermark), pc.less_equal(seq, up_to_seq))
        rows = self.rows.filter(due).slice(0, max_rows)
        old = pc.less(rows["committed_at"].cast(pa.int64()), before_us).to_numpy()
        return rows.slice(0, int(old.nonzero()[0][-1]) + 1 if old.any() else 0)

    def mark_sealed(self, seq: int) -> None:
        self._maybe_crash("mark_sealed")
        self.watermark = max(self.watermark, seq)

    def drop_sealed(self, chunk_rows: int) -> int:
        self._maybe_crash("drop_sealed")
        sealed = pc.less_equal(self.rows["seq"], self.watermark)
        gone = min(pc.sum(sealed).as_py() or 0, chunk_rows)
        self.rows = self.rows.slice(gone)
        return gone

    def forget_batches(self, before_us: int, most: int) -> int:
        """It has no record of batches; the end of the time is kept to be looked at."""
        self.batches_before_us = before_us
        return 0

    def drop(self, consumer: str) -> None:
        self.consumers.pop(consumer, None)

    def positions(self) -> dict[str, int]:
        return self.consumers

    def position(self, consumer: str, lane: int = 0) -> int:
        return self.consumers.get(consumer, 0)

    def advance(self, consumer: str, seq: int, lane: int = 0) -> None:
        self.consumers[consumer] = seq

    def hot(
        self,
        keys: pa.Table | None,
        start_us: int | None,
        end_us: int | None,
        hint: HotHint = NO_HINT,
    ) -> tuple[pa.Table, int, pa.Table]:
        rows = self.rows.filter(pc.greater(self.rows["seq"], self.watermark))
        at = pc.coalesce(rows["observed_at"], rows["committed_at"]).cast(pa.int64())
        keep = pc.is_valid(rows["seq"])
        if start_us is not None:
            keep = pc.and_(keep, pc.greater_equal(at, start_us))
        if end_us is not None:
            keep = pc.and_(keep, pc.less(at, end_us))
        rows = rows.filter(keep)
        if keys is not None:
            names = ["entity", "attribute", "dataset"]
            # A join cannot carry every column type through; positions can.
            places = rows.select(names).append_column(
                "n", pa.array(range(rows.num_rows), pa.int64())
            )
            found = places.join(keys, names, join_type="left semi")["n"]
            rows = rows.take(pc.take(found, pc.sort_indices(found)))
        return rows, self.watermark, self.forgotten

    def _maybe_crash(self, name: str) -> None:
        if name in self.crash_before:
            raise Crash(name)


class FixedClock:
    """A clock that shows what it is told."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at
