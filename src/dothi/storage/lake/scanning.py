"""Numbers of a great many rows, file by file and without a table of them all.

Row groups whose statistics say that all numbers lie between the same two edges are not decoded but
for their times, and of their rows only the first and the last of each series are told.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Struct

from dothi.model.quality import USABLE
from dothi.ports.history import Stretches
from dothi.storage.lake.conditions import VALUES
from dothi.storage.lake.question import Span, Wanted
from dothi.storage.lake.relation import Source, relation, revised_days
from dothi.storage.lake.series_index import expand, find_places
from dothi.storage.lake.series_reader import (
    Footer,
    Ints,
    Located,
    local_rows,
    open_file,
    pieces,
)
from dothi.storage.lake.snapshot import DataFile

SERIES_AT_ONCE = 4_096
_RELATED_ROWS = 4_000_000
"""Rows that are no plain part of a file are put together for about so many at a time."""
_RELATED = ("number", "quality", "observed_at", "revision", "seq")
COLUMNS = ("observed_at", "number", "quality")

T = TypeVar("T")
Fold = Callable[[Stretches], T]
Edges = npt.NDArray[np.float64]


class Scan(Struct, frozen=True):
    """One question about some series."""

    source: Source
    wanted: Wanted
    span: Span
    edges: Edges | None

    def each(self, fold: Fold[T]) -> list[T]:
        """See ports.history.Scans; `k` counts within `wanted`."""
        files = self.wanted.prune(f for f in self.source.files if self.span.meets(f))
        located, odd = self._split(files)
        reader = self.source.reader
        tasks = [
            (one, footer, groups)
            for one in located
            for footer in (reader.footer(one.file.location),)
            for groups in pieces(footer.starts, one.places)
        ]
        read = _Reading(self.span, self.edges)
        found = reader.each(
            lambda task: [fold(some) for some in read.piece(*task) if len(some.us)], tasks
        )
        folded = [one for some in found for one in some]
        return folded + [fold(some) for some in self._related(odd) if len(some.us)]

    def _split(self, files: Sequence[DataFile]) -> tuple[list[Located], list[DataFile]]:
        """Files whose rows of the series all count, and those where that has to be found out."""
        revised = revised_days(files, self.source.hot)
        located, odd = [], []
        for file in files:
            is_plain = (
                not self.source.forgotten.num_rows
                and file.last_seq <= self.source.horizon
                and not file.has_timeless
                and revised.isdisjoint(file.days())
                and file.constant("change")[1] in VALUES
            )
            places = find_places(file.index, self.wanted.digests) if is_plain else None
            if places is None:
                odd.append(file)
            elif len(places.k):
                located.append(Located(file, places))
        return located, odd

    def _related(self, files: Sequence[DataFile]) -> Iterator[Stretches]:
        """Rows of the log, and of files that are not plain, some series at a time."""
        count = sum(file.rows for file in files) + self.source.hot.num_rows
        if not count:
            return
        source = Source(
            self.source.engine, self.source.reader, files, self.source.hot, self.source.horizon,
            self.source.forgotten, self.source.changes,
        )  # fmt: skip
        size = max(1, len(self.wanted.series) * _RELATED_ROWS // max(count, _RELATED_ROWS))
        for first in range(0, len(self.wanted.series), size):
            some = Wanted(self.wanted.series[first : first + size])
            rows = relation(source, some, self.span, _RELATED, all_revisions=False)
            sql = f"SELECT * FROM ({rows.sql}) ORDER BY k, moment, revision, seq"
            found = self.source.engine.query(sql, rows.tables)
            if found.num_rows:
                yield _stretches(found, first)


def _stretches(found: pa.Table, first: int) -> Stretches:
    """Of rows sorted by k, moment."""
    k = found["k"].cast(pa.int64()).to_numpy() + first
    starts = np.flatnonzero(np.append(True, k[1:] != k[:-1]))
    quality = found["quality"].cast(pa.int64()).to_numpy()
    counts = np.diff(np.append(starts, len(k)))
    return Stretches(
        k[starts], starts, _us(found["moment"]), _numbers(found["number"]), quality, counts
    )


class _Runs(Struct, frozen=True):
    """Rows of one series each, within one row group each."""

    k: Ints
    first: Ints
    last: Ints
    group: Ints

    def taken(self, at: npt.NDArray[np.bool_]) -> "_Runs":
        return _Runs(self.k[at], self.first[at], self.last[at], self.group[at])

    @property
    def rows(self) -> Ints:
        """How many each has."""
        return self.last - self.first + 1


class _Reading(Struct, frozen=True):
    """Plain files."""

    span: Span
    edges: Edges | None

    def piece(self, located: Located, footer: Footer, groups: Ints) -> Iterator[Stretches]:
        """The wanted rows of some row groups of a file."""
        file = located.file
        handle = open_file(file.location, footer)
        is_covered = self.span.covers(file)
        standing = np.full(len(footer.starts), np.nan)
        if is_covered and self.edges is not None:
            standing[groups] = _standing(footer, groups, self.edges)
        runs = _runs(located, footer, groups)
        is_loud = np.isnan(standing[runs.group])
        loud, quiet = runs.taken(is_loud), runs.taken(~is_loud)
        if len(loud.k):
            some = _loud(handle, footer, loud, file)
            yield some if is_covered else _within(some, self.span)
        if len(quiet.k):
            yield _quiet(handle, footer, quiet, standing[quiet.group])


def _runs(located: Located, footer: Footer, groups: Ints) -> _Runs:
    """Runs of the wanted series in some row groups, cut where a group ends."""
    places, starts = located.places, footer.starts
    low, high = starts[groups[0]], starts[groups[-1] + 1] - 1
    at = (places.first <= high) & (places.last >= low)
    k = places.k[at]
    first, last = np.maximum(places.first[at], low), np.minimum(places.last[at], high)
    group = np.searchsorted(starts, first, "right") - 1
    counts = np.searchsorted(starts, last, "right") - group
    owner = np.repeat(np.arange(len(k)), counts)
    group = expand(group, counts)
    return _Runs(
        k[owner],
        np.maximum(first[owner], starts[group]),
        np.minimum(last[owner], starts[group + 1] - 1),
        group,
    )


def _standing(footer: Footer, groups: Ints, edges: Edges) -> Edges:
    """Of row groups whose numbers are all usable and lie between the same edges one of the
    numbers; NaN of others."""
    metadata = footer.metadata
    names = [metadata.schema.column(n).name for n in range(metadata.num_columns)]
    number, quality = names.index("number"), names.index("quality")
    found = np.full(len(groups), np.nan)
    for place, group in enumerate(groups.tolist()):
        row_group = metadata.row_group(group)
        values, flags = row_group.column(number).statistics, row_group.column(quality).statistics
        if values is None or flags is None or not (values.has_min_max and flags.has_min_max):
            continue
        if values.null_count or flags.min != flags.max or flags.min not in USABLE:
            continue
        low, high = np.searchsorted(edges, (values.min, values.max), "right")
        if low == high:
            found[place] = values.min
    return found


def _loud(handle: pq.ParquetFile, footer: Footer, runs: _Runs, file: DataFile) -> Stretches:
    """All rows of the runs."""
    is_constant, flag = file.constant("quality")
    groups = np.unique(runs.group)
    names = ["observed_at", "number"] if is_constant else list(COLUMNS)
    table = handle.read_row_groups(groups.tolist(), columns=names, use_threads=False)
    counts = runs.rows
    starts = local_rows(runs.first, groups, footer.starts)
    places: slice | Ints = slice(int(starts[0]), int(starts[-1] + counts[-1]))
    if (starts[1:] != starts[:-1] + counts[:-1]).any():
        places = expand(starts, counts)
    quality: Ints | int = int(str(flag))
    if not is_constant:
        quality = table["quality"].to_numpy().astype(np.int64)[places]
    us, number = _us(table["observed_at"])[places], _numbers(table["number"])[places]
    return Stretches(runs.k, np.cumsum(counts) - counts, us, number, quality, counts)


def _quiet(handle: pq.ParquetFile, footer: Footer, runs: _Runs, number: Edges) -> Stretches:
    """First and last rows of the runs, which stand for what lies between."""
    groups = np.unique(runs.group)
    table = handle.read_row_groups(groups.tolist(), columns=["observed_at"], use_threads=False)
    counts = np.minimum(runs.rows, 2)
    ends = np.column_stack([runs.first, runs.last])
    rows = ends[np.column_stack([counts > 0, counts > 1])]
    us = _us(table["observed_at"])[local_rows(rows, groups, footer.starts)]
    starts = np.cumsum(counts) - counts
    some_usable = int(min(USABLE))
    numbers = np.repeat(number, counts)
    return Stretches(runs.k, starts, us, numbers, some_usable, runs.rows, is_exact=False)


def _within(some: Stretches, span: Span) -> Stretches:
    """Only rows within the span."""
    inside = np.ones(len(some.us), np.bool_)
    if span.start_us is not None:
        inside &= some.us >= span.start_us
    if span.end_us is not None:
        inside &= some.us < span.end_us
    counts = np.add.reduceat(inside.astype(np.int64), some.starts)
    is_left = counts > 0
    starts = (np.cumsum(counts) - counts)[is_left]
    quality = some.quality if isinstance(some.quality, int) else some.quality[inside]
    us, number = some.us[inside], some.number[inside]
    return Stretches(some.k[is_left], starts, us, number, quality, counts[is_left])


def _us(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.cast(pa.int64()).to_numpy(), np.int64)


def _numbers(column: pa.ChunkedArray) -> Edges:
    return np.asarray(pc.fill_null(column, np.nan).to_numpy(), np.float64)
