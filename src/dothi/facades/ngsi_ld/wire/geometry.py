"""GeoJSON geometries (RFC 7946) as values: a check that says what is wrong."""

import math
from typing import Any

GEOMETRIES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
_DEPTH = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}


def is_geometry(value: Any) -> bool:
    """Whether the object looks like a GeoJSON geometry (its coordinates may still be wrong)."""
    return isinstance(value, dict) and (
        (value.get("type") in GEOMETRIES and "coordinates" in value)
        or (value.get("type") == "GeometryCollection" and "geometries" in value)
    )


def check_geometry(value: Any, where: str, depth: int = 0) -> None:
    """Raise ValueError naming the place when the value is no valid geometry."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "GeometryCollection" and depth == 0:
        parts = value.get("geometries")
        if not isinstance(parts, list):
            raise ValueError(f"{where}: geometries must be an array")
        for index, part in enumerate(parts):
            check_geometry(part, f"{where}.geometries[{index}]", depth + 1)
        return
    if not isinstance(kind, str) or kind not in _DEPTH:
        raise ValueError(f"{where}: {kind!r} is not a geometry; use {', '.join(GEOMETRIES)}")
    _check_positions(value.get("coordinates"), _DEPTH[kind], f"{where}.coordinates")
    _check_shape(kind, value["coordinates"], where)


def _check_shape(kind: str, coordinates: list[Any], where: str) -> None:
    """Lines and rings long enough; `coordinates` has the right nesting already."""
    lines = {"LineString": [coordinates], "MultiLineString": coordinates}.get(kind, [])
    for line in lines:
        if len(line) < 2:
            raise ValueError(f"{where}: a line needs two positions or more")
    polygons = {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(kind, [])
    for rings in polygons:
        _check_rings(rings, where)


def _check_positions(value: Any, depth: int, where: str) -> None:
    if not isinstance(value, list):
        raise ValueError(f"{where} must be an array")
    if depth:
        for index, part in enumerate(value):
            _check_positions(part, depth - 1, f"{where}[{index}]")
        return
    if not 2 <= len(value) <= 4 or not all(_is_number(n) for n in value):
        raise ValueError(f"{where} must be [longitude, latitude] with finite numbers")
    if not (-180 <= value[0] <= 180 and -90 <= value[1] <= 90):
        raise ValueError(f"{where} lies outside longitude -180..180, latitude -90..90")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_rings(rings: list[Any], where: str) -> None:
    if not rings:
        raise ValueError(f"{where}: a polygon needs a ring")
    for ring in rings:
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise ValueError(f"{where}: a ring needs four positions and ends where it began")
