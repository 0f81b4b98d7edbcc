"""Consumers of the log: they see every row once per crash-free run, in order, and resume."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pyarrow as pa

from dothi.ports.cursors import Cursors
from dothi.ports.log import LogReader

logger = logging.getLogger(__name__)


class Consumer:
    """Reads the log from a durable cursor and hands runs of rows to `handle`.

    The cursor moves after `handle` returned: after a crash the last run is handed over again.
    Consumers whose effects are rows of the store move the cursor in the same transaction instead
    and pass `cursors=None` and a start position.
    """

    def __init__(
        self,
        name: str,
        log: LogReader,
        handle: Callable[[pa.Table], Awaitable[None]],
        *,
        cursors: Cursors | None = None,
        start_seq: int | None = None,
        run_rows: int = 20_000,
    ) -> None:
        self.name = name
        self._log = log
        self._handle = handle
        self._cursors = cursors
        self._start_seq = start_seq
        self._run_rows = run_rows
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.position = 0

    def wake(self, _head: int) -> None:
        """There is something new; given to Intake.watch."""
        self._wake.set()

    async def start(self) -> None:
        self.position = await asyncio.to_thread(self._first_position)
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name=f"consume {self.name}")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _first_position(self) -> int:
        if self._start_seq is not None:
            return self._start_seq
        return self._cursors.position(self.name) if self._cursors else self._log.head()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while await self._step():
                pass

    async def _step(self) -> bool:
        """Hand over one run; True when there may be more."""
        rows = await asyncio.to_thread(self._log.read, self.position, self._run_rows)
        if not rows.num_rows:
            return False
        await self._handle(rows)
        self.position = int(rows["seq"][-1].as_py())
        if self._cursors is not None:
            await asyncio.to_thread(self._cursors.advance, self.name, self.position)
        return bool(rows.num_rows == self._run_rows)
