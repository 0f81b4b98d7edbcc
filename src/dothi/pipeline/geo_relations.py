"""Exact relations between geometries, on whole columns."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import shapely
from msgspec import Struct

from dothi.model.condition import Geo, GeoRelation

Bounds = tuple[float, float, float, float]
Mask = npt.NDArray[np.bool_]

_EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG); distances on this sphere are within 0.6 % of those on the ellipsoid."""
_METRES_PER_DEGREE = math.pi * _EARTH_RADIUS_M / 180
_QUARTER_M = 90 * _METRES_PER_DEGREE
"""From a point to the border of its half of the globe."""
_STEP_DEGREES = 1.0

_RELATIONS: dict[GeoRelation, Callable[[Any, Any], Any]] = {
    GeoRelation.WITHIN: shapely.within,
    GeoRelation.CONTAINS: shapely.contains,
    GeoRelation.INTERSECTS: shapely.intersects,
    GeoRelation.EQUALS: shapely.equals,
    GeoRelation.DISJOINT: shapely.disjoint,
    GeoRelation.OVERLAPS: shapely.overlaps,
}


class GeoTest(Struct, frozen=True):
    """A geo condition made ready."""

    bounds: Bounds | None
    """west, south, east, north that a match must touch; None: anywhere."""
    holds: Callable[[Sequence[str]], Mask]
    """Which bodies (a geometry, or an object with one as `value`) satisfy the condition."""


def geo_test(geo: Geo) -> GeoTest:
    """Make a condition ready. Raises ValueError for a geometry that cannot be built."""
    wanted = shapely.from_geojson(geo.geometry)
    if geo.relation is GeoRelation.NEAR:
        return _near(geo, wanted)
    relation = _RELATIONS[geo.relation]
    is_anywhere = geo.relation is GeoRelation.DISJOINT
    return GeoTest(
        None if is_anywhere else tuple(shapely.bounds(wanted)),
        lambda bodies: _true(relation(_shapes(bodies), wanted)),
    )


def distances_m(bodies: Sequence[str], reference: str) -> npt.NDArray[np.float64]:
    """Metres from each body (as for `GeoTest.holds`) to a GeoJSON geometry; NaN: no geometry."""
    wanted = shapely.from_geojson(reference)
    centre = shapely.centroid(wanted)
    origin = (float(centre.x), float(centre.y))
    found: npt.NDArray[np.float64] = shapely.distance(
        _around(_shapes(bodies), origin), _project(wanted, origin)
    )
    return found


def _near(geo: Geo, wanted: shapely.Geometry) -> GeoTest:
    centre = shapely.centroid(wanted)
    origin = (float(centre.x), float(centre.y))
    flat = _project(wanted, origin)
    low = geo.min_distance_m or 0.0
    high = math.inf if geo.max_distance_m is None else geo.max_distance_m

    def holds(bodies: Sequence[str]) -> Mask:
        # A geometry that cannot be read has the distance NaN, which is in no range.
        distance = shapely.distance(_around(_shapes(bodies), origin), flat)
        return _true((distance >= low) & (distance <= high))

    return GeoTest(_grown(tuple(shapely.bounds(wanted)), high), holds)


def _true(found: Any) -> Mask:
    mask: Mask = np.asarray(found, dtype=np.bool_)
    return mask


class _Wrapped(msgspec.Struct):
    value: msgspec.Raw


def _shapes(bodies: Sequence[str]) -> Any:
    """Geometries; None where a body holds none."""
    texts = [_geometry_text(body) for body in bodies]
    return shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")


def _geometry_text(body: str) -> str:
    """The geometry, also from inside an object with further members."""
    if '"value"' not in body:
        return body
    try:
        return bytes(msgspec.json.decode(body, type=_Wrapped).value).decode()
    except msgspec.MsgspecError:
        return body


def _project(shape: Any, origin: tuple[float, float]) -> Any:
    """To metres around the origin, keeping distances from it (azimuthal equidistant)."""

    def forward(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        lon, lat = np.radians(points[:, 0]), np.radians(points[:, 1])
        lon0, lat0 = math.radians(origin[0]), math.radians(origin[1])
        dlon = lon - lon0
        half = np.sin((lat - lat0) / 2) ** 2 + math.cos(lat0) * np.cos(lat) * np.sin(dlon / 2) ** 2
        distance = 2 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
        east = np.cos(lat) * np.sin(dlon)
        north = math.cos(lat0) * np.sin(lat) - math.sin(lat0) * np.cos(lat) * np.cos(dlon)
        length = np.hypot(east, north)
        scale = np.where(length > 0, distance / np.where(length > 0, length, 1), 0)
        return np.column_stack([east * scale, north * scale]) * _EARTH_RADIUS_M

    return shapely.transform(shape, forward)


def _around(shapes: Any, origin: tuple[float, float]) -> Any:
    """Many geometries projected. Those on the far half of the globe become points on their edges:
    a straight edge there would lead through the middle, an area be turned inside out."""
    flat = _project(shapes, origin)
    reach = np.abs(shapely.bounds(flat)).max(axis=1, initial=0)
    for n in np.flatnonzero(reach > _QUARTER_M):
        edges = shapely.segmentize(shapes[n], _STEP_DEGREES)
        points = _project(shapely.multipoints(shapely.get_coordinates(edges)), origin)
        if shapely.distance(points, shapely.Point(0, 0)) > _QUARTER_M:
            flat[n] = points
    return flat


def _grown(bounds: Bounds, metres: float) -> Bounds | None:
    """Bounds that hold everything within that distance; None where they would wrap around."""
    west, south, east, north = bounds
    # One per cent more than the sphere says: the rough test must never lose a match.
    margin = metres * 1.01 / _METRES_PER_DEGREE
    highest = max(abs(south), abs(north)) + margin
    if highest >= 89:
        return None
    wide = margin / math.cos(math.radians(highest))
    if west - wide < -180 or east + wide > 180:
        return None
    return west - wide, south - margin, east + wide, north + margin
