"""The log: ordered, durable rows; the only thing that anybody reacts to."""

from typing import Protocol

import pyarrow as pa

from dothi.model.batch import CellGroup, CommitResult, Group


class LogWriter(Protocol):
    """One writer per lane; called from one thread."""

    def commit(self, group: Group | CellGroup) -> list[CommitResult]:
        """Append to the log, merge the state and write receipts in ONE durable transaction.

        One result per batch of the group, in order. Raises StoreUnavailable when nothing was
        written; then every batch may be handed in again.
        """
        ...


class LogReader(Protocol):
    """Any thread."""

    def read(
        self, after_seq: int, limit: int, lane: int = 0, columns: tuple[str, ...] = ()
    ) -> pa.Table:
        """Rows with seq > after_seq in order, LOG_SCHEMA, at most `limit`.

        Args:
            columns: those that are needed; of others that cost something there may be nothing but
                nulls and empty texts. Empty: all.
        """
        ...

    def head(self, lane: int = 0) -> int:
        """Highest committed seq (0: empty)."""
        ...

    def tail(self, lane: int = 0) -> int:
        """Lowest seq that is still hot; rows before it are in the lake only."""
        ...
