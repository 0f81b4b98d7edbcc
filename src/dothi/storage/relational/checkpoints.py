"""Moves what was committed from the WAL into the database, beside the commits.

SQLite does that within the commit that makes the WAL 4 MB long, which then waits for it; pages that
change again and again are moved each time. A longer WAL moves them once, and another thread does
it. What is durable does not change: a commit is in the WAL when it returns.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import adbc_driver_manager

from dothi.storage.relational.engine import WAL_BYTES
from dothi.storage.relational.hot_connection import HotConnection

logger = logging.getLogger(__name__)

_STEP_BYTES = WAL_BYTES // 4
"""When readers keep the WAL from being moved, the next try comes when it has grown by so much."""


class Checkpoints:
    """Called by the writer."""

    def __init__(self, path: Path, own: HotConnection) -> None:
        """`own`: the connection of the writer."""
        self._path = path
        self._wal = Path(f"{path}-wal")
        self._own = own
        self._beside: HotConnection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dothi-checkpoint")
        self._moving: Future[None] | None = None
        self._due_bytes = WAL_BYTES

    def look(self) -> None:
        """After a commit, outside a transaction: see whether the WAL is long."""
        if self._moving is None:
            size = self._size()
            if size < self._due_bytes:
                return
            self._due_bytes = size + _STEP_BYTES
            self._moving = self._thread.submit(self._move)
        elif self._moving.done():
            # What was committed meanwhile is little; then all is moved, and the WAL begins anew.
            self._moving = None
            _move(self._own)
            self._due_bytes = max(WAL_BYTES, self._size() + _STEP_BYTES)

    def close(self) -> None:
        """Wait for what is under way."""
        self._thread.shutdown()
        if self._beside is not None:
            self._beside.close()

    def _size(self) -> int:
        try:
            return self._wal.stat().st_size
        except OSError:
            return 0

    def _move(self) -> None:
        if self._beside is None:
            self._beside = HotConnection(self._path, cache_mb=1)
        _move(self._beside)


def _move(connection: HotConnection) -> None:
    """As much as readers let go of. Nobody depends on it, so a failure is only told."""
    try:
        connection.query("PRAGMA wal_checkpoint(PASSIVE)")
    except adbc_driver_manager.Error as error:
        logger.warning("the WAL stays long for now: %s", error)
