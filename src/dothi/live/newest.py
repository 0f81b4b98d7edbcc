"""Which of the log's new rows matter to the map: columns in, a few winners out."""

from collections.abc import Container

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.live.entity_view import PLACED
from dothi.model.row import Change, Kind

Ints = npt.NDArray[np.int64]


class Newest(Struct, frozen=True):
    """What to do with rows of the log."""

    values: pa.Table
    """The last observed row of each series, for entities that are known."""
    reread: list[str]
    """Entities whose rows are not plain values (new, moved, renamed, deleted, assigned)."""


def newest(rows: pa.Table, known: Container[str]) -> Newest:
    """Fold rows (LOG_SCHEMA, in order) to one per series.

    The rule is the store's: the value with the latest observed_at is the current one, of equal
    ones the last written; rows of any other kind are left to the store, whose state is read again.
    """
    entities, entity_at = _codes(rows["entity"])
    attributes, attribute_at = _codes(rows["attribute"])
    datasets, dataset_at = _codes(rows["dataset"])
    is_placed = np.array([a in PLACED for a in attributes], np.bool_)[attribute_at]
    is_known = np.array([e in known for e in entities], np.bool_)[entity_at]
    plain = (
        is_known
        & ~is_placed
        & (rows["change"].to_numpy() == Change.UPSERT)
        & (rows["kind"].to_numpy() != Kind.GEO_PROPERTY)
        & pc.is_valid(rows["observed_at"]).to_numpy(zero_copy_only=False)
    )
    reread = np.unique(entity_at[~plain])
    # What is read again needs no values from here.
    plain &= ~np.isin(entity_at, reread)
    at = np.flatnonzero(plain)
    series = (entity_at * len(attributes) + attribute_at) * len(datasets) + dataset_at
    observed = rows["observed_at"].cast(pa.int64()).fill_null(0).to_numpy()
    order = at[np.lexsort((observed[at], series[at]))]
    is_last = np.append(series[order][1:] != series[order][:-1], True)[: len(order)]
    winners = np.sort(order[is_last])
    return Newest(rows.take(pa.array(winners)), [entities[i] for i in reread.tolist()])


def _codes(column: pa.ChunkedArray) -> tuple[list[str], Ints]:
    """Distinct values and, per row, which of them."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.combine_chunks()
    codes: Ints = whole.indices.cast(pa.int64()).to_numpy()
    return whole.dictionary.to_pylist(), codes
