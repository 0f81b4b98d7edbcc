"""Aggregated temporal values (clause 4.5.19), on columns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.facades.ngsi_ld.errors import bad_request_data, invalid_request
from dothi.facades.ngsi_ld.operations.periods import (
    Duration,
    Ints,
    from_us,
    number_periods,
    read_duration,
    to_us,
)
from dothi.facades.ngsi_ld.operations.times import TimeProperty, TimeQuery
from dothi.facades.ngsi_ld.wire.body import plain_numbers
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.quality import USABLE
from dothi.model.row import Kind

AGGREGATE_PARAMETERS = frozenset({"aggrMethods", "aggrPeriodDuration"})
_LARGEST = float(np.finfo(np.float64).max)
FOLDED_COLUMNS = ("number", "text", "body", "kind")
"""Columns of the history that an aggregation needs, beside times and quality."""
_SERIES_COLUMNS = ("attribute", "dataset")
Floats = npt.NDArray[np.float64]
_Reducer = Callable[[Floats, Ints, Ints], Floats]
"""Values in order of their periods, first index of each period, and sizes -> one per period."""


def _stddev(values: Floats, starts: Ints, sizes: Ints) -> Floats:
    """Of a sample; 0 for a single value."""
    mean = np.add.reduceat(values, starts) / sizes
    squares = np.add.reduceat((values - np.repeat(mean, sizes)) ** 2, starts)
    return np.sqrt(squares / np.maximum(sizes - 1, 1))


_NUMERIC: dict[str, _Reducer] = {
    "avg": lambda v, starts, sizes: np.add.reduceat(v, starts) / sizes,
    "max": lambda v, starts, _: np.maximum.reduceat(v, starts),
    "min": lambda v, starts, _: np.minimum.reduceat(v, starts),
    "stddev": _stddev,
    "sum": lambda v, starts, _: np.add.reduceat(v, starts),
    "sumsq": lambda v, starts, _: np.add.reduceat(v * v, starts),
}
_COUNTS = ("totalCount", "distinctCount")
_ON_ARRAYS = frozenset({"avg", "max", "min", "sum"})
_ON_TEXTS = frozenset({"max", "min"})
METHODS = tuple(sorted({*_NUMERIC, *_COUNTS}))


class Aggregation(Struct, frozen=True):
    """What is asked for."""

    methods: tuple[str, ...]
    duration: Duration


def read_aggregation(parameters: Parameters) -> Aggregation:
    """Raises NgsiError BadRequestData."""
    methods = parameters.names("aggrMethods")
    unknown = [name for name in methods if name not in METHODS]
    if not methods or unknown:
        raise bad_request_data(
            f"aggrMethods must name some of {', '.join(METHODS)}, "
            f"not {', '.join(unknown) or 'none'}"
        )
    duration = read_duration(parameters.text("aggrPeriodDuration"))
    return Aggregation(tuple(dict.fromkeys(methods)), duration)


def aggregate_rows(
    rows: pa.Table, times: TimeQuery, asked: Aggregation, now: datetime, explicit: Sequence[str]
) -> dict[str, Any]:
    """Members of one evolution by attribute (stored name), from RAW_ANSWER rows of one entity.

    Args:
        now: where a range without an end ends.
        explicit: attributes that were asked for by name.
    Raises:
        NgsiError: InvalidRequest when one of those has values that no asked method is for.
    """
    moment = "observed_at" if times.by is TimeProperty.OBSERVED else "committed_at"
    rows = _counted(rows.select([*_SERIES_COLUMNS, moment, "quality", *FOLDED_COLUMNS]), times)
    if not rows.num_rows:
        return {}
    us: Ints = rows[moment].cast(pa.int64()).to_numpy()
    first_us = int(us.min()) if times.start_at is None else to_us(times.start_at)
    end_us = to_us(times.end_at) if times.end_at else max(to_us(now), int(us.max()) + 1)
    found: dict[str, list[dict[str, Any]]] = {}
    for start, end in _series(rows):
        part, moments = rows.slice(start, end - start), us[start:end]
        name, dataset = part["attribute"][0].as_py(), part["dataset"][0].as_py()
        if asked.duration.is_whole_range:
            periods, spans = np.zeros(len(moments), np.int64), [(first_us, end_us)]
        else:
            periods, spans = number_periods(moments, first_us, asked.duration)
        values = _Values(part, periods, spans)
        members = {m: folded for m in asked.methods if (folded := values.fold(m))}
        if not members and name in explicit:
            raise invalid_request(
                f"none of the aggrMethods {', '.join(asked.methods)} is for the values of {name}"
            )
        if members:
            kind = {"type": "Relationship" if values.is_relationship else "Property"}
            found.setdefault(name, []).append(
                kind | ({"datasetId": dataset} if dataset else {}) | members
            )
    return {name: one[0] if len(one) == 1 else one for name, one in found.items()}


def _counted(rows: pa.Table, times: TimeQuery) -> pa.Table:
    """Rows of good quality within the times; of scopes there is nothing to aggregate."""
    keep = pc.is_in(rows["quality"], pa.array(sorted(int(q) for q in USABLE), pa.uint8()))
    keep = pc.and_(keep, pc.not_equal(rows["attribute"], pa.scalar("scope", pa.string())))
    if times.by is TimeProperty.OBSERVED:
        return _kept(rows, pc.and_(keep, pc.is_valid(rows["observed_at"])))
    committed = rows["committed_at"]
    if times.start_at is not None:
        keep = pc.and_(keep, pc.greater_equal(committed, pa.scalar(times.start_at)))
    if times.end_at is not None:
        keep = pc.and_(keep, pc.less(committed, pa.scalar(times.end_at)))
    return _kept(rows, keep)


def _kept(rows: pa.Table, keep: pa.ChunkedArray) -> pa.Table:
    """Mostly all of them, which then need not be copied."""
    return rows if pc.all(keep).as_py() else rows.filter(keep)


def _series(rows: pa.Table) -> Iterator[tuple[int, int]]:
    """First row of each series and the one after its last; rows come sorted by series."""
    changed = np.ones(rows.num_rows, np.bool_)
    changed[1:] = False
    for name in _SERIES_COLUMNS:
        column = rows[name].combine_chunks()
        changed[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    yield from pairwise([*np.flatnonzero(changed).tolist(), rows.num_rows])


class _Grouped(NamedTuple):
    """Numbers in order of their periods."""

    values: Floats
    periods: Ints
    starts: Ints
    """Place of the first number of each period."""
    sizes: Ints


class _Values:
    """Values of one series with the period of each."""

    def __init__(self, rows: pa.Table, periods: Ints, spans: Sequence[tuple[int, int]]) -> None:
        self._rows = rows
        self._periods = periods
        self._starts, self._ends = _as_texts(spans)
        self._grouped: dict[bool, _Grouped] = {}
        kinds = set(pc.unique(rows["kind"]).to_pylist())
        self.is_relationship = kinds <= {Kind.RELATIONSHIP, Kind.LIST_RELATIONSHIP}
        self._is_property = kinds == {Kind.PROPERTY}
        self._bodies = _decoded(rows["body"]) if rows["body"].null_count < rows.num_rows else {}

    def fold(self, method: str) -> list[list[Any]]:
        """[value, start, end] of each period; none where the method is not for these values."""
        if method == "totalCount":
            counts = np.bincount(self._periods, minlength=len(self._starts))
            return self._listed(counts.tolist())
        if method == "distinctCount":
            return self._listed(self._distinct())
        if not self._is_property:
            return []
        found: dict[int, Any] = self._texts(method) if method in _ON_TEXTS else {}
        found |= self._numbers(method)
        at = sorted(found)
        return self._listed([found[n] for n in at], at)

    def _numbers(self, method: str) -> Mapping[int, float]:
        found = self._groups(counts_arrays=bool(self._bodies) and method in _ON_ARRAYS)
        if not len(found.values):
            return {}
        with np.errstate(over="ignore", invalid="ignore"):
            folded = _NUMERIC[method](found.values, found.starts, found.sizes)
        # JSON has no number for what grew too large, so nothing is told of that period.
        is_told = np.isfinite(folded)
        return dict(
            zip(found.periods[is_told].tolist(), plain_numbers(folded[is_told]), strict=True)
        )

    def _groups(self, *, counts_arrays: bool) -> "_Grouped":
        """The numbers by period; `counts_arrays`: an array counts as the number of its members."""
        if counts_arrays in self._grouped:
            return self._grouped[counts_arrays]
        numbers = self._rows["number"].to_numpy().copy()
        for n, body in self._bodies.items():
            value = body.get("value") if isinstance(body, dict) else None
            if isinstance(value, bool | int):
                numbers[n] = value if abs(value) <= _LARGEST else np.nan
            elif isinstance(value, list) and counts_arrays:
                numbers[n] = len(value)
        at = np.flatnonzero(~np.isnan(numbers))
        at = at[np.argsort(self._periods[at], kind="stable")]
        found = np.unique(self._periods[at], return_index=True, return_counts=True)
        self._grouped[counts_arrays] = _Grouped(numbers[at], *found)
        return self._grouped[counts_arrays]

    def _texts(self, method: str) -> dict[int, str]:
        texts = self._rows["text"]
        if texts.null_count == len(texts):
            return {}
        table = pa.table({"period": self._periods, "text": texts}).filter(pc.is_valid(texts))
        folded = table.group_by("period").aggregate([("text", method)])
        return dict(
            zip(folded["period"].to_pylist(), folded[f"text_{method}"].to_pylist(), strict=True)
        )

    def _distinct(self) -> list[int]:
        columns = {name: self._rows[name] for name in ("number", "text")}
        values = [msgspec.json.encode(_value_of(b)).decode() for b in self._bodies.values()]
        bodies: list[str | None] = [None] * self._rows.num_rows
        for n, value in zip(self._bodies, values, strict=True):
            bodies[n] = value
        table = pa.table(
            {"period": self._periods, **columns, "body": pa.array(bodies, pa.string())}
        )
        folded = table.group_by(table.column_names).aggregate([])
        periods = folded["period"].to_numpy()
        counts: list[int] = np.bincount(periods, minlength=len(self._starts)).tolist()
        return counts

    def _listed(self, values: Sequence[Any], at: Sequence[int] | None = None) -> list[list[Any]]:
        """[value, start, end]; `at`: their periods, which rise; None: there is one of each."""
        starts, ends = self._starts, self._ends
        if at is not None and len(at) < len(starts):
            starts, ends = [starts[n] for n in at], [ends[n] for n in at]
        return list(map(list, zip(values, starts, ends, strict=True)))


_VALUE_KEYS = ("value", "object", "languageMap", "vocab", "json", "valueList", "objectList")


def _decoded(bodies: pa.ChunkedArray) -> dict[int, Any]:
    """Index of the row -> body, where there is one."""
    texts = bodies.to_pylist()
    return {n: msgspec.json.decode(text) for n, text in enumerate(texts) if text is not None}


def _value_of(body: Any) -> Any:
    """The value in a body; the body itself where it is one. None: a column holds it."""
    if not isinstance(body, dict) or "coordinates" in body:
        return body
    return next((body[key] for key in _VALUE_KEYS if key in body), None)


def _as_texts(spans: Sequence[tuple[int, int]]) -> tuple[list[str], list[str]]:
    """Start and end of each period as they are written, exact to the microsecond."""
    edges = np.array(spans, np.int64).reshape(-1, 2)
    distinct, at = np.unique(edges, return_inverse=True)
    moments = distinct.astype("datetime64[us]")
    whole = moments.astype("datetime64[s]")
    if (whole == moments).all():
        texts = [f"{edge}Z" for edge in np.datetime_as_string(whole).tolist()]
    else:
        texts = [format_date_time(from_us(us)) for us in distinct.tolist()]
    starts, ends = at.reshape(-1, 2).T.tolist()
    return [texts[n] for n in starts], [texts[n] for n in ends]
