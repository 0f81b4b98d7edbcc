"""Bounds of GeoJSON geometries, many at once."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

Bounds = npt.NDArray[np.float64]
"""n × 4: west, south, east, north in degrees; NaN where there is no valid geometry."""


class _Wrapped(msgspec.Struct):
    value: msgspec.Raw


class _Point(msgspec.Struct, tag_field="type", tag="Point"):
    """What most geometries are."""

    coordinates: tuple[float, float]


_POINT = msgspec.json.Decoder(_Point)
_NO_POINT = (np.nan, np.nan)


def bounds(bodies: Sequence[str | None]) -> Bounds:
    """Bounds of each body: a GeoJSON geometry, or an object that holds one as `value`.

    Coordinates outside ±180 × ±90 count as invalid (RFC 7946, clause 4: WGS 84, longitude first).
    """
    points = np.array([_point(body) for body in bodies], np.float64).reshape(-1, 2)
    found: Bounds = np.concatenate([points, points], axis=1)
    others = np.flatnonzero(np.isnan(points[:, 0]))
    if len(others):
        texts = [_geometry_text(bodies[n]) for n in others.tolist()]
        shapes = shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")
        found[others] = shapely.bounds(shapes)
    west, south, east, north = found.T
    with np.errstate(invalid="ignore"):
        outside = (west < -180) | (east > 180) | (south < -90) | (north > 90)
    found[outside] = np.nan
    return found


def _point(body: str | None) -> tuple[float, float]:
    """Where a point is; NaN for what is none, or not as plain as most."""
    if body is None or '"Point"' not in body:
        return _NO_POINT
    try:
        return _POINT.decode(body).coordinates
    except msgspec.MsgspecError:
        return _NO_POINT


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
