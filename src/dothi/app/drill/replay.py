"""Plays a recording: its rows go in as columns when their time has come."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from dothi.app.drill.recording import Recording
from dothi.app.drill.timing import Timing
from dothi.model.batch import Batch
from dothi.model.problem import Overloaded
from dothi.model.row import ROW_SCHEMA, TIMESTAMP
from dothi.ports.ingest import Ingest

log = logging.getLogger(__name__)

_TICK_S = 0.25
"""Rows whose times lie closer together go in as one batch."""
_ROWS_PER_PIECE = 50_000


class ReplayFeed:
    """Everything that a recording holds, dated anew."""

    def __init__(self, recording: Recording, ingest: Ingest, timing: Timing) -> None:
        self._recording = recording
        self._ingest = ingest
        self._timing = timing
        self.sent = 0
        """Rows so far."""

    async def run(self, duration_s: float) -> None:
        """Until the recording is over, or the scenario."""
        end_us = _us(self._timing.at(duration_s))
        pieces = self._pieces()
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            at_us = self._dated(piece)
            first = 0
            while first < len(at_us):
                if at_us[first] > end_us:
                    return
                await self._sleep_until(int(at_us[first]))
                count = int(np.searchsorted(at_us, min(_us(datetime.now(UTC)), end_us), "right"))
                await self._submit(piece.slice(first, count - first), at_us[first:count])
                first = count
                await asyncio.sleep(_TICK_S)

    def _pieces(self) -> Iterator[pa.Table]:
        with pq.ParquetFile(self._recording.path) as file:
            for batch in file.iter_batches(_ROWS_PER_PIECE):
                yield pa.Table.from_batches([batch])

    def _dated(self, piece: pa.Table) -> npt.NDArray[np.int64]:
        """When each row happens in the drill: microseconds since 1970."""
        recorded = piece["observed_at"].cast(pa.int64()).to_numpy()
        after_us = (recorded - _us(self._recording.begin_at)) / self._timing.speed
        dated: npt.NDArray[np.int64] = _us(self._timing.began_at) + after_us.astype(np.int64)
        return dated

    async def _sleep_until(self, at_us: int) -> None:
        pause_s = (at_us - _us(datetime.now(UTC))) / 1e6
        if pause_s > 0:
            await asyncio.sleep(pause_s)

    async def _submit(self, rows: pa.Table, at_us: npt.NDArray[np.int64]) -> None:
        if not rows.num_rows:
            return
        place = ROW_SCHEMA.get_field_index("observed_at")
        dated = pa.array(at_us).cast(TIMESTAMP)
        rows = rows.set_column(place, ROW_SCHEMA.field("observed_at"), dated)
        batch = Batch(f"drill:{_us(self._timing.began_at)}:{self.sent}", rows, datetime.now(UTC))
        while True:
            try:
                result = await self._ingest.submit(batch)
                break
            except Overloaded as busy:
                await asyncio.sleep(busy.retry_after_s)
        self.sent += rows.num_rows
        for rejection in result.rejected[:1]:
            log.warning("values of the recorded day were refused: %s", rejection.detail)


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
