"""Lines of many station files to rows, on columns.

A line is `symbol TAB value TAB unit TAB yyyyMMddHHmmss TAB status` (Circular 10/2021/TT-BTNMT,
annex 15). Status 00 measuring, 01 calibrating, 02 fault, 03 maintenance: only 00 is a valid
value; the others are stored as bad, with the reason beside the value.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.intake.files.station import Station
from dothi.intake.files.symbols import Symbol, fold
from dothi.intake.text_columns import compact_times, numbers
from dothi.model.batch import Rejection
from dothi.model.quality import UNSET, Quality
from dothi.model.row import rows_table

MAX_LINE_CHARS = 1_000
DESCRIBED_PER_REASON = 20
"""Bad lines of a file and reason that are described one by one; the rest is one counted record."""

STATUS = {"00": "measuring", "01": "calibrating", "02": "fault", "03": "maintenance"}

_DETAILS = (
    ("line_too_long", f"a line has at most {MAX_LINE_CHARS} characters"),
    ("field_count", "a line has five fields, separated by TAB: symbol, value, unit, time, status"),
    ("symbol_unknown", "symbol is not in table 34; add it under [files.symbols] if it is right"),
    ("time_invalid", "the fourth field must be a real local time yyyyMMddHHmmss"),
    (
        "time_in_future",
        "the line's time lies ahead of this machine's clock; set the logger's clock",
    ),
    ("status_unknown", "status must be 00, 01, 02 or 03"),
    ("unit_mismatch", "the unit is not one that this symbol is measured in"),
    ("value_not_a_number", "the value must be a decimal number such as 7.21 or 7,21"),
)
_CODE = {reason: code for code, (reason, _) in enumerate(_DETAILS, start=1)}


class Delivery(Struct, frozen=True):
    """One decoded file."""

    path: str
    station: Station
    text: str


class Parsed(Struct, frozen=True):
    """`accepted` and `refused` count lines per delivery."""

    rows: pa.Table
    rejected: tuple[Rejection, ...]
    accepted: tuple[int, ...]
    refused: tuple[int, ...]


class Limits(Struct, frozen=True):
    """What the lines are held against."""

    symbols: Mapping[str, Symbol]
    latest_at: datetime
    utc_offset_h: float = 7.0


class _Lines(Struct):
    """Non-blank lines of all deliveries with their place."""

    texts: list[str]
    file: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]


def parse(deliveries: Sequence[Delivery], limits: Limits) -> Parsed:
    """Rows in the order of the deliveries and their lines: a later line corrects an earlier."""
    lines = _split(deliveries)
    texts = pa.array(lines.texts, pa.string())
    failure = np.zeros(len(texts), np.uint8)
    _fail(failure, pc.greater(pc.utf8_length(texts), MAX_LINE_CHARS), "line_too_long")
    parts = pc.split_pattern(texts, "\t")
    _fail(failure, pc.not_equal(pc.list_value_length(parts), 5), "field_count")
    whole = failure == 0
    columns = _columns(parts.filter(pa.array(whole)), limits)
    failure[whole] = columns.failure
    good = columns.failure == 0
    file = lines.file[whole][good]
    stations = [delivery.station for delivery in deliveries]
    rows = _rows(columns, good, [stations[at] for at in file])
    return Parsed(
        rows,
        _rejections(lines, failure, deliveries),
        tuple(np.bincount(file, minlength=len(deliveries)).tolist()),
        tuple(np.bincount(lines.file[failure > 0], minlength=len(deliveries)).tolist()),
    )


class _Columns(Struct):
    """The five fields of the lines that have five, understood."""

    failure: npt.NDArray[np.uint8]
    attribute: pa.Array
    number: pa.Array
    unit: pa.Array
    observed_at: pa.Array
    status: pa.Array


def _split(deliveries: Sequence[Delivery]) -> _Lines:
    texts: list[str] = []
    file: list[int] = []
    number: list[int] = []
    for at, delivery in enumerate(deliveries):
        plain = delivery.text.replace("\r\n", "\n").replace("\r", "\n")
        for place, line in enumerate(plain.split("\n"), start=1):
            if line and not line.isspace():
                texts.append(line)
                file.append(at)
                number.append(place)
    return _Lines(texts, np.array(file, np.int64), np.array(number, np.int64))


def _columns(parts: pa.Array, limits: Limits) -> _Columns:
    symbol, value, unit, time, status = (
        pc.utf8_trim_whitespace(pc.list_element(parts, at)) for at in range(5)
    )
    failure = np.zeros(len(parts), np.uint8)
    attribute, code = _meanings(symbol, unit, limits.symbols)
    _fail(failure, pc.is_null(attribute), "symbol_unknown")
    observed_at = compact_times(time, round(timedelta(hours=limits.utc_offset_h).total_seconds()))
    _fail(failure, pc.is_null(observed_at), "time_invalid")
    latest = pa.scalar(limits.latest_at, pa.timestamp("us", tz="UTC"))
    _fail(failure, pc.greater(observed_at, latest), "time_in_future")
    _fail(failure, pc.invert(pc.is_in(status, pa.array(list(STATUS)))), "status_unknown")
    _fail(failure, pc.is_null(code), "unit_mismatch")
    number = numbers(value)
    is_bad = pc.and_(pc.is_null(number), pc.not_equal(value, ""))
    _fail(failure, is_bad, "value_not_a_number")
    return _Columns(failure, attribute, number, code, observed_at, status)


def _fail(failure: npt.NDArray[np.uint8], bad: pa.Array, reason: str) -> None:
    mask = pc.fill_null(bad, False).to_numpy(zero_copy_only=False).astype(np.bool_)
    failure[mask & (failure == 0)] = _CODE[reason]


def _meanings(
    symbol: pa.Array, unit: pa.Array, symbols: Mapping[str, Symbol]
) -> tuple[pa.Array, pa.Array]:
    """Attribute and unit code per line, looked up once per distinct symbol and unit."""
    pairs = pc.binary_join_element_wise(symbol, unit, "\t").dictionary_encode()
    attributes: list[str | None] = []
    codes: list[str | None] = []
    for pair in pairs.dictionary.to_pylist():
        name, _, written = pair.partition("\t")
        meaning = symbols.get(fold(name))
        attributes.append(meaning.attribute if meaning else None)
        codes.append(meaning.unit_of(written) if meaning else None)
    return (
        pa.array(attributes, pa.string()).take(pairs.indices),
        pa.array(codes, pa.string()).take(pairs.indices),
    )


def _rows(columns: _Columns, good: npt.NDArray[np.bool_], stations: list[Station]) -> pa.Table:
    keep = pa.array(good)
    number, status = columns.number.filter(keep), columns.status.filter(keep)
    is_valid = pc.equal(status, "00")
    missing = pc.is_null(number)
    quality = pc.if_else(
        is_valid,
        pc.if_else(missing, int(Quality.MISSING), UNSET),
        pc.if_else(missing, int(Quality.MISSING), int(Quality.BAD)),
    )
    return rows_table(
        {
            "source": [station.source for station in stations],
            "entity": [station.entity for station in stations],
            "entity_type": [station.type for station in stations],
            "attribute": columns.attribute.filter(keep),
            "dataset": [station.dataset for station in stations],
            "observed_at": columns.observed_at.filter(keep),
            "number": number,
            "body": pc.if_else(is_valid, None, _bodies(status)),
            "unit": columns.unit.filter(keep),
            "quality": quality.cast(pa.uint8()),
        }
    )


def _bodies(status: pa.Array) -> pa.Array:
    """Why a value does not count stands beside it; the value itself stays in its column."""
    reasons = pa.array(list(STATUS.values()))
    reason = reasons.take(pc.index_in(status, pa.array(list(STATUS))))
    return pc.binary_join_element_wise(
        '{"status":{"type":"Property","value":"',
        reason,
        '"},"statusCode":{"type":"Property","value":"',
        status,
        '"}}',
        "",
    )


def _rejections(
    lines: _Lines, failure: npt.NDArray[np.uint8], deliveries: Sequence[Delivery]
) -> tuple[Rejection, ...]:
    found: list[Rejection] = []
    bad = np.flatnonzero(failure)
    keys = lines.file[bad] * 256 + failure[bad]
    for key in np.unique(keys):
        of_key = bad[keys == key]
        delivery = deliveries[int(key) // 256]
        reason, detail = _DETAILS[int(key) % 256 - 1]
        for at in of_key[:DESCRIBED_PER_REASON]:
            place = f"{delivery.path}, line {lines.number[at]}: {detail}"
            found.append(
                Rejection(delivery.station.source, reason, place, sample=lines.texts[at][:300])
            )
        left = len(of_key) - DESCRIBED_PER_REASON
        if left > 0:
            more = f"{delivery.path}: {left} more such lines: {detail}"
            found.append(Rejection(delivery.station.source, reason, more, count=left))
    return tuple(found)
