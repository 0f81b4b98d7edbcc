"""Bounds of GeoJSON geometries, many at once."""

import re
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

Bounds = npt.NDArray[np.float64]
"""n × 4: west, south, east, north in degrees; NaN where there is no valid geometry."""


_NUMBER = r"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
_POINT = re.compile(rf'\{{"type":"Point","coordinates":\[{_NUMBER},{_NUMBER}\]\}}')
_NOWHERE = (np.nan,) * 4


class _Wrapped(msgspec.Struct):
    value: msgspec.Raw


def bounds(bodies: Sequence[str | None]) -> Bounds:
    """Bounds of each body: a GeoJSON geometry, or an object that holds one as `value`.

    Coordinates outside ±180 × ±90 count as invalid (RFC 7946, clause 4: WGS 84, longitude first).
    """
    texts = [_geometry_text(body) for body in bodies]
    points = [None if text is None else _point(text) for text in texts]
    found: Bounds = np.array([p or _NOWHERE for p in points], np.float64).reshape(-1, 4)
    others = [at for at, point in enumerate(points) if point is None]
    if others:
        left = np.array([texts[at] for at in others], dtype=object)
        found[others] = shapely.bounds(shapely.from_geojson(left, on_invalid="ignore"))
    west, south, east, north = found.T
    with np.errstate(invalid="ignore"):
        outside = (west < -180) | (east > 180) | (south < -90) | (north > 90)
    found[outside] = np.nan
    return found


def _point(text: str) -> tuple[float, float, float, float] | None:
    """The bounds of what most geometries are; None: shapely has to look."""
    found = _POINT.fullmatch(text)
    if found is None:
        return None
    east, north = float(found[1]), float(found[2])
    return (east, north, east, north)


def _geometry_text(body: str | None) -> str | None:
    if body is None or '"value"' not in body:
        return body
    try:
        return bytes(msgspec.json.decode(body, type=_Wrapped).value).decode()
    except msgspec.MsgspecError:
        return body


def invalid(bodies: pa.Array) -> npt.NDArray[np.bool_]:
    """Which bodies hold no valid geometry."""
    found: npt.NDArray[np.bool_] = np.isnan(bounds(bodies.to_pylist())[:, 0])
    return found
