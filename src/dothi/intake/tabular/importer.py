"""Brings a file in: chunk by chunk, so that a broken import is taken up where it stopped."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct, field

from dothi.intake.tabular.mapping import Mapping, check
from dothi.intake.tabular.read import Progress, digest, open_chunks
from dothi.intake.tabular.rows import Chunk, RowMaker
from dothi.model.batch import Batch, CommitResult, Rejection
from dothi.model.problem import Overloaded
from dothi.ports.clock import Clock
from dothi.ports.ingest import Ingest

ROWS_PER_BATCH = 50_000
IN_FLIGHT = 2
"""While one batch is stored, the next is made."""
KEPT_EXAMPLES = 20


class ImportReport(Struct):
    """How far an import is, and at the end what it came to."""

    total_bytes: int = 0
    read_bytes: int = 0
    received: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    known: int = 0
    """Rows that an earlier import of the same file had brought in already."""
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[Rejection] = field(default_factory=list)
    """The first of what was rejected."""
    started_s: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.started_s

    @property
    def eta_s(self) -> float | None:
        """Seconds to the end at the pace so far; None: not known yet."""
        if not self.read_bytes or not self.total_bytes:
            return None
        return self.elapsed_s * (self.total_bytes - self.read_bytes) / self.read_bytes

    def note(self, rejected: tuple[Rejection, ...]) -> None:
        """Count what was refused."""
        for rejection in rejected:
            self.reasons[rejection.reason] += rejection.count
            if len(self.examples) < KEPT_EXAMPLES:
                self.examples.append(rejection)

    def add(self, result: CommitResult) -> None:
        """Count a committed batch."""
        self.received += result.received
        there = result.stored + result.duplicates
        if result.replayed:
            self.known += there
        else:
            self.stored += result.stored
            self.duplicates += result.duplicates
        self.rejected += result.received - there
        self.note(result.rejected)


class Importer:
    """Imports files through the one way in.

    The id of a batch is made of the file's content, the mapping and the number of the chunk:
    importing the same file again, or going on after a stop, stores nothing twice.
    """

    def __init__(self, ingest: Ingest, clock: Clock) -> None:
        self._ingest = ingest
        self._clock = clock

    async def run(
        self,
        path: Path,
        mapping: Mapping,
        progress: Callable[[ImportReport], None] = lambda _report: None,
    ) -> ImportReport:
        """Import the file; `progress` is called after each batch.

        Raises:
            Problem: the mapping or the file does not fit. What was read before stays stored.
            StoreUnavailable: run it again, it goes on.
        """
        check(mapping)
        maker = RowMaker(mapping)
        report = ImportReport()
        stem = f"import:{(await asyncio.to_thread(digest, path))[:40]}:{mapping.fingerprint()}"
        with open_chunks(path, mapping, chunk_rows(mapping)) as (chunks, reading):
            flying: list[asyncio.Task[CommitResult]] = []
            try:
                number = 0
                while True:
                    batch = await asyncio.to_thread(
                        self._next, chunks, maker, f"{stem}:{number:06}"
                    )
                    if batch is None:
                        break
                    flying.append(asyncio.create_task(self._submit(batch)))
                    if len(flying) >= IN_FLIGHT:
                        self._land(report, await flying[0], reading, progress)
                        flying.pop(0)
                    number += 1
                while flying:
                    self._land(report, await flying[0], reading, progress)
                    flying.pop(0)
            finally:
                await asyncio.gather(*flying, return_exceptions=True)
        return report

    def _next(self, chunks: Iterator[Chunk], maker: RowMaker, batch_id: str) -> Batch | None:
        chunk = next(chunks, None)
        if chunk is None:
            return None
        rows, rejected = maker.rows(chunk)
        # An administrator imports, and may bring in the history of any source's series.
        return Batch(batch_id, rows, self._clock.now(), rejected, is_trusted=True)

    async def _submit(self, batch: Batch) -> CommitResult:
        while True:
            try:
                return await self._ingest.submit(batch)
            except Overloaded as busy:
                await asyncio.sleep(busy.retry_after_s)

    def _land(
        self,
        report: ImportReport,
        result: CommitResult,
        reading: Progress,
        progress: Callable[[ImportReport], None],
    ) -> None:
        report.add(result)
        report.total_bytes, report.read_bytes = reading.total_bytes, reading.read_bytes
        progress(report)


def chunk_rows(mapping: Mapping) -> int:
    """Rows of the file that make about ROWS_PER_BATCH rows of a batch."""
    if mapping.layout == "long":
        return ROWS_PER_BATCH
    return max(1, ROWS_PER_BATCH // max(1, len(mapping.columns)))
