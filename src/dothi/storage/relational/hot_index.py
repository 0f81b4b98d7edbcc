"""Where each series' rows lie in the hot log: kept in memory, so that the log needs no index.

An index on (attribute, time) in SQLite more than halves the append rate (docs/adr/0001); 24 bytes
per hot row in memory answer the same two questions: which log rows belong to these series, and is
this key already there. Rebuilt from the log at start.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dothi.storage.relational.fresh_rows import FreshRows

Ints = npt.NDArray[np.int64]

NO_TIME = np.iinfo(np.int64).min
_CHUNK_ROWS = 262_144
_LOOK_BACK_ROWS = 16_384
_FEW_SERIES = 64
"""So many are looked up one by one; with more, all rows are compared at once."""


class _Chunk(Struct):
    seq: Ints
    attribute: npt.NDArray[np.int32]
    observed: Ints
    used: int = 0
    by_attribute: npt.NDArray[np.int32] | None = None
    """Once the chunk is full: its rows sorted by attribute, then seq."""

    def rows_of(self, wanted: npt.NDArray[np.int32]) -> Ints:
        """seq of the rows of these series, in no order."""
        found: Ints = self.seq[self.positions_of(wanted)]
        return found

    def positions_of(self, wanted: npt.NDArray[np.int32]) -> npt.NDArray[np.signedinteger[Any]]:
        """Indexes of the rows of these series, in no order."""
        column = self.attribute[: self.used]
        if self.by_attribute is None or len(wanted) > _FEW_SERIES:
            mask = column == wanted[0] if len(wanted) == 1 else np.isin(column, wanted)
            return np.flatnonzero(mask)
        low = np.searchsorted(column, wanted, "left", sorter=self.by_attribute)
        high = np.searchsorted(column, wanted, "right", sorter=self.by_attribute)
        runs = [self.by_attribute[a:b] for a, b in zip(low, high, strict=True) if b > a]
        return np.concatenate(runs) if runs else self.by_attribute[:0]


class HotIndex:
    """Appended by the writer, read by any thread (readers see whole appends or none of them)."""

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []
        self._rows = 0
        self.fresh = FreshRows()
        self.forgotten: set[int] = set()
        """Series of which something is forgotten, by attribute id (0: of whole entities)."""

    def __len__(self) -> int:
        return self._rows

    def append(self, seq: Ints, attribute: Ints, observed: Ints) -> None:
        """Add rows in rising order of seq; `observed` is NO_TIME where a row has no time."""
        at = 0
        while at < len(seq):
            if not self._chunks or self._chunks[-1].used == _CHUNK_ROWS:
                self._chunks.append(_new_chunk())
            chunk = self._chunks[-1]
            take = min(len(seq) - at, _CHUNK_ROWS - chunk.used)
            end = chunk.used + take
            chunk.seq[chunk.used : end] = seq[at : at + take]
            chunk.attribute[chunk.used : end] = attribute[at : at + take]
            chunk.observed[chunk.used : end] = observed[at : at + take]
            chunk.used = end
            at += take
            if chunk.used == _CHUNK_ROWS:
                order = np.argsort(chunk.attribute, kind="stable")
                chunk.by_attribute = order.astype(np.int32)
        self._rows += len(seq)

    def drop_through(self, seq: int) -> None:
        """Forget rows up to and including `seq`."""
        self.fresh.drop_through(seq)
        kept: list[_Chunk] = []
        for chunk in self._chunks:
            live = slice(
                int(np.searchsorted(chunk.seq[: chunk.used], seq, side="right")), chunk.used
            )
            if live.start == 0:
                kept.append(chunk)
            elif live.start < chunk.used:
                fresh = _new_chunk()
                fresh.used = live.stop - live.start
                for name in ("seq", "attribute", "observed"):
                    getattr(fresh, name)[: fresh.used] = getattr(chunk, name)[live]
                kept.append(fresh)
        self._rows = sum(chunk.used for chunk in kept)
        self._chunks = kept

    def rows_of(self, attributes: Ints) -> Ints:
        """seq of every row of the series, rising."""
        wanted = np.unique(attributes).astype(np.int32)
        found = [chunk.rows_of(wanted) for chunk in self._chunks]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)

    def select(
        self,
        attributes: Ints,
        span: tuple[int | None, int | None],
        ends: tuple[int | None, int | None],
    ) -> tuple[Ints, Ints]:
        """seq, rising, and observed of rows of the series; of a row without a time only the
        series counts.

        Args:
            span: start and end of observed, end exclusive.
            ends: so many of the earliest, or of the newest, keys of each series; a key is a time
                with all its revisions.
        """
        wanted = np.unique(attributes).astype(np.int32)
        found = [chunk.positions_of(wanted) for chunk in self._chunks]
        picked = [(c, at) for c, at in zip(self._chunks, found, strict=True) if len(at)]
        if not picked:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        seq = np.concatenate([chunk.seq[at] for chunk, at in picked])
        observed = np.concatenate([chunk.observed[at] for chunk, at in picked])
        keep = np.ones(len(seq), np.bool_)
        if span[0] is not None:
            keep &= observed >= span[0]
        if span[1] is not None:
            keep &= observed < span[1]
        keep |= observed == NO_TIME
        if ends != (None, None):
            series = np.concatenate([chunk.attribute[at] for chunk, at in picked])
            at = np.flatnonzero(keep & (observed != NO_TIME))
            keep[at] = _at_ends(series[at], observed[at], ends)
        # Chunks follow each other, and a full one gives the rows of each series in order.
        seq, observed = seq[keep], observed[keep]
        order = np.argsort(seq, kind="stable")
        return seq[order], observed[order]

    def last_before(self, attribute: int, seq: int) -> int:
        """seq of the latest row of the series before `seq`; 0 when there is none."""
        for chunk in reversed(self._chunks):
            end = int(np.searchsorted(chunk.seq[: chunk.used], seq))
            while end:
                # Most series changed lately: short looks back before the long one.
                start = max(end - _LOOK_BACK_ROWS, 0)
                hits = np.flatnonzero(chunk.attribute[start:end] == attribute)
                if len(hits):
                    return int(chunk.seq[start + hits[-1]])
                end = start
        return 0

    def rows_of_keys(self, attributes: Ints, observed: Ints) -> Ints:
        """seq of every row whose (attribute, observed) is among the keys, rising."""
        if not len(attributes):
            return np.empty(0, np.int64)
        wanted = np.unique(attributes)
        earliest, latest = observed.min(), observed.max()
        keys = _pack(attributes, observed)
        found = []
        for chunk in self._chunks:
            times = chunk.observed[: chunk.used]
            near = np.flatnonzero((times >= earliest) & (times <= latest))
            near = near[np.isin(chunk.attribute[near], wanted)]
            hits = near[np.isin(_pack(chunk.attribute[near], times[near]), keys)]
            found.append(chunk.seq[hits])
        return np.concatenate(found) if found else np.empty(0, np.int64)


def _at_ends(
    series: npt.NDArray[np.int32], observed: Ints, ends: tuple[int | None, int | None]
) -> npt.NDArray[np.bool_]:
    """Which rows have one of the earliest (else newest) times of their series."""
    first_n, last_n = ends
    order = np.lexsort((observed, series))
    new_series = np.ones(len(order), np.bool_)
    new_series[1:] = series[order][1:] != series[order][:-1]
    new_key = new_series.copy()
    new_key[1:] |= observed[order][1:] != observed[order][:-1]
    key = np.cumsum(new_key)
    starts = np.flatnonzero(new_series)
    sizes = np.diff(np.append(starts, len(order)))
    kept = np.empty(len(order), np.bool_)
    if first_n is not None:
        kept[order] = key - np.repeat(key[starts], sizes) < first_n
    else:
        kept[order] = np.repeat(key[starts + sizes - 1], sizes) - key < (last_n or 0)
    return kept


def _new_chunk() -> _Chunk:
    return _Chunk(
        np.empty(_CHUNK_ROWS, np.int64),
        np.empty(_CHUNK_ROWS, np.int32),
        np.empty(_CHUNK_ROWS, np.int64),
    )


def _pack(attribute: npt.NDArray[np.int64] | npt.NDArray[np.int32], observed: Ints) -> Ints:
    """A 64-bit mix of the key; equal keys give equal numbers, a clash only costs a look-up."""
    mixed = attribute.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ observed.astype(np.uint64)
    return mixed.view(np.int64)
