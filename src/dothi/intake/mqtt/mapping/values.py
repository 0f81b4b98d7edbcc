"""One value of a JSON payload, to the value columns of a row."""

import math
from typing import Any, NamedTuple, TypeGuard
from zoneinfo import ZoneInfo

import msgspec

from dothi.intake.mqtt.mapping.bad_payload import BadPayload
from dothi.intake.mqtt.mapping.times import read_time
from dothi.model.quality import UNSET, Quality
from dothi.model.row import Kind

_PROPERTY = int(Kind.PROPERTY)
_encode = msgspec.json.Encoder().encode

_GEOMETRIES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)
_QUALITY_NAMES = {q.name.lower(): int(q) for q in Quality}
_QUALITY_NUMBERS = frozenset(int(q) for q in Quality)
_UNIT_KEYS = ("unit", "unitCode")
_TIME_KEYS = ("observedAt", "time", "timestamp", "ts")
_KNOWN = frozenset({"value", "object", "type", "quality", "datasetId", *_UNIT_KEYS, *_TIME_KEYS})


class Value(NamedTuple):
    """The columns of a row that a value fills; times in microseconds since 1970 UTC."""

    number: float | None = None
    text: str | None = None
    body: str | None = None
    unit: str | None = None
    quality: int = UNSET
    kind: int = _PROPERTY
    observed_us: int | None = None
    dataset: str = ""


class Defaults(NamedTuple):
    """What holds where the value itself says nothing."""

    observed_us: int | None
    unit: str | None = None
    quality: int = UNSET
    scale: float = 1.0
    zone: ZoneInfo | None = None


def read_number(value: float, scale: float = 1.0) -> float:
    """A finite double. Raises BadPayload (not_finite)."""
    try:
        number = float(value) * scale
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadPayload("not_finite", "NaN, Infinity and numbers beyond a double are no values")
    return number


def read_scalar(raw: object, defaults: Defaults) -> Value:
    """number, text, true/false or null (a missing value)."""
    unit, quality = defaults.unit, defaults.quality
    if isinstance(raw, bool):
        body = '{"value":true}' if raw else '{"value":false}'
        return Value(float(raw), None, body, None, quality, _PROPERTY, defaults.observed_us)
    if isinstance(raw, int | float):
        number = read_number(raw, defaults.scale)
        return Value(number, None, None, unit, quality, _PROPERTY, defaults.observed_us)
    if isinstance(raw, str):
        return Value(None, raw, None, None, quality, _PROPERTY, defaults.observed_us)
    if raw is None:
        return Value(quality=int(Quality.MISSING), unit=unit, observed_us=defaults.observed_us)
    return Value(
        body=_encode({"value": raw}).decode(), quality=quality, observed_us=defaults.observed_us
    )


def read_values(raw: object, defaults: Defaults) -> list[Value]:
    """Every observation in what stands for one attribute.

    A scalar, `{value, unit, observedAt, quality}`, a GeoJSON geometry, an NGSI-LD Relationship,
    or an array of such objects (several observations). Anything else is kept as JSON.

    Raises:
        BadPayload: time_invalid, quality_unknown, not_finite, shape_unexpected.
    """
    if isinstance(raw, dict):
        return [_read_object(raw, defaults)]
    if isinstance(raw, list) and raw and all(isinstance(o, dict) and "value" in o for o in raw):
        return [_read_object(one, defaults) for one in raw]
    return [read_scalar(raw, defaults)]


def _read_object(raw: dict[str, Any], defaults: Defaults) -> Value:
    if _is_geometry(raw):
        return _geometry(raw, defaults)
    if "value" not in raw and not isinstance(raw.get("object"), str):
        return read_scalar(raw, defaults)
    defaults = _own_defaults(raw, defaults)
    dataset = raw.get("datasetId", "")
    if not isinstance(dataset, str):
        raise BadPayload("shape_unexpected", f"`datasetId` is text, not {dataset!r:.80}")
    if "value" not in raw:
        value = Value(text=raw["object"], kind=int(Kind.RELATIONSHIP), quality=defaults.quality)
        return value._replace(observed_us=defaults.observed_us, dataset=dataset)
    inner = raw["value"]
    if _is_geometry(inner):
        return _geometry(inner, defaults)._replace(dataset=dataset)
    value = read_scalar(inner, defaults)
    if not raw.keys() <= _KNOWN:
        extra = {key: other for key, other in raw.items() if key not in _KNOWN}
        value = value._replace(body=_encode({"value": inner, **extra}).decode())
    return value._replace(dataset=dataset) if dataset else value


def _is_geometry(raw: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(raw, dict) or "coordinates" not in raw:
        return False
    kind = raw.get("type")
    return isinstance(kind, str) and kind in _GEOMETRIES


def _geometry(raw: dict[str, Any], defaults: Defaults) -> Value:
    return Value(
        body=_encode(raw).decode(),
        kind=int(Kind.GEO_PROPERTY),
        quality=defaults.quality,
        observed_us=defaults.observed_us,
    )


def _own_defaults(raw: dict[str, Any], defaults: Defaults) -> Defaults:
    observed_us, unit, quality = defaults.observed_us, defaults.unit, defaults.quality
    for key in _TIME_KEYS:
        if key in raw:
            observed_us = read_time(raw[key], defaults.zone)
            break
    for key in _UNIT_KEYS:
        if key in raw:
            unit = raw[key]
            if not isinstance(unit, str):
                raise BadPayload("shape_unexpected", f"`{key}` is text, not {unit!r:.80}")
            break
    if "quality" in raw:
        quality = read_quality(raw["quality"])
    return Defaults(observed_us, unit, quality, defaults.scale, defaults.zone)


def read_quality(raw: object) -> int:
    """A flag by number (1, 3, 4, 5, 6, 9) or name (good, uncertain, …)."""
    if isinstance(raw, str):
        found = _QUALITY_NAMES.get(raw.strip().lower().replace("-", "_"))
        if found is not None:
            return found
    elif isinstance(raw, int) and not isinstance(raw, bool) and raw in _QUALITY_NUMBERS:
        return raw
    raise BadPayload(
        "quality_unknown", f"{raw!r:.80} is none of {sorted(_QUALITY_NAMES)} or their numbers"
    )
