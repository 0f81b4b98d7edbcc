"""Moves rows from the log to the lake, exactly once (the steps stand in ports/sealing.py)."""

from collections.abc import Sequence
from datetime import datetime

import pyarrow.compute as pc

from dothi.model.measure import Measure, counter, gauge
from dothi.model.problem import Problem
from dothi.ports.clock import Clock
from dothi.ports.cursors import Cursors
from dothi.ports.sealing import SealSource
from dothi.storage.lake.periods import DAY_US, to_us
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.lake.table import LakeTable

_END_OF_TIME_US = 1 << 62


class Sealer:
    """Seals one lane; one Sealer per lane, called from one thread at a time."""

    def __init__(
        self,
        table: LakeTable,
        source: SealSource,
        cursors: Cursors,
        clock: Clock,
        settings: LakeSettings,
    ) -> None:
        self._table = table
        self._source = source
        self._cursors = cursors
        self._clock = clock
        self._settings = settings
        self.last_sealed_at: datetime | None = None
        """When a round last moved rows."""
        self._looked_us = 0
        self.sealed_rows = 0
        """Rows moved since the start."""

    @property
    def app_id(self) -> str:
        """Name of the Delta application transaction."""
        return f"dothi-lane-{self._source.lane}"

    def reconcile(self) -> None:
        """Finish what a crash interrupted: the lake may be one commit ahead of the log.

        Raises:
            Problem: the lake ends before the log's watermark: it was lost or put back from an
                older copy, and sealing on would hide that.
        """
        in_lake = self._table.sealed_version(self.app_id)
        horizon = self._source.horizon()
        if in_lake < horizon:
            raise Problem(
                code="lake_behind_log",
                title="The lake misses rows that were sealed",
                detail=f"{self._table.root} ends at row {in_lake} of lane {self._source.lane}, "
                f"the log was sealed up to row {horizon}",
                status=500,
                where=str(self._table.root),
                remedy="put back the folder `lake` that belongs to this database",
            )
        if in_lake > horizon:
            self._source.mark_sealed(in_lake)
        self._drop()

    def look(self) -> int:
        """Seal when it is time to, or when the log has grown beyond its limit meanwhile."""
        now_us = to_us(self._clock.now())
        waited_us = now_us - self._looked_us
        # A clock that jumped back must not put sealing off.
        is_time = not 0 <= waited_us < self._settings.seal_every_s * 1_000_000
        if not is_time and self._surplus() <= 0:
            return 0
        if is_time:
            self._looked_us = now_us
        return self.seal()

    def seal(self) -> int:
        """Move everything that is due; the number of rows moved."""
        self.reconcile()
        moved = 0
        while rows := self._seal_chunk():
            moved += rows
        if moved:
            self.last_sealed_at = self._clock.now()
        self._forget_batches()
        return moved

    def measures(self) -> Sequence[Measure]:
        """Rows moved, rows still in the log, and what the lake holds."""
        files = self._table.snapshot().files
        hot = self._source.head() - self._source.horizon()
        return (
            counter("dothi_sealed_rows_total", "Rows moved to the lake", self.sealed_rows),
            gauge("dothi_hot_rows", "Rows that are not in the lake yet", hot),
            gauge("dothi_lake_rows", "Rows of the lake", sum(f.rows for f in files)),
            gauge("dothi_lake_bytes", "Size of the lake's data files", sum(f.size for f in files)),
            gauge("dothi_lake_files", "Data files of the lake", len(files)),
        )

    def _seal_chunk(self) -> int:
        before_us = to_us(self._clock.now()) - round(self._settings.hot_window_s * 1_000_000)
        limit = self._settings.seal_chunk_rows
        surplus = self._surplus()
        if surplus > 0:
            before_us, limit = _END_OF_TIME_US, min(limit, surplus)
        rows = self._source.sealable(before_us, self._free_up_to(), limit)
        if rows.num_rows == 0:
            return 0
        last: int = pc.max(rows["seq"]).as_py()
        self._table.append(rows, self.app_id, last, self._settings.file_rows)
        self._source.mark_sealed(last)
        self._drop()
        self.sealed_rows += rows.num_rows
        return int(rows.num_rows)

    def _surplus(self) -> int:
        return self._source.head() - self._source.horizon() - self._settings.hot_rows

    def _free_up_to(self) -> int:
        """The last row that no consumer still has to read from the log."""
        return min([self._source.head(), *self._cursors.positions().values()])

    def _drop(self) -> None:
        while self._source.drop_sealed(self._settings.drop_chunk_rows):
            pass

    def _forget_batches(self) -> None:
        before_us = to_us(self._clock.now()) - self._settings.batch_days * DAY_US
        while self._source.forget_batches(before_us, self._settings.drop_chunk_rows):
            pass
