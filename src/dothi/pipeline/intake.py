"""The one way in: a bounded queue, group commit, and an answer after the commit is durable."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct, field

from dothi.model.attribute_spec import AttributeSpec
from dothi.model.batch import Batch, CellGroup, CommitResult, Group
from dothi.model.measure import Measure
from dothi.model.problem import Overloaded, StoreUnavailable
from dothi.model.row import Change
from dothi.pipeline.admit import admit
from dothi.pipeline.admit_cells import admit_cells
from dothi.pipeline.entity_cache import EntityCache
from dothi.pipeline.figures import IntakeFigures
from dothi.pipeline.settings import PipelineSettings
from dothi.ports.log import LogWriter

logger = logging.getLogger(__name__)

_OF_VALUES = {int(c) for c in (Change.UPSERT, Change.ASSIGN, Change.DELETE_ATTRIBUTE)}
"""Changes after which an entity that was there is still there, of the same types and scope."""
_EMPTY_BATCH_ROWS = 1
"""What a batch without rows weighs in the queue: rejections cost work too."""


class _Waiting(Struct):
    batch: Batch
    done: "asyncio.Future[CommitResult]"
    queued_s: float = field(default_factory=time.monotonic)

    @property
    def weight(self) -> int:
        return max(int(self.batch.rows.num_rows), _EMPTY_BATCH_ROWS)


class Intake:
    """ports.ingest.Ingest: batches that arrive together share one transaction.

    Admit and commit run on one thread of their own, the writer of the lane; the event loop stays
    free. While a commit runs, the next group gathers, so a busy system makes large groups and an
    idle one answers at once.
    """

    name = "intake"

    def __init__(
        self,
        writer: LogWriter,
        specs: Mapping[str, AttributeSpec],
        settings: PipelineSettings | None = None,
    ) -> None:
        self._writer = writer
        self._specs = specs
        self._settings = settings or PipelineSettings()
        self._waiting: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dothi-writer")
        self._watchers: list[Callable[[int], None]] = []
        self._cache: EntityCache | None = None
        self._is_stopping = False
        self.figures = IntakeFigures()
        self.head = 0
        """Highest seq committed by this intake since its start."""

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="dothi-intake")

    async def stop(self) -> None:
        """Commit what was accepted, then end."""
        self._is_stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None
        self._thread.shutdown()

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        return self.figures.measures()

    def watch(self, wake: Callable[[int], None]) -> None:
        """Call `wake(head)` on the event loop after each commit. It must not block."""
        self._watchers.append(wake)

    def keep_true(self, cache: EntityCache) -> None:
        """Tell the cache what was written, before the write is acknowledged."""
        self._cache = cache

    async def submit(self, batch: Batch) -> CommitResult:
        """See ports.ingest.Ingest."""
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        queued = self.figures.queued_rows
        if self._is_stopping:
            raise StoreUnavailable("dothi is stopping; send again after the restart")
        if queued and queued + waiting.weight > self._settings.queue_rows:
            self.figures.refused += 1
            raise Overloaded(self._retry_after_s())
        self._waiting.append(waiting)
        self.figures.queued_rows += waiting.weight
        self._wake.set()
        return await waiting.done

    def _retry_after_s(self) -> float:
        latest = self.figures.commit_s
        return max(1.0, round(5 * (sum(latest) / len(latest) if latest else 0.2), 1))

    async def _run(self) -> None:
        while self._waiting or not self._is_stopping:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            if self._is_small():
                await asyncio.sleep(self._settings.gather_s)
            await self._settle(self._take())

    async def _settle(self, group: list[_Waiting]) -> None:
        """Commit a group and answer everybody in it.

        Supervisor boundary: whoever waits gets the failure. A store that cannot write fails all
        alike; any other failure is the defect of one batch, which must not take its neighbours
        along, so each is then committed for itself.
        """
        started = time.monotonic()
        batches = [waiting.batch for waiting in group]
        try:
            results = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._commit, batches
            )
        except StoreUnavailable as error:
            self._fail(group, error)
        except Exception as error:
            if len(group) == 1:
                self._fail(group, error)
                return
            for waiting in group:
                await self._settle([waiting])
        else:
            self._answer(group, results, time.monotonic() - started)

    def _is_small(self) -> bool:
        """A lone small batch waits a moment for company; a full group does not."""
        first = self._waiting[0]
        age_s = time.monotonic() - first.queued_s
        return first.weight < self._settings.gather_rows and age_s < self._settings.gather_s

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        rows = 0
        while self._waiting and rows < self._settings.group_rows:
            rows += self._waiting[0].weight
            group.append(self._waiting.popleft())
        return group

    def _commit(self, batches: list[Batch]) -> list[CommitResult]:
        group = admit_cells(batches, self._specs) or admit(batches, self._specs)
        try:
            return self._writer.commit(group)
        finally:
            # Also after a failure: nobody knows then what the store holds.
            if self._cache is not None and not self._cache.is_idle:
                written, changes = _written(group)
                self._cache.forget(written, only_values=changes <= _OF_VALUES)

    def _answer(self, group: list[_Waiting], results: list[CommitResult], took_s: float) -> None:
        figures = self.figures
        figures.note_commit(len(group), took_s)
        for waiting, result in zip(group, results, strict=True):
            figures.queued_rows -= waiting.weight
            figures.rows += result.stored
            self.head = max(self.head, result.last_seq)
            if not waiting.done.done():
                waiting.done.set_result(result)
        for wake in self._watchers:
            wake(self.head)

    def _fail(self, group: list[_Waiting], error: Exception) -> None:
        self.figures.failures += 1
        if not isinstance(error, StoreUnavailable):
            logger.error("commit failed", exc_info=error)
        for waiting in group:
            self.figures.queued_rows -= waiting.weight
            if not waiting.done.done():
                waiting.done.set_exception(error)


def _written(group: Group | CellGroup) -> tuple[Collection[str], set[int]]:
    """Which entities are written, and how."""
    if isinstance(group, CellGroup):
        return {row[1] for row in group.rows}, set(bytes([row[12] for row in group.rows]))
    entities = group.rows["entity"].combine_chunks()
    return entities.dictionary.to_pylist(), set(group.rows["change"].to_numpy().tolist())
