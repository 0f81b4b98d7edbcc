"""Same key again: a duplicate when the value is the same, else a correction.

The key is (series, observed_at). Rows without a time never have a twin.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from dothi.storage.relational.columns import NO_TIME, Ints


class Values(Struct, frozen=True):
    """What is compared, row by row."""

    attribute: Ints
    observed: Ints
    number: npt.NDArray[np.float64]
    text: pa.Array
    body: pa.Array
    quality: Ints
    revision: Ints

    def __len__(self) -> int:
        return len(self.attribute)


_NO_INTS: Ints = np.empty(0, np.int64)
_NO_TEXT = pa.array([], pa.string())
EMPTY = Values(_NO_INTS, _NO_INTS, np.empty(0), _NO_TEXT, _NO_TEXT, _NO_INTS, _NO_INTS)


class Verdict(Struct, frozen=True):
    duplicate: npt.NDArray[np.bool_]
    revision: Ints
    """0 for the first value of a key, n for its n-th correction; 255 at most."""


def judge(new: Values, stored: Values, decides: npt.NDArray[np.bool_] | None = None) -> Verdict:
    """Judge new rows, in order of arrival, against stored ones (at most one per key).

    Args:
        stored: those in force (highest revision of their key).
        decides: which new rows are recorded even when they repeat a value.
    """
    count, before = len(new), len(stored)
    attribute = np.concatenate([stored.attribute, new.attribute])
    observed = np.concatenate([stored.observed, new.observed])
    order = np.lexsort((observed, attribute))  # stable: stored before new, then arrival
    same_key = np.zeros(len(order), np.bool_)
    same_key[1:] = (np.diff(attribute[order]) == 0) & (np.diff(observed[order]) == 0)
    same_key &= observed[order] != NO_TIME
    if not same_key.any():
        return Verdict(np.zeros(count, np.bool_), np.zeros(count, np.int64))
    same = same_key & _equals_previous(new, stored, order)
    if decides is not None:
        same &= ~np.concatenate([np.zeros(before, np.bool_), decides])[order]
    corrects = same_key & ~same
    base = np.concatenate([stored.revision, np.zeros(count, np.int64)])[order]
    revision = _count_in_runs(corrects, ~same_key) + _carry(base, ~same_key)
    duplicate_out = np.empty(len(order), np.bool_)
    revision_out = np.empty(len(order), np.int64)
    duplicate_out[order] = same
    revision_out[order] = np.minimum(revision, 255)
    return Verdict(duplicate_out[before:], revision_out[before:])


def _equals_previous(new: Values, stored: Values, order: Ints) -> npt.NDArray[np.bool_]:
    number = np.concatenate([stored.number, new.number])[order]
    quality = np.concatenate([stored.quality, new.quality])[order]
    equal = np.zeros(len(order), np.bool_)
    with np.errstate(invalid="ignore"):
        equal[1:] = (number[1:] == number[:-1]) | (np.isnan(number[1:]) & np.isnan(number[:-1]))
    equal[1:] &= quality[1:] == quality[:-1]
    for name in ("text", "body"):
        column: Any = pa.concat_arrays([_plain(getattr(stored, name)), _plain(getattr(new, name))])
        if column.null_count < len(column):
            encoded = column.dictionary_encode().indices.fill_null(-1)
            at = encoded.to_numpy(zero_copy_only=False)[order]
            equal[1:] &= at[1:] == at[:-1]
    return equal


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.cast(pa.string())


def _count_in_runs(flags: npt.NDArray[np.bool_], starts: npt.NDArray[np.bool_]) -> Ints:
    """Running count of flags that begins anew at every start."""
    total: Ints = np.cumsum(flags, dtype=np.int64)
    return total - _carry(total, starts)


def _carry(values: Ints, starts: npt.NDArray[np.bool_]) -> Ints:
    """Each run's first value, repeated over the run."""
    at = np.maximum.accumulate(np.where(starts, np.arange(len(values)), 0))
    carried: Ints = values[at]
    return carried
