"""Arrow IPC stream to rows: columns are taken as they are or cast; nothing is read row by row.

Only the shape is judged here. A null in a required column or a time outside the calendar becomes
a value that admit refuses for that row alone.
"""

import struct
from collections.abc import Callable
from difflib import get_close_matches

import pyarrow as pa
import pyarrow.compute as pc

from dothi.intake.http.arrow_sizes import check_sizes
from dothi.intake.http.decoded import Decoded
from dothi.intake.http.unreadable import Unreadable
from dothi.model.row import TIMESTAMP, rows_table

_NAMES = {
    "entity": "entity",
    "attribute": "attribute",
    "value": "value",
    "number": "number",
    "text": "text",
    "observedAt": "observed_at",
    "observed_at": "observed_at",
    "unit": "unit",
    "quality": "quality",
    "type": "entity_type",
    "entity_type": "entity_type",
    "dataset": "dataset",
}
_REQUIRED = ("entity", "attribute")
_NULL_AS: dict[str, object] = {"entity": "", "attribute": "", "dataset": "", "quality": 0}
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EARLIEST_S = -62_135_596_800
"""0001-01-01."""
_LATEST_S = 253_402_300_799
"""9999-12-31T23:59:59."""


def decode_arrow(data: bytes, source: str, max_rows: int, max_bytes: int) -> Decoded:
    """Rows of an Arrow IPC stream.

    Raises:
        Unreadable: not a stream, damaged, too large, or columns that do not fit.
    """
    try:
        check_sizes(data, max_rows, max_bytes)
        with pa.ipc.open_stream(pa.BufferReader(data)) as reader:
            table = reader.read_all()
        table.validate(full=True)  # offsets and text of a stranger are not to be trusted
    except (pa.ArrowNotImplementedError, OSError, ValueError, struct.error) as error:
        raise _malformed(str(error)) from error
    columns: dict[str, object] = {"source": source}
    for name, target in _targets(table.column_names).items():
        columns.update(_column(name, target, table[name]))
    if table.num_rows == 0:
        columns = {name: [] for name in columns}
    return Decoded(rows_table(columns))


def _targets(names: list[str]) -> dict[str, str]:
    """Column of the message -> column of the row."""
    for name in names:
        if name not in _NAMES:
            near = get_close_matches(name, _NAMES, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise _columns_wrong(f"column {name!r} is not known{hint}")
    targets = {name: _NAMES[name] for name in names}
    for required in _REQUIRED:
        if required not in targets.values():
            raise _columns_wrong(f"column {required!r} is missing")
    if len(set(targets.values())) < len(names):
        raise _columns_wrong(f"a column is there twice: {', '.join(sorted(names))}")
    values = set(names) & {"value", "number", "text"}
    if not values:
        raise _columns_wrong("none of the columns value, number and text is there")
    if "value" in values and len(values) > 1:
        raise _columns_wrong("give either value, or number and text")
    return targets


def _column(name: str, target: str, column: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    if target == "value":
        target = "text" if _is_text(column.type) else "number"
    if pa.types.is_null(column.type):
        return {}
    column = _CASTS.get(target, _cast_text)(name, column)
    if target in _NULL_AS and column.null_count:
        column = pc.fill_null(column, _NULL_AS[target])
    return {target: column}


def _cast_text(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not _is_text(column.type):
        raise _type_wrong(name, column.type, "string")
    return column.cast(pa.string())


def _cast_number(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = _plain(column)
    kind = column.type
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not is_number:
        raise _type_wrong(name, kind, "double")
    return column.cast(pa.float64(), safe=False)


def _cast_quality(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = _plain(column)
    if not pa.types.is_integer(column.type):
        raise _type_wrong(name, column.type, "uint8")
    if column.type == pa.uint8():
        return column
    wide = column.cast(pa.int64(), safe=False)
    outside = pc.or_(pc.less(wide, 0), pc.greater(wide, 255))
    return pc.if_else(outside, 255, wide).cast(pa.uint8())


def _cast_time(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = _plain(column)
    if not pa.types.is_timestamp(column.type):
        raise _type_wrong(name, column.type, "timestamp[us, tz=UTC]")
    if column.type.tz is None:
        raise _columns_wrong(
            f"column {name!r} is {column.type} without a time zone, so its instants are not known; "
            "give the type a time zone, e.g. timestamp[us, tz=UTC]"
        )
    if column.type.unit in ("us", "ns"):
        return column.cast(TIMESTAMP, safe=False)
    per_second = _PER_SECOND[column.type.unit]
    ticks = column.cast(pa.int64())
    low, high = pa.scalar(_EARLIEST_S * per_second), pa.scalar(_LATEST_S * per_second)
    within = pc.min_element_wise(
        pc.max_element_wise(ticks, low, skip_nulls=False), high, skip_nulls=False
    )
    return within.cast(pa.timestamp(column.type.unit, "UTC")).cast(TIMESTAMP)


_CASTS: dict[str, Callable[[str, pa.ChunkedArray], pa.ChunkedArray]] = {
    "number": _cast_number,
    "quality": _cast_quality,
    "observed_at": _cast_time,
}


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without dictionary encoding."""
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _type_wrong(name: str, found: pa.DataType, wanted: str) -> Unreadable:
    return _columns_wrong(f"column {name!r} is {found}; send {wanted}")


def _columns_wrong(detail: str) -> Unreadable:
    return Unreadable(
        "arrow_columns",
        detail,
        f"columns: {', '.join(_NAMES)}; needed: entity, attribute, a value",
    )


def _malformed(why: str) -> Unreadable:
    return Unreadable(
        "arrow_malformed",
        f"the body is not a whole, valid Arrow IPC stream: {why}",
        "write it with pyarrow.ipc.new_stream and send every byte; the file format is not taken",
    )
