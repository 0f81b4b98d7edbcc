"""Where in a data file each series stands: a small file beside it, `_series/<path>.npy`.

Rows of a series stand together, so a reader that knows the first and last row need not compare
texts. A series is named by a digest of 128 bits; two different ones do not meet. A file without
an index (another writer's, or an older layout) is scanned instead.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.model.series import SeriesKey

FOLDER = "_series"
"""Folder in the table's root; Delta takes no notice of names that begin with an underscore."""

_ENTRY = np.dtype([("series", "S16"), ("first", "<u4"), ("last", "<u4")])
_KEYS = ("attribute", "entity", "dataset")

Digests = npt.NDArray[np.bytes_]


class Places(Struct, frozen=True):
    """Runs of rows of wanted series within one file, in file order."""

    k: npt.NDArray[np.int64]
    """Position of the run's series in the question."""
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    """Last row, included."""

    @property
    def rows(self) -> int:
        return int((self.last - self.first + 1).sum())


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
        entries["series"] = digests(self._series)
        entries["first"] = self._starts
        entries["last"] = np.append(self._starts[1:], self._rows) - 1
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, entries[np.argsort(entries["series"], kind="stable")])


def find_places(path: str, wanted: Digests) -> Places | None:
    """Runs of the wanted series in the file of this index; None: there is no index.

    Args:
        wanted: `digests` of the series of the question, in its order.
    """
    entries = _load(path)
    if entries is None:
        return None
    low = np.searchsorted(entries["series"], wanted, "left")
    counts = np.searchsorted(entries["series"], wanted, "right") - low
    k = np.repeat(np.arange(len(wanted)), counts)
    runs = entries[expand(low, counts)]
    order = np.argsort(runs["first"], kind="stable")
    return Places(
        k[order], runs["first"][order].astype(np.int64), runs["last"][order].astype(np.int64)
    )


def digests(series: Iterable[SeriesKey]) -> Digests:
    """What stands for each series in an index."""
    texts = ("\0".join((s.attribute, s.entity, s.dataset)).encode() for s in series)
    return np.frombuffer(b"".join(blake2b(t, digest_size=16).digest() for t in texts), "S16")


def expand(first: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """first, first + 1 … of `counts` numbers each, one after the other."""
    shift = np.repeat(first - np.cumsum(counts) + counts, counts)
    numbers: npt.NDArray[np.int64] = shift + np.arange(len(shift))
    return numbers


@lru_cache(maxsize=512)
def _load(path: str) -> npt.NDArray[np.void] | None:
    try:
        entries = np.asarray(np.load(path, mmap_mode="r"))
    except FileNotFoundError:
        return None
    return entries if entries.dtype == _ENTRY else None
