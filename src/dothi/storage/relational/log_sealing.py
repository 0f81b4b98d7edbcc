"""ports.sealing.SealSource on SQLite: the log as sealing sees it."""

import threading
from pathlib import Path

import pyarrow as pa

from dothi.storage.relational.hot_connection import HotConnection
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.log_reader import SqliteLogReader

_MARK = """
INSERT INTO watermark (name, value) VALUES ('sealed', ?)
ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)
"""

_FORGET_BATCHES = """
DELETE FROM batch WHERE id IN (
    SELECT id FROM batch WHERE committed_us < ?1 AND last_seq <= ?2
    AND id < (SELECT max(id) FROM batch) ORDER BY committed_us LIMIT ?3)
"""


class SqliteSealSource:
    """Lane 0. Any thread; its writes are short transactions beside the writer's."""

    lane = 0

    def __init__(self, path: Path, index: HotIndex, reader: SqliteLogReader) -> None:
        self._connection = HotConnection(path, cache_mb=8)
        self._index = index
        self._reader = reader
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def horizon(self) -> int:
        """See ports.sealing.SealSource."""
        return self._reader.tail() - 1

    def head(self) -> int:
        """See ports.sealing.SealSource."""
        return self._reader.head()

    def sealable(self, before_us: int, up_to_seq: int, max_rows: int) -> pa.Table:
        """See ports.sealing.SealSource."""
        horizon = self.horizon()
        with self._lock:
            last = self._connection.number(
                "SELECT max(seq) FROM (SELECT seq, committed_us FROM log "
                f"WHERE seq > {horizon} AND seq <= {up_to_seq} ORDER BY seq LIMIT {max_rows}) "
                f"WHERE committed_us < {before_us}"
            )
        return self._reader.read(horizon, max(last - horizon, 0))

    def mark_sealed(self, seq: int) -> None:
        """See ports.sealing.SealSource."""
        with self._lock:
            with self._connection.transaction():
                self._connection.run(_MARK, pa.table({"seq": [seq]}))
            self._index.drop_through(self.horizon())

    def drop_sealed(self, chunk_rows: int) -> int:
        """See ports.sealing.SealSource."""
        horizon = self.horizon()
        with self._lock, self._connection.transaction():
            first = self._connection.number("SELECT min(seq) FROM log")
            if first == 0 or first > horizon:
                return 0
            last = min(horizon, first + chunk_rows - 1)
            count = self._connection.number(f"SELECT count(*) FROM log WHERE seq <= {last}")
            self._connection.run(f"DELETE FROM log WHERE seq <= {last}")
            return count

    def forget_batches(self, before_us: int, most: int) -> int:
        """See ports.sealing.SealSource."""
        horizon = self.horizon()
        with self._lock, self._connection.transaction():
            bounds = {"before": [before_us], "horizon": [horizon], "most": [most]}
            self._connection.run(_FORGET_BATCHES, pa.table(bounds))
            return self._connection.number("SELECT changes()")
