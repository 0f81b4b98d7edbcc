"""The columns of a Batch and of the log: the one shape that doors make and everybody reads."""

from enum import IntEnum
from typing import Any

import pyarrow as pa


class Kind(IntEnum):
    """Kind of attribute (ETSI GS CIM 009 V1.9.1, clause 4.5)."""

    PROPERTY = 1
    RELATIONSHIP = 2
    GEO_PROPERTY = 3
    LANGUAGE_PROPERTY = 4
    VOCAB_PROPERTY = 5
    JSON_PROPERTY = 6
    LIST_PROPERTY = 7
    LIST_RELATIONSHIP = 8


class Change(IntEnum):
    """What a row does to the state."""

    UPSERT = 1
    """Record the value (and make the entity when it is not there); the state keeps the newest by
    `observed_at`, so a late value enters the history without becoming the current one."""
    DELETE_ATTRIBUTE = 2
    DELETE_ENTITY = 3
    """`attribute` is empty."""
    UPSERT_ENTITY = 4
    """`attribute` is empty; body = {"types": [...], "scope": [...], "expires_at": str|null}."""
    ASSIGN = 5
    """Like UPSERT, but becomes the current value whatever its `observed_at` (NGSI-LD writes)."""
    RECORD = 6
    """Record the value in the history alone: the current state stays as it is, and an entity that
    is not there is not made (temporal writes of NGSI-LD)."""
    RECORD_ENTITY = 7
    """`attribute` is empty; body = {"types": [...]}: types that the evolution of the entity has
    beside those of its current state."""
    FORGET = 8
    """What was recorded of the series before this row is no longer told. With body =
    {"seq": int | null, "stood_at": str | null, "moved_at": str | null, "is_moved": bool}: only one
    instance, that of `observed_at`, else that of the row `seq`, which stood under the time
    `stood_at`; `moved_at` says under which time it stands from now on, `is_moved` that this is the
    time of the commit."""
    FORGET_ENTITY = 9
    """`attribute` is empty: the same for everything that was recorded of the entity."""


VALUE_CHANGES = (Change.UPSERT, Change.ASSIGN, Change.RECORD)
"""Changes that record a value."""
PAST_CHANGES = (Change.RECORD, Change.RECORD_ENTITY, Change.FORGET, Change.FORGET_ENTITY)
"""Changes that leave the current state as it is."""


PLACE_NAMES = frozenset({"location", "observationSpace", "operationSpace"})
"""Attributes that are always GeoProperties (GS CIM 009, 4.7.1)."""
TIMESTAMP = pa.timestamp("us", tz="UTC")

ROW_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("entity", pa.string(), nullable=False),  # URI
        pa.field("entity_type", pa.string()),  # used when the entity is first seen
        pa.field("attribute", pa.string(), nullable=False),  # short under the default @context
        pa.field("dataset", pa.string(), nullable=False),  # "" is the default instance
        pa.field("observed_at", TIMESTAMP),  # null: a value without a time of its own
        pa.field("number", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("body", pa.string()),  # JSON: structured value, sub-attributes, geometry
        pa.field("unit", pa.string()),  # UN/CEFACT Rec 20 code after admit
        pa.field("quality", pa.uint8(), nullable=False),  # Quality, 0 = not given
        pa.field("kind", pa.uint8(), nullable=False),
        pa.field("change", pa.uint8(), nullable=False),
    ]
)
"""Rows as the doors hand them in."""

LOG_SCHEMA = pa.schema(
    [
        pa.field("lane", pa.int32(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),  # strictly rising within a lane
        *ROW_SCHEMA,
        pa.field("batch", pa.string(), nullable=False),
        pa.field("committed_at", TIMESTAMP, nullable=False),
        pa.field("revision", pa.uint8(), nullable=False),
        # 0: first value for its key; n: the n-th correction of (entity, attribute, dataset,
        # observed_at). The highest revision is the value in force, the earlier stay in the record.
    ]
)
"""Rows as consumers of the log read them."""

KEY_COLUMNS = ("entity", "attribute", "dataset", "observed_at")
"""What makes an observation the same observation."""

_DEFAULTS: dict[str, object] = {
    "dataset": "",
    "quality": 0,
    "kind": int(Kind.PROPERTY),
    "change": int(Change.UPSERT),
}


Row = tuple[Any, ...]
"""Cells in the order of ROW_SCHEMA."""


class Cells:
    """Rows one by one, each a tuple in the order of ROW_SCHEMA, from doors that take one thing at
    a time: a whole group becomes columns at once, since thirteen small arrays for each lone write
    cost more than all else that is done for it.
    """

    __slots__ = ("rows",)

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    @property
    def num_rows(self) -> int:
        return len(self.rows)

    def table(self) -> pa.Table:
        """The same rows as columns. Raises pyarrow.ArrowInvalid: a value that does not fit."""
        return cells_table(self.rows)


def cells_table(rows: list[Row]) -> pa.Table:
    """A ROW_SCHEMA table of rows that are tuples in its order."""
    cells = zip(*rows, strict=True) if rows else ([] for _ in ROW_SCHEMA)
    arrays = [pa.array(c, f.type) for c, f in zip(cells, ROW_SCHEMA, strict=True)]
    return pa.table(arrays, schema=ROW_SCHEMA)


def rows_table(columns: dict[str, object]) -> pa.Table:
    """Build a ROW_SCHEMA table from columns; absent columns get their default or null.

    Args:
        columns: name -> sequence, Arrow array or scalar (a scalar is repeated).
    Raises:
        ValueError: an unknown column, or columns of different lengths.
        pyarrow.ArrowInvalid: a value that does not fit its column.
    """
    unknown = columns.keys() - set(ROW_SCHEMA.names)
    if unknown:
        raise ValueError(f"unknown columns {sorted(unknown)}; known: {ROW_SCHEMA.names}")
    sized = [v for v in columns.values() if _is_column(v)]
    length = len(sized[0]) if sized else 1  # type: ignore[arg-type]
    arrays = []
    for field in ROW_SCHEMA:
        value = columns.get(field.name, _DEFAULTS.get(field.name))
        arrays.append(_as_array(value, field.type, length))
    return pa.table(arrays, schema=ROW_SCHEMA)


def _is_column(value: object) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes)


def _as_array(value: object, type_: pa.DataType, length: int) -> pa.Array | pa.ChunkedArray:
    if isinstance(value, pa.Array | pa.ChunkedArray):
        return value if value.type == type_ else value.cast(type_)
    if _is_column(value):
        return pa.array(value, type=type_)
    return pa.nulls(length, type_) if value is None else pa.repeat(pa.scalar(value, type_), length)


EMPTY_ROWS = ROW_SCHEMA.empty_table()
