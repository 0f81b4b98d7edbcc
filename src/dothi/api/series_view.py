"""Answers of the history as columns per series."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET, Struct, UnsetType

from dothi.model.series import Function, SeriesKey

Number = float | None


class Points(Struct, omit_defaults=True):
    """Observations of one series in order of time: times `t` (ms), values `v`, quality `q`."""

    entity: str
    attribute: str
    dataset: str
    unit: str | None
    t: list[int]
    v: list[float | str | None]
    q: list[int]
    revision: list[int] | UnsetType = UNSET
    committed: list[int] | UnsetType = UNSET
    source: list[str] | UnsetType = UNSET


class PointsAnswer(Struct):
    """`truncated`: there is more than `limit` in the range."""

    series: list[Points]
    truncated: bool


class Buckets(Struct, omit_defaults=True):
    """Aggregates of one series: bounds in ms, one list per function that was asked for."""

    entity: str
    attribute: str
    dataset: str
    start: list[int]
    end: list[int]
    avg: list[Number] | UnsetType = UNSET
    min: list[Number] | UnsetType = UNSET
    max: list[Number] | UnsetType = UNSET
    sum: list[Number] | UnsetType = UNSET
    count: list[int] | UnsetType = UNSET
    stddev: list[Number] | UnsetType = UNSET
    first: list[Number] | UnsetType = UNSET
    last: list[Number] | UnsetType = UNSET
    p05: list[Number] | UnsetType = UNSET
    p50: list[Number] | UnsetType = UNSET
    p95: list[Number] | UnsetType = UNSET
    p99: list[Number] | UnsetType = UNSET


class BucketsAnswer(Struct):
    """One entry per series, in the order asked for."""

    series: list[Buckets]


def points_answer(
    table: pa.Table, keys: Sequence[SeriesKey], limit: int, *, with_revisions: bool = False
) -> PointsAnswer:
    """RAW_ANSWER rows, at most `limit` of them, by series."""
    parts = _by_series(table.slice(0, limit))
    series = [_points(key, parts.get(key), with_revisions=with_revisions) for key in keys]
    return PointsAnswer(series, table.num_rows > limit)


def buckets_answer(
    table: pa.Table, keys: Sequence[SeriesKey], functions: Sequence[Function]
) -> BucketsAnswer:
    """Aggregate rows by series."""
    parts = _by_series(table)
    empty = table.slice(0, 0)
    series = []
    for key in keys:
        part = parts.get(key, empty)
        buckets = Buckets(
            key.entity,
            key.attribute,
            key.dataset,
            _ms(part["period_start_at"]),
            _ms(part["period_end_at"]),
        )
        for function in functions:
            setattr(buckets, str(function), part[str(function)].to_pylist())
        series.append(buckets)
    return BucketsAnswer(series)


def _by_series(table: pa.Table) -> dict[SeriesKey, pa.Table]:
    """Slices of a table that is sorted by series."""
    if not table.num_rows:
        return {}
    differs = np.zeros(table.num_rows - 1, np.bool_)
    for name in ("entity", "attribute", "dataset"):
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        changes = pc.not_equal(column.slice(1), column.slice(0, table.num_rows - 1))
        differs |= np.asarray(changes, dtype=np.bool_)
    starts = [0, *(np.flatnonzero(differs) + 1).tolist(), table.num_rows]
    found = {}
    for start, end in pairwise(starts):
        part = table.slice(start, end - start)
        key = SeriesKey(*(part[n][0].as_py() for n in ("entity", "attribute", "dataset")))
        found[key] = part
    return found


def _points(key: SeriesKey, part: pa.Table | None, *, with_revisions: bool) -> Points:
    names = (key.entity, key.attribute, key.dataset)
    if part is None:
        points = Points(*names, None, [], [], [])
        if with_revisions:
            points.revision, points.committed, points.source = [], [], []
        return points
    times = pc.coalesce(part["observed_at"], part["committed_at"])
    unit = part["unit"][-1].as_py()
    points = Points(*names, unit, _ms(times), _values(part), part["quality"].to_pylist())
    if with_revisions:
        points.revision = part["revision"].to_pylist()
        points.committed = _ms(part["committed_at"])
        points.source = part["source"].to_pylist()
    return points


def _values(part: pa.Table) -> list[float | str | None]:
    numbers: list[float | str | None] = part["number"].to_pylist()
    if part["number"].null_count == 0:
        return numbers
    texts = pc.coalesce(part["text"], part["body"]).to_pylist()
    return [n if n is not None else t for n, t in zip(numbers, texts, strict=True)]


def _ms(column: pa.ChunkedArray) -> list[int]:
    ms: list[int] = column.cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64()).to_pylist()
    return ms
