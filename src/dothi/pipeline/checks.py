"""The reasons for which admit refuses a row, and the tests behind them, each on whole columns."""

import re
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.model.nesting import MAX_DEPTH, is_text_too_deep
from dothi.model.quality import Quality
from dothi.model.row import PLACE_NAMES, VALUE_CHANGES, Change, Kind
from dothi.pipeline import geometry

Mask = npt.NDArray[np.bool_]

EARLIEST_US = -2_208_988_800_000_000
"""1900-01-01, UTC."""
FUTURE_TOLERANCE_US = 5 * 60 * 1_000_000
MAX_ENTITY_CHARS = 1024
MAX_NAME_CHARS = 512
MAX_VALUE_BYTES = 1_000_000

_VALUE_LIMIT = pa.scalar(MAX_VALUE_BYTES, pa.int32())
_YES, _NO = pa.scalar(True), pa.scalar(False)
_URI = r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`\x00-\x1f\x7f]+$"
_BAD = r"\s\x00-\x1f\x7f<>\"{}|\\^`"
_TYPE = rf"^(?:[A-Za-z][A-Za-z0-9+.\-]*:[^{_BAD}]+|[^./{_BAD}][^/{_BAD}]*)$"
"""An IRI, or a name that is no path."""
_NAME = rf"^[^@{_BAD}][^{_BAD}]*$"
"""Names with @ at the front are words of JSON-LD."""


def _among(numbers: Iterable[int]) -> Mask:
    """By number, whether it is one of these; looking up is much faster than np.isin."""
    found = np.zeros(256, np.bool_)
    found[list(numbers)] = True
    return found


_IS_WRITE = _among(VALUE_CHANGES)
_HAS_NO_NAME = _among(
    [Change.DELETE_ENTITY, Change.UPSERT_ENTITY, Change.RECORD_ENTITY, Change.FORGET_ENTITY]
)
_IS_QUALITY = _among([0, *Quality])
_MAX_PASSED = 100_000
"""Names that are remembered as good; they recur from batch to batch."""


class Check(Struct, frozen=True):
    """`fails` gives the mask of the rows that break the rule."""

    reason: str
    detail: str
    fails: Callable[["Rows"], Mask]


class Rows(Struct, frozen=True):
    """The columns of a group in the form that the checks need."""

    table: pa.Table
    received_us: npt.NDArray[np.int64]
    observed_us: npt.NDArray[np.int64]
    has_time: Mask
    number: npt.NDArray[np.float64]
    """NaN where null."""
    quality: npt.NDArray[np.uint8]
    change: npt.NDArray[np.uint8]

    def is_null(self, column: str) -> Mask:
        return flat(pc.is_null(self.table[column]))

    def dictionary_fails(self, column: str, test: Callable[[pa.Array], Mask]) -> Mask:
        """Run a text test once per distinct value of a dictionary column."""
        encoded = self.table[column].combine_chunks()
        verdict = test(encoded.dictionary)
        if not verdict.any():
            return np.zeros(len(encoded), np.bool_)
        codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        found: Mask = verdict[codes]
        return found

    @property
    def is_write(self) -> Mask:
        found: Mask = _IS_WRITE[self.change]
        return found


def flat(mask: pa.Array | pa.ChunkedArray) -> Mask:
    """A boolean Arrow array as numpy."""
    found: Mask = mask.to_numpy(zero_copy_only=False).astype(np.bool_, copy=False)
    return found


def _breaks(pattern: str, longest: int) -> Callable[[pa.Array], Mask]:
    fits = re.compile(pattern, re.ASCII).fullmatch
    passed: set[str | None] = set()

    def test(texts: pa.Array) -> Mask:
        names = texts.to_pylist()
        bad: Mask = np.zeros(len(names), np.bool_)
        fresh = [at for at, name in enumerate(names) if name not in passed]
        if not fresh:
            return bad
        # A dozen calls of Arrow cost a lone write more than all else that admit does.
        bad[fresh] = [
            name is None or len(name) > longest or fits(name) is None
            for name in map(names.__getitem__, fresh)
        ]
        if len(passed) + len(fresh) > _MAX_PASSED:
            passed.clear()
        passed.update(names[at] for at in fresh if not bad[at])
        return bad

    return test


entity_breaks = _breaks(_URI, MAX_ENTITY_CHARS)
"""Which texts are no id of an entity."""
attribute_breaks = _breaks(_NAME, MAX_NAME_CHARS)
"""Which texts are no name of an attribute."""
_type_breaks = _breaks(_TYPE, MAX_NAME_CHARS)


def _too_large(rows: Rows) -> Mask:
    bad: Mask = np.zeros(rows.table.num_rows, np.bool_)
    for column in ("text", "body"):
        values = rows.table[column]
        if values.nbytes > MAX_VALUE_BYTES:
            bad |= flat(pc.fill_null(pc.greater(pc.binary_length(values), _VALUE_LIMIT), _NO))
    return bad


