"""How an attribute instance lies in the columns of a row (described in docs/reference/ngsi-ld.md).

`number`, `text`, `unit`, `observed_at`, `dataset` and `kind` hold what they can. `body` is JSON and
only there when they cannot hold everything:

- GeoProperty without other members: the GeoJSON geometry itself;
- otherwise an object: the value under its own key (`value`, `object`, `languageMap`, `vocab`,
  `json`, `valueList`, `objectList`) when no column holds it exactly, and every other member under
  its stored name. Sub-attributes are in canonical form: normalized, with stored names.
"""

from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from dothi.facades.ngsi_ld.wire.geometry import is_geometry
from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.facades.ngsi_ld.wire.kinds import BY_KIND
from dothi.facades.ngsi_ld.wire.times import format_date_time, is_plain, parse_date_time
from dothi.model.row import Kind
from dothi.model.units import BY_CODE

_GEO_PROPERTY = Kind.GEO_PROPERTY
_PROPERTY = Kind.PROPERTY
_HELD_AS_TEXT = frozenset({Kind.PROPERTY, Kind.RELATIONSHIP, Kind.VOCAB_PROPERTY})
_EXACT = 2**53
"""Integers up to here are exact in a float column."""


class Columns(NamedTuple):
    """What a row holds of an instance besides its key, kind and time."""

    number: float | None
    text: str | None
    body: str | None
    unit: str | None


class Held(Protocol):
    """A row that holds an instance: StoredAttribute, or a row of the history."""

    @property
    def number(self) -> float | None: ...
    @property
    def text(self) -> str | None: ...
    @property
    def body(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...


def columns(instance: Instance) -> Columns:
    """The columns that hold the value, the unit and the members of an instance."""
    return Columns(*cells(instance))


def cells(instance: Instance) -> tuple[float | None, str | None, str | None, str | None]:
    """The same four without their names, which take longer than the rest."""
    rest, unit, value = instance.members, instance.unit, instance.value
    if not rest and instance.kind is _PROPERTY and (unit is None or unit in BY_CODE):
        if type(value) is float:
            return value, None, None, unit
        if type(value) is str:
            return None, value, None, unit
    if unit is not None and not _is_code(unit):
        rest = {**rest, "unitCode": unit}
        unit = None
    number, text, is_held = _scalar_columns(instance.kind, value)
    if instance.kind is _GEO_PROPERTY and not rest:
        return None, None, _encoded(value), unit
    if not is_held:
        rest = {**rest, BY_KIND[instance.kind].value_key: value}
    return number, text, _encoded(rest) if rest else None, unit


def _is_code(unit: str) -> bool:
    """Whether the unit column may hold it: admit would change or refuse anything else."""
    return unit in BY_CODE


def _scalar_columns(kind: Kind, value: Any) -> tuple[float | None, str | None, bool]:
    """number, text, and whether one of them holds the value exactly."""
    if isinstance(value, str):
        return (None, value, True) if kind in _HELD_AS_TEXT else (None, None, False)
    if kind is not _PROPERTY:
        return None, None, False
    if type(value) is float:
        return value, None, True
    if isinstance(value, int) and not isinstance(value, bool):
        return _as_float(value), None, abs(value) <= _EXACT
    return None, None, False


def _as_float(value: float) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def restore(
    name: str, kind: Kind, held: Held, dataset: str = "", observed_at: datetime | None = None
) -> Instance:
    """The instance that a row holds; its value is None when the row says "missing"."""
    scalar: Any = held.text if held.number is None else plain_number(held.number)
    if held.body is None:
        return Instance(name, kind, scalar, dataset, held.unit, observed_at)
    body = msgspec.json.decode(held.body)
    if not isinstance(body, dict) or (kind is _GEO_PROPERTY and is_geometry(body)):
        return Instance(name, kind, body, dataset, held.unit, observed_at)
    value = body.pop(BY_KIND[kind].value_key, scalar)
    unit = body.pop("unitCode", held.unit)
    return Instance(name, kind, value, dataset, unit, observed_at, body)


def plain_number(number: float) -> float | int:
    """Whole numbers without a fraction, as they were sent."""
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def plain_numbers(numbers: npt.NDArray[np.float64]) -> list[float | int]:
    """The same for many."""
    told: list[float | int] = numbers.tolist()
    is_whole = (np.floor(numbers) == numbers) & (np.abs(numbers) <= _EXACT)
    for n in np.flatnonzero(is_whole).tolist():
        told[n] = int(told[n])
    return told


def canonical(instance: Instance) -> dict[str, Any]:
    """An instance as JSON with stored names: the form of sub-attributes in `body`."""
    shape = BY_KIND[instance.kind]
    found: dict[str, Any] = {"type": shape.name, shape.value_key: instance.value}
    if instance.unit is not None:
        found["unitCode"] = instance.unit
    if instance.observed_at is not None:
        found["observedAt"] = format_date_time(instance.observed_at)
    if instance.dataset:
        found["datasetId"] = instance.dataset
    return found | instance.members


def from_canonical(name: str, found: dict[str, Any], kind: Kind) -> Instance:
    """The instance that `canonical` made the JSON of."""
    rest = dict(found)
    rest.pop("type", None)
    observed_at = rest.get("observedAt")
    if observed_at is not None and is_plain(observed_at):
        del rest["observedAt"]
    return Instance(
        name,
        kind,
        rest.pop(BY_KIND[kind].value_key, None),
        rest.pop("datasetId", ""),
        rest.pop("unitCode", None),
        None if observed_at is None else parse_date_time(observed_at),
        rest,
    )


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()
