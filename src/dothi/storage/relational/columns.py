"""Small conversions between Arrow and numpy that the writer needs."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
NO_TIME = np.iinfo(np.int64).min


def ints(values: Iterable[int]) -> pa.Array:
    """Python numbers as int64; with the type given, Arrow need not look for pandas (130 µs)."""
    return pa.array(list(values), pa.int64())


def texts(values: Iterable[str]) -> pa.Array:
    """Python strings as a string column."""
    return pa.array(list(values), pa.string())


def times(column: pa.ChunkedArray) -> Ints:
    """Microseconds since 1970; NO_TIME where null."""
    found: Ints = column.cast(pa.int64()).fill_null(NO_TIME).to_numpy()
    return found


def nullable_times(values: Ints) -> pa.Array:
    """The reverse of `times`, as int64 with nulls."""
    return pa.array(values, pa.int64(), mask=values == NO_TIME)


def codes(column: pa.ChunkedArray) -> tuple[list[str | None], npt.NDArray[np.int64]]:
    """Distinct values and, per row, the index into them; null is a value of its own."""
    encoded = column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    names: list[str | None] = encoded.dictionary.to_pylist()
    at = encoded.indices
    if at.null_count:
        at = at.fill_null(len(names))
        names.append(None)
    return names, at.to_numpy(zero_copy_only=False).astype(np.int64)


def used(names: list[str | None], at: Ints) -> Ints:
    """Indexes of the names that some row really has."""
    return np.flatnonzero(np.bincount(at, minlength=len(names)))


_DENSE_LIMIT = 2_000_000


def distinct(packed: Ints, bound: int) -> tuple[Ints, Ints, Ints]:
    """Distinct values, the index of each one's first row, and per row the index into them.

    Args:
        packed: at least one, non-negative and below `bound`; a small bound is counted instead of
            sorted.
    """
    if (packed == packed[0]).all():
        return packed[:1], np.zeros(1, np.int64), np.zeros(len(packed), np.int64)
    if bound > max(_DENSE_LIMIT, 16 * len(packed)):
        values, first, at = np.unique(packed, return_index=True, return_inverse=True)
        return values, first, at.reshape(-1)
    first = np.full(bound, -1)
    first[packed[::-1]] = np.arange(len(packed) - 1, -1, -1)
    values = np.flatnonzero(first >= 0)
    number = np.empty(bound, np.int64)
    number[values] = np.arange(len(values))
    return values, first[values], number[packed]


def sums(at: Ints, groups: int, columns: Ints) -> Ints:
    """Column sums per group; exact, since every sum stays below 2^53."""
    if groups == 1:
        total: Ints = columns.sum(axis=0, keepdims=True)
        return total
    found = [np.bincount(at, weights=column, minlength=groups) for column in columns.T]
    return np.column_stack(found).astype(np.int64)
