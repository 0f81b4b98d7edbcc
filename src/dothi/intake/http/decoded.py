"""What a decoder makes of a message."""

from collections.abc import Sequence

import pyarrow as pa
from msgspec import Struct

from dothi.model.batch import Rejection


class Decoded(Struct, frozen=True):
    """Rows for the pipeline and what could not become a row."""

    rows: pa.Table
    """ROW_SCHEMA (text columns may be dictionary-encoded)."""
    rejected: tuple[Rejection, ...] = ()
    kept: Sequence[int] | None = None
    """Index in the sender's message of each row; None: the same."""

    def sent_index(self, row: int | None) -> int | None:
        """Index in the sender's message of the row with this index in `rows`."""
        return row if row is None or self.kept is None else self.kept[row]
