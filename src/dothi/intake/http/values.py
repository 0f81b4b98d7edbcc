"""The value of each row of a JSON message, split over number, text and body."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import UNSET, Struct

from dothi.model.batch import Rejection
from dothi.model.row import Kind

_GEOMETRIES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)
_AMBIGUOUS = "give one of value, number and text"


class Values(Struct, frozen=True):
    """Columns of the same length, and the rows that say two things at once."""

    number: pa.Array
    text: pa.Array
    body: pa.Array
    kind: pa.Array
    rejected: tuple[Rejection, ...] = ()


def split_values(
    values: list[Any],
    numbers: list[float | None],
    texts: list[str | None],
    source: str,
) -> Values:
    """Columns number, text, body and kind of the rows.

    A number stays a number and a string a text; a GeoJSON geometry makes a GeoProperty; any other
    list, object or boolean becomes `{"value": ...}` in body.
    """
    rejected: tuple[Rejection, ...] = ()
    given = set(map(type, values))
    if given == {type(UNSET)}:
        given = set()
        values = [None] * len(values)
    if _any(numbers) or _any(texts):
        rejected = _ambiguous(values, numbers, texts, source)
        values = list(map(_first_given, values, numbers, texts))
        given = set(map(type, values))
    structured = given & {bool, list, dict}
    return Values(
        number=_only(values, given, float, pa.float64()),
        text=_only(values, given, str, pa.string()),
        body=pa.array(map(_body, values), pa.string())
        if structured
        else pa.nulls(len(values), pa.string()),
        kind=pa.array(map(_kind, values), pa.uint8())
        if dict in structured
        else pa.repeat(pa.scalar(int(Kind.PROPERTY), pa.uint8()), len(values)),
        rejected=rejected,
    )


def _any(column: Sequence[object]) -> bool:
    return set(map(type, column)) != {type(None)}


def _only(values: list[Any], given: set[type], wanted: type, type_: pa.DataType) -> pa.Array:
    if wanted not in given:
        return pa.nulls(len(values), type_)
    if given <= {wanted, type(None)}:
        return pa.array(values, type_)
    return pa.array([v if type(v) is wanted else None for v in values], type_)


def _first_given(value: Any, number: float | None, text: str | None) -> Any:
    if value is not UNSET and value is not None:
        return value
    return number if number is not None else text


def _ambiguous(
    values: list[Any], numbers: list[float | None], texts: list[str | None], source: str
) -> tuple[Rejection, ...]:
    return tuple(
        Rejection(source, "value_ambiguous", f"row {at}: {_AMBIGUOUS}", at, str(given)[:300])
        for at, given in enumerate(zip(values, numbers, texts, strict=True))
        if sum(v is not None and v is not UNSET for v in given) > 1
    )


def _is_geometry(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in _GEOMETRIES and "coordinates" in value


def _kind(value: Any) -> int:
    return int(Kind.GEO_PROPERTY if _is_geometry(value) else Kind.PROPERTY)


def _body(value: Any) -> str | None:
    if not isinstance(value, bool | list | dict):
        return None
    return msgspec.json.encode(value if _is_geometry(value) else {"value": value}).decode()
