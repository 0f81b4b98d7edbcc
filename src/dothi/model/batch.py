"""A Batch and what became of it."""

import itertools
import secrets
import time
from datetime import datetime

import pyarrow as pa
from msgspec import Struct, field

from dothi.model.row import EMPTY_ROWS, Cells, Row


class Rejection(Struct, frozen=True):
    """A thing that was received and not stored, with the reason a person can act on."""

    source: str
    reason: str
    """Stable code in snake_case, e.g. `time_in_future`; listed in docs/reference/rejects.md."""
    detail: str
    """What is wrong, where (row, field), and how to mend it."""
    row: int | None = None
    """Index of the row in the sender's message, where it has rows."""
    sample: str = ""
    """The first characters of what was sent (at most 300)."""
    count: int = 1


class Guards(Struct, frozen=True):
    """What must hold at commit, checked in the writer; otherwise the whole Batch is refused."""

    absent: frozenset[str] = frozenset()
    """Entity ids that must not exist."""
    present: frozenset[str] = frozenset()
    """Entity ids that must exist."""


class Batch(Struct, frozen=True):
    """Rows that succeed or fail together.

    `rows` has ROW_SCHEMA; `rejected` holds what the door already refused, so that the receipts
    count it: received = rows + rejected. A second Batch with the same `id` changes nothing and
    gets the first one's result.
    """

    id: str
    rows: pa.Table | Cells
    received_at: datetime
    rejected: tuple[Rejection, ...] = ()
    guards: Guards = field(default_factory=Guards)
    is_whole: bool = False
    """One row that is refused makes all of them refused (`batch_refused`)."""
    is_trusted: bool = False
    """Its rows may write series that belong to another source. A door sets it when the sender may
    keep entities; it is never read from a message."""
    is_single: bool = False
    """The id was made for it and told to nobody, so that it cannot come again."""

    @property
    def table(self) -> pa.Table:
        """Its rows as columns."""
        return self.rows.table() if isinstance(self.rows, Cells) else self.rows


class CommitResult(Struct, frozen=True):
    """What the log made of a Batch. Given only after the commit is durable."""

    batch: str
    received: int
    stored: int
    duplicates: int
    rejected: tuple[Rejection, ...]
    replayed: bool = False
    """The id was known: nothing was written, the figures are those of the first time."""
    first_seq: int = 0
    last_seq: int = 0
    refused: str = ""
    """Id of the entity whose guard failed; then nothing of the Batch was written."""

    @property
    def rejected_count(self) -> int:
        """Of a replay by the record, since what admit refused is not told again."""
        if self.replayed:
            return self.received - self.stored - self.duplicates
        return sum(r.count for r in self.rejected)


_BORN = secrets.token_hex(4)
_COUNT = itertools.count()


def new_batch_id() -> str:
    """An id that nothing else has. It rises with time, so that the index of all ids grows at its
    end: random ones made each batch of a commit write a page of its own.
    """
    return f"{time.time_ns():016x}-{_BORN}-{next(_COUNT)}"


def rejection_only(batch_id: str, received_at: datetime, rejected: tuple[Rejection, ...]) -> Batch:
    """A Batch of nothing but rejections: it keeps the receipts exact."""
    return Batch(batch_id, EMPTY_ROWS, received_at, rejected)


class Group(Struct, frozen=True):
    """Admitted Batches that share one transaction."""

    batches: tuple[Batch, ...]
    rows: pa.Table
    """ROW_SCHEMA rows that passed admit, text keys dictionary-encoded; `batch_no` (int32) says of
    which batch, `row_no` (int64) at which index of it."""
    rejected: tuple[tuple[Rejection, ...], ...]
    """Per batch: what the door and admit refused."""


class CellGroup(Struct, frozen=True):
    """Admitted Batches of Cells, nothing of which was refused: their rows are still tuples."""

    batches: tuple[Batch, ...]
    rows: list[Row]
    """Those of one batch after those of another; all is as admit leaves it but for the quality."""
    quality: list[int]
    """Of each row."""

    @property
    def rejected(self) -> tuple[tuple[Rejection, ...], ...]:
        """Per batch: nothing."""
        return ((),) * len(self.batches)

    @property
    def batch_no(self) -> list[int]:
        """Of each row."""
        counts = [batch.rows.num_rows for batch in self.batches]
        return [n for n, count in enumerate(counts) for _ in range(count)]
