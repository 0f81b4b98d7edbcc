"""Which rows of data files count, beside the series that they belong to: on columns and as SQL."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.model.row import TIMESTAMP, VALUE_CHANGES
from dothi.storage.lake.question import Span

Changes = tuple[int, ...]
VALUES: Changes = tuple(int(change) for change in VALUE_CHANGES)


class Conditions(Struct, frozen=True):
    """All of them must hold; what the files' statistics answer is left out."""

    has_timeless: bool
    """Some rows have no observed_at; committed_at stands for it."""
    span: Span | None
    changes: Changes | None
    """Only rows of these changes; None: all."""
    up_to_seq: int | None
    only_corrections: bool

    @property
    def columns(self) -> list[str]:
        """Columns that deciding takes, beside observed_at."""
        needed = {
            "committed_at": self.has_timeless,
            "change": self.changes is not None,
            "seq": self.up_to_seq is not None,
            "revision": self.only_corrections,
        }
        return [name for name, is_needed in needed.items() if is_needed]

    def moment(self, rows: pa.Table) -> pa.ChunkedArray:
        """observed_at, else committed_at."""
        if not self.has_timeless:
            return rows["observed_at"]
        return pc.coalesce(rows["observed_at"], rows["committed_at"])

    def mask(self, rows: pa.Table) -> pa.ChunkedArray | None:
        """Which rows count; None: all of them."""
        found = None
        for part in self._masks(rows):
            found = part if found is None else pc.and_(found, part)
        return found

    def moment_sql(self) -> str:
        """The same of a row `r`."""
        return "coalesce(r.observed_at, r.committed_at)" if self.has_timeless else "r.observed_at"

    def sql(self) -> list[str]:
        """The same of a row `r`."""
        found = [] if self.span is None else self.span.sql(self.moment_sql())
        if self.changes is not None:
            found.append(f"r.change IN ({', '.join(map(str, self.changes))})")
        if self.up_to_seq is not None:
            found.append(f"r.seq <= {self.up_to_seq}")
        if self.only_corrections:
            found.append("r.revision > 0 AND r.observed_at IS NOT NULL")
        return found

    def _masks(self, rows: pa.Table) -> Iterator[pa.ChunkedArray]:
        if self.span is not None:
            moment = self.moment(rows)
            if self.span.start_us is not None:
                yield pc.greater_equal(moment, _instant(self.span.start_us))
            if self.span.end_us is not None:
                yield pc.less(moment, _instant(self.span.end_us))
        if self.changes is not None:
            yield pc.is_in(rows["change"], pa.array(self.changes, pa.int8()))
        if self.up_to_seq is not None:
            yield pc.less_equal(rows["seq"], pa.scalar(self.up_to_seq, pa.int64()))
        if self.only_corrections:
            is_corrected = pc.greater(rows["revision"], pa.scalar(0, pa.int16()))
            yield pc.and_(is_corrected, pc.is_valid(rows["observed_at"]))


def _instant(us: int) -> pa.Scalar:
    return pa.scalar(us, pa.int64()).cast(TIMESTAMP)
