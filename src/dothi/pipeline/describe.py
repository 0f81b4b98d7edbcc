"""Refused rows as rejections: some told one by one, the rest counted."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dothi.model.batch import Rejection
from dothi.model.row import ROW_SCHEMA

Ints = npt.NDArray[np.int64]

KEPT_PER_REASON = 20
"""Rejected rows described one by one, per batch and reason; the rest are counted in one record
per source."""

BATCH_REFUSED = "batch_refused"
BATCH_REFUSED_DETAIL = (
    "another row of the same batch was refused, and its sender wants all rows or none"
)


def describe(
    table: pa.Table, at: Ints, row_no: Ints, reason: str, detail: Callable[[int], str]
) -> tuple[Rejection, ...]:
    """Rejections of rows of one batch that are refused for one reason; their counts sum to n.

    Args:
        table: has the columns of ROW_SCHEMA.
        at: n indexes of the refused rows in `table`.
        row_no: n indexes of the same rows in the sender's batch.
        detail: what is wrong with the k-th of them (0 <= k < n), and how to mend it; asked for the
            described ones only.
    """
    found: list[Rejection] = []
    for k, row in enumerate(at[:KEPT_PER_REASON].tolist()):
        shown = _shown(table.slice(row, 1).select(ROW_SCHEMA.names))
        found.append(
            Rejection(shown["source"], reason, detail(k), int(row_no[k]), str(shown)[:300])
        )
    left = table["source"].combine_chunks().take(pa.array(at[KEPT_PER_REASON:]))
    if not len(left):
        return tuple(found)
    encoded = left if pa.types.is_dictionary(left.type) else left.dictionary_encode()
    codes, first, counts = np.unique(
        encoded.indices.to_numpy(zero_copy_only=False), return_index=True, return_counts=True
    )
    for code, k, count in zip(codes.tolist(), first.tolist(), counts.tolist(), strict=True):
        source = encoded.dictionary[code].as_py()
        found.append(Rejection(source, reason, detail(KEPT_PER_REASON + k), count=count))
    return tuple(found)


def _shown(row: pa.Table) -> dict[str, str]:
    """The fields of one row as text; a time may lie beyond the years of Python's datetime."""
    index = row.schema.get_field_index("observed_at")
    row = row.set_column(index, "observed_at", row["observed_at"].cast(pa.string()))
    return {name: str(v)[:80] for name, v in row.to_pylist()[0].items() if v is not None}
