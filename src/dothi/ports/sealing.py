"""Moving old rows from the log to the lake, exactly once.

The order of steps is: read a run of rows (`sealable`), write it to the lake in one Delta commit
that carries the run's last seq as application transaction, `mark_sealed`, `drop_sealed`. A crash
between any two steps is mended at the next start by comparing the lake's transaction with
`horizon`.
"""

from typing import Protocol

import pyarrow as pa


class ForgottenRows(Protocol):
    """What is no longer told and still stored. Any thread; blocking."""

    def erasable(self, most: int) -> pa.Table:
        """Stretches of which every row is sealed: ports.history.FORGOTTEN and what `settle` knows
        them by, at most `most` rows."""
        ...

    def settle(self, spans: pa.Table) -> None:
        """Of these, which `erasable` gave, no row is stored any more."""
        ...

    def left(self) -> int:
        """Stretches of which rows may still be stored, sealed or not."""
        ...


class SealSource(Protocol):
    """The log of one lane as sealing sees it. Any thread; blocking."""

    @property
    def lane(self) -> int: ...

    def horizon(self) -> int:
        """The durable watermark: every row with seq <= horizon is in the lake (0: none is)."""
        ...

    def head(self) -> int:
        """Highest committed seq (0: empty)."""
        ...

    def sealable(self, before_us: int, up_to_seq: int, max_rows: int) -> pa.Table:
        """The next run of rows to seal.

        Takes the first `max_rows` rows with horizon < seq <= up_to_seq in seq order, and ends
        the run after the last of them that was committed before `before_us` (so a clock that
        once ran ahead does not block sealing for ever). Empty when there is none.

        Returns:
            LOG_SCHEMA rows; `entity_type` is the entity's first type, null where unknown, also
            for rows that came without it: retention works by it.
        """
        ...

    def mark_sealed(self, seq: int) -> None:
        """Raise the watermark durably; from then on `HotRows.hot` leaves out rows up to it.

        A seq at or below the watermark changes nothing.
        """
        ...

    def drop_sealed(self, chunk_rows: int) -> int:
        """Delete at most `chunk_rows` rows at or below the watermark; 0 means none was left.

        One short transaction, so that commits waiting for the writer are not held up.
        """
        ...

    def forget_batches(self, before_us: int, most: int) -> int:
        """Delete at most `most` records of batches that were committed before `before_us` and of
        which every row is sealed; 0 means none was left.

        The latest batch stays. A batch that is sent again after this is a new one: its rows are
        judged one by one.
        """
        ...
