"""The index names the rows of each series, and never hides one."""

from pathlib import Path

import pyarrow as pa

from dothi.model.series import SeriesKey
from dothi.storage.lake.series_index import (
    EVERY_ROW,
    IndexBuilder,
    find_rows,
    series_numbers,
)


def rows(*keys: tuple[str, str, str]) -> pa.Table:
    columns = zip(*keys, strict=True)
    return pa.table(dict(zip(("attribute", "entity", "dataset"), map(list, columns), strict=True)))


def test_series_are_found_across_parts(tmp_path: Path) -> None:
    builder = IndexBuilder()
    builder.add(rows(("a", "x", ""), ("a", "x", ""), ("a", "y", "")))
    builder.add(rows(("a", "y", ""), ("b", "x", ""), ("b", "x", "d")))
    path = tmp_path / "f.npy"
    builder.write(path)

    def find(*series: SeriesKey) -> tuple[int, int] | None:
        return find_rows(str(path), series_numbers(series))

    assert find(SeriesKey("x", "a")) == (0, 1)
    # A part begins a new run: the range covers both.
    assert find(SeriesKey("y", "a")) == (2, 3)
    assert find(SeriesKey("x", "b", "d")) == (5, 5)
    assert find(SeriesKey("x", "a"), SeriesKey("x", "b")) == (0, 4)
    assert find(SeriesKey("z", "a")) is None
    assert find(SeriesKey("z", "a"), SeriesKey("y", "a")) == (2, 3)


def test_a_file_without_an_index_is_read_whole(tmp_path: Path) -> None:
    wanted = series_numbers([SeriesKey("x", "a")])
    assert find_rows(str(tmp_path / "none.npy"), wanted) == EVERY_ROW
