"""The index in memory finds what a plain list finds."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dothi.storage.relational import hot_index
from dothi.storage.relational.hot_index import HotIndex
from thorough import examples

ROWS = st.lists(st.tuples(st.integers(1, 90), st.integers(0, 5)), max_size=60)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_index, "_CHUNK_ROWS", 8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(200))
@given(
    appends=st.lists(ROWS, max_size=4),
    dropped=st.integers(0, 200),
    wanted=st.lists(st.integers(0, 91), min_size=1, max_size=80),
)
def test_rows_are_found_by_series_and_by_key(
    appends: list[list[tuple[int, int]]], dropped: int, wanted: list[int]
) -> None:
    index, plain = HotIndex(), []
    for rows in appends:
        first = len(plain) + 1
        seq = np.arange(first, first + len(rows))
        columns = np.array(rows, np.int64).reshape(-1, 2)
        index.append(seq, columns[:, 0], columns[:, 1])
        plain += [(int(n), *row) for n, row in zip(seq, rows, strict=True)]
    index.drop_through(dropped)
    plain = [row for row in plain if row[0] > dropped]
    assert len(index) == len(plain)
    of_series = [n for n, attribute, _ in plain if attribute in wanted]
    assert index.rows_of(np.array(wanted)).tolist() == of_series
    keys = {(attribute, attribute % 6) for attribute in wanted}
    found = index.rows_of_keys(np.array(wanted), np.array(wanted) % 6).tolist()
    assert found == [n for n, attribute, at in plain if (attribute, at) in keys]
