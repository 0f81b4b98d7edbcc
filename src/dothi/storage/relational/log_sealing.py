"""ports.sealing on SQLite: the log as sealing sees it, and what of it is forgotten."""

import threading
from pathlib import Path

import pyarrow as pa

from dothi.model.row import TIMESTAMP
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

_ERASABLE = """
SELECT f.id, f.from_seq, f.up_to_seq, f.observed_us AS observed_at, e.uri AS entity,
    a.name AS attribute, a.dataset FROM forgotten f
JOIN attribute a ON a.id = f.attribute_id JOIN entity e ON e.id = f.entity_id
WHERE f.from_seq <= f.up_to_seq AND f.up_to_seq <= {horizon} ORDER BY f.id LIMIT {most}
"""
_SPAN = pa.schema(
    [
        ("id", pa.int64()),
        ("from_seq", pa.int64()),
        ("up_to_seq", pa.int64()),
        ("observed_at", pa.int64()),
        ("entity", pa.string()),
        ("attribute", pa.string()),
        ("dataset", pa.string()),
    ]
)
_EMPTIED = "id = ?1 AND from_seq = ?2 AND up_to_seq = ?3"
"""Whatever was forgotten anew meanwhile reaches further."""


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

    def erasable(self, most: int) -> pa.Table:
        """See ports.sealing.ForgottenRows."""
        horizon = self.horizon()
        with self._lock:
            found = self._connection.typed(_SPAN, _ERASABLE.format(horizon=horizon, most=most))
        at = found.schema.get_field_index("observed_at")
        return found.set_column(at, "observed_at", found["observed_at"].cast(TIMESTAMP))

    def settle(self, spans: pa.Table) -> None:
        """See ports.sealing.ForgottenRows.

        What tells where an instance was moved to stays, with a stretch that holds nothing.
        """
        settled = spans.select(["id", "from_seq", "up_to_seq"])
        with self._lock, self._connection.transaction():
            run = self._connection.run_rarely
            run(f"DELETE FROM forgotten WHERE moved_us IS NULL AND {_EMPTIED}", settled)
            run(f"UPDATE forgotten SET from_seq = 1, up_to_seq = 0 WHERE {_EMPTIED}", settled)

    def left(self) -> int:
        """See ports.sealing.ForgottenRows."""
        with self._lock:
            return self._connection.number(
                "SELECT count(*) FROM forgotten WHERE from_seq <= up_to_seq AND attribute_id > 0"
            )
