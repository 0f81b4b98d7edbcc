"""Where in a data file each series stands: a small file beside it, `_series/<path>.npy`.

Rows of a series stand together, so a reader that knows the first and last row need not compare
texts. The index is a hint: conditions on the texts stay, a file without an index is read whole.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.series import SeriesKey

FOLDER = "_series"
"""Folder in the table's root; Delta takes no notice of names that begin with an underscore."""

_ENTRY = np.dtype([("series", "<u8"), ("first", "<u4"), ("last", "<u4")])
_KEYS = ("attribute", "entity", "dataset")

Rows = tuple[int, int]
"""First and last row, both included."""

EVERY_ROW = (0, 1 << 32)
"""What is known of a file without an index."""


class IndexBuilder:
    """Collects the runs of equal series while a file is written."""

    def __init__(self) -> None:
        self._rows = 0
        self._starts: list[int] = []
        self._series: list[SeriesKey] = []

    def add(self, rows: pa.Table) -> None:
        """The next rows of the file."""
        changed = np.ones(rows.num_rows, np.bool_)
        changed[1:] = False
        for name in _KEYS:
            column = rows[name].combine_chunks()
            changed[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
        starts = np.flatnonzero(changed)
        self._starts += (starts + self._rows).tolist()
        heads = rows.select(["entity", "attribute", "dataset"]).take(pa.array(starts))
        self._series += map(SeriesKey, *(heads[n].to_pylist() for n in heads.column_names))
        self._rows += rows.num_rows

    def write(self, path: Path) -> None:
        """Store the index; the caller makes it durable."""
        entries = np.empty(len(self._starts), _ENTRY)
        entries["series"] = series_numbers(self._series)
        entries["first"] = self._starts
        entries["last"] = np.append(self._starts[1:], self._rows) - 1
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, entries[np.argsort(entries["series"], kind="stable")])


def find_rows(path: str, wanted: npt.NDArray[np.uint64]) -> Rows | None:
    """Rows between which all the series lie; None: none is in the file.

    Args:
        wanted: `series_numbers` of the series.
    """
    entries = _load(path)
    if entries is None:
        return EVERY_ROW
    low = np.searchsorted(entries["series"], wanted, "left")
    high = np.searchsorted(entries["series"], wanted, "right")
    found = [entries[a:b] for a, b in zip(low, high, strict=True) if b > a]
    if not found:
        return None
    return int(min(e["first"].min() for e in found)), int(max(e["last"].max() for e in found))


def series_numbers(series: Iterable[SeriesKey]) -> npt.NDArray[np.uint64]:
    """What stands for a series in an index.

    Two series with one number are harmless: rows of both are then read.
    """
    texts = ("\0".join((s.attribute, s.entity, s.dataset)).encode() for s in series)
    digests = b"".join(blake2b(text, digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, "<u8")


@lru_cache(maxsize=512)
def _load(path: str) -> npt.NDArray[np.void] | None:
    try:
        return np.asarray(np.load(path, mmap_mode="r"))
    except FileNotFoundError:
        return None
