"""Geo conditions on the geometries of one entity (clause 4.10)."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from dothi.model.condition import Geo, GeoRelation

_EARTH_RADIUS_M = 6_371_008.8
_RELATIONS: dict[GeoRelation, Callable[[Any, Any], Any]] = {
    GeoRelation.WITHIN: shapely.within,
    GeoRelation.CONTAINS: shapely.contains,
    GeoRelation.INTERSECTS: shapely.intersects,
    GeoRelation.EQUALS: shapely.equals,
    GeoRelation.DISJOINT: shapely.disjoint,
    GeoRelation.OVERLAPS: shapely.overlaps,
}


def geo_holds(geo: Geo, bodies: Sequence[str]) -> bool:
    """Whether one of the bodies (a geometry, or an object with one as `value`) stands in the
    relation."""
    test = _test(geo)
    return any(shape is not None and test(shape) for shape in map(_shape, bodies))


@lru_cache(10_000)
def _test(geo: Geo) -> Callable[[Any], bool]:
    wanted = shapely.from_geojson(geo.geometry)
    if geo.relation is not GeoRelation.NEAR:
        relation = _RELATIONS[geo.relation]
        return lambda shape: bool(relation(shape, wanted))
    centre = shapely.centroid(wanted)
    origin = (float(centre.x), float(centre.y))
    flat = _project(wanted, origin)
    low = geo.min_distance_m or 0.0
    high = math.inf if geo.max_distance_m is None else geo.max_distance_m
    return lambda shape: low <= float(shapely.distance(_project(shape, origin), flat)) <= high


def _shape(body: str) -> Any:
    found = msgspec.json.decode(body)
    if isinstance(found, dict) and "coordinates" not in found and "geometries" not in found:
        found = found.get("value")
    return shapely.from_geojson(msgspec.json.encode(found).decode(), on_invalid="ignore")


def _project(shape: Any, origin: tuple[float, float]) -> Any:
    """To metres around the origin, keeping distances from it (azimuthal equidistant)."""

    def forward(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        lon, lat = np.radians(points[:, 0]), np.radians(points[:, 1])
        lon0, lat0 = math.radians(origin[0]), math.radians(origin[1])
        half = np.sin((lat - lat0) / 2) ** 2
        half = half + math.cos(lat0) * np.cos(lat) * np.sin((lon - lon0) / 2) ** 2
        distance = 2 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
        east = np.cos(lat) * np.sin(lon - lon0)
        north = math.cos(lat0) * np.sin(lat)
        north = north - math.sin(lat0) * np.cos(lat) * np.cos(lon - lon0)
        length = np.hypot(east, north)
        scale = np.where(length > 0, distance / np.where(length > 0, length, 1), 0)
        return np.column_stack([east * scale, north * scale]) * _EARTH_RADIUS_M

    return shapely.transform(shape, forward)
