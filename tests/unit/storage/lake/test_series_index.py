"""The index names the rows of each series, and never hides one."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from dothi.model.series import SeriesKey
from dothi.storage.lake.series_index import IndexBuilder, digests, expand, find_places


def rows(*keys: tuple[str, str, str]) -> pa.Table:
    columns = zip(*keys, strict=True)
    return pa.table(dict(zip(("attribute", "entity", "dataset"), map(list, columns), strict=True)))


def test_series_are_found_across_parts(tmp_path: Path) -> None:
    builder = IndexBuilder()
    builder.add(rows(("a", "x", ""), ("a", "x", ""), ("a", "y", "")))
    builder.add(rows(("a", "y", ""), ("b", "x", ""), ("b", "x", "d")))
    path = tmp_path / "f.npy"
    builder.write(path)

    def find(*series: SeriesKey) -> list[tuple[int, int, int]]:
        found = find_places(str(path), digests(series))
        assert found is not None
        return list(zip(found.k.tolist(), found.first.tolist(), found.last.tolist(), strict=True))

    assert find(SeriesKey("x", "a")) == [(0, 0, 1)]
    # A part begins a new run.
    assert find(SeriesKey("y", "a")) == [(0, 2, 2), (0, 3, 3)]
    assert find(SeriesKey("x", "b", "d")) == [(0, 5, 5)]
    assert find(SeriesKey("x", "b"), SeriesKey("x", "a")) == [(1, 0, 1), (0, 4, 4)]
    assert find(SeriesKey("z", "a")) == []
    assert find(SeriesKey("z", "a"), SeriesKey("y", "a")) == [(1, 2, 2), (1, 3, 3)]


def test_a_missing_index_and_one_of_an_older_layout_are_no_index(tmp_path: Path) -> None:
    wanted = digests([SeriesKey("x", "a")])
    assert find_places(str(tmp_path / "none.npy"), wanted) is None
    old = np.zeros(3, np.dtype([("series", "<u8"), ("first", "<u4"), ("last", "<u4")]))
    np.save(tmp_path / "old.npy", old)
    assert find_places(str(tmp_path / "old.npy"), wanted) is None


def test_ranges_are_expanded_in_order() -> None:
    assert expand(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]