def _too_deep(rows: Rows) -> Mask:
    bad: Mask = np.zeros(rows.table.num_rows, np.bool_)
    bodies = rows.table["body"]
    if bodies.null_count < len(bodies):
        opened = pc.add(pc.count_substring(bodies, "["), pc.count_substring(bodies, "{"))
        at = np.flatnonzero(flat(pc.fill_null(pc.greater(opened, MAX_DEPTH), _NO)))
        told = bodies.take(pa.array(at, pa.int64())).to_pylist()
        bad[at] = [is_text_too_deep(text) for text in told]
    return bad


def _has_no_value(rows: Rows) -> Mask:
    candidates = rows.is_write & (rows.quality != Quality.MISSING)
    suspects: Mask = candidates & rows.is_null("number")
    if not suspects.any():
        return suspects
    empty: Mask = suspects & rows.is_null("text") & rows.is_null("body")
    return empty


def _geometry_invalid(rows: Rows) -> Mask:
    is_geometry = rows.table["kind"].to_numpy() == Kind.GEO_PROPERTY
    bad: Mask = is_geometry & rows.is_write & (rows.quality != Quality.MISSING)
    at = np.flatnonzero(bad)
    if len(at):
        bad[at] = geometry.invalid(rows.table["body"].take(pa.array(at)))
    return bad


def _place_fails(rows: Rows) -> Mask:
    """GS CIM 009, 4.7.1."""
    bad: Mask = rows.dictionary_fails("attribute", _are_places)
    if bad.any():
        bad &= rows.is_write & (rows.quality != Quality.MISSING)
        bad &= rows.table["kind"].to_numpy() != Kind.GEO_PROPERTY
    return bad


def _are_places(names: pa.Array) -> Mask:
    return np.array([name in PLACE_NAMES for name in names.to_pylist()], np.bool_)


def _kind_unknown(rows: Rows) -> Mask:
    kinds = rows.table["kind"].to_numpy()
    low, high = min(Kind), max(Kind)
    unknown: Mask = (kinds < low) | (kinds > high) | (rows.change < 1) | (rows.change > max(Change))
    return unknown


def _lies_ahead(rows: Rows) -> Mask:
    """Of telemetry only: what a system writes over NGSI-LD may be a forecast."""
    late: Mask = rows.has_time & (rows.observed_us > rows.received_us + FUTURE_TOLERANCE_US)
    late &= rows.change == Change.UPSERT
    return late


def _attribute_fails(rows: Rows) -> Mask:
    bad: Mask = rows.dictionary_fails("attribute", attribute_breaks)
    broken: Mask = bad & ~_HAS_NO_NAME[rows.change]
    return broken


def _type_fails(rows: Rows) -> Mask:
    bad: Mask = rows.dictionary_fails("entity_type", _type_breaks)
    broken: Mask = bad & ~rows.is_null("entity_type")
    return broken


CHECKS = (
    Check(
        "entity_invalid",
        "column entity must be a URI of at most 1024 characters without spaces, "
        "such as urn:ngsi-ld:WaterObserved:phu-an",
        lambda rows: rows.dictionary_fails("entity", entity_breaks),
    ),
    Check(
        "attribute_invalid",
        "column attribute must be a name of 1 to 512 characters without spaces or brackets, "
        "and without @ at its front",
        _attribute_fails,
    ),
    Check(
        "entity_type_invalid",
        "column entity_type must be a name such as WaterObserved, or an IRI, of 1 to 512 "
        "characters without spaces, slashes or brackets, or left out",
        _type_fails,
    ),
    Check(
        "not_finite",
        "NaN and Infinity are not values; leave the number empty and set quality 9 (missing)",
        lambda rows: np.isinf(rows.number) | (np.isnan(rows.number) & ~rows.is_null("number")),
    ),
    Check(
        "value_missing",
        "number, text and body are all empty; send a value, or quality 9 (missing)",
        _has_no_value,
    ),
    Check(
        "time_in_future",
        "observedAt lies more than 5 minutes after the time of receipt; "
        "set the sender's clock and its time zone",
        _lies_ahead,
    ),
    Check(
        "time_out_of_range",
        "observedAt lies before 1900-01-01; send RFC 3339, e.g. 2026-11-22T08:00:00+07:00",
        lambda rows: rows.has_time & (rows.observed_us < EARLIEST_US),
    ),
    Check(
        "quality_unknown",
        "quality must be 1 good, 3 uncertain, 4 bad, 5 estimated, 6 hand-entered or 9 missing",
        lambda rows: ~_IS_QUALITY[rows.quality],
    ),
    Check(
        "geometry_invalid",
        "body must be a GeoJSON geometry in WGS 84, longitude first, within ±180 and ±90; "
        "location, observationSpace and operationSpace hold nothing else",
        lambda rows: _geometry_invalid(rows) | _place_fails(rows),
    ),
    Check(
        "kind_unknown",
        "kind or change has a number that is not defined",
        _kind_unknown,
    ),
    Check(
        "value_too_large",
        "text and body may hold at most 1,000,000 bytes; store large objects elsewhere "
        "and send their address",
        _too_large,
    ),
    Check(
        "json_too_deep",
        f"lists and objects may be nested {MAX_DEPTH} deep; flatten the value",
        _too_deep,
    ),
)
"""In the order in which a row's first failure is reported."""
