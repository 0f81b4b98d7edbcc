"""What was drawn or chosen -> CAP areas: simplified, closed, latitude first, counted."""

import math
from collections.abc import Iterator, Sequence

import shapely
from msgspec import Struct

from dothi.model.area import Area
from dothi.model.cap import CapArea, Circle, LatLon, Named
from dothi.model.warning import Shape

_DECIMALS = 5
"""About a metre: more would only make the message longer."""
_FIRST_TOLERANCE = 0.0002
"""Degrees, about 20 m: how far a simplified border may lie beside the true one at first."""
_LEAST_SHARE = 0.001
"""Parts of an area smaller than this share of it (islets, slivers) are left out."""
_MOST_PARTS = 20
_KM_PER_DEGREE = 111.2


class Place(Struct, frozen=True):
    """A CAP area with its names in both languages."""

    name_vi: str
    name_en: str
    polygons: tuple[tuple[LatLon, ...], ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Named, ...] = ()
    points_before: int = 0
    """Of the border, before it was simplified."""
    has_holes: bool = False
    """CAP polygons have no holes: what lies in them is warned too."""

    @property
    def points(self) -> int:
        return sum(map(len, self.polygons))

    def cap_area(self, language: str) -> CapArea:
        """With the name of the language (`vi` or `en`)."""
        name = self.name_vi if language == "vi" else self.name_en or self.name_vi
        return CapArea(name, self.polygons, self.circles, self.geocodes)


def place_of_area(area: Area, geocode: str, most_points: int) -> Place:
    """An administrative area: its outer borders and its code."""
    parts = _parts(shapely.from_geojson(area.geometry))
    budget = max(8, most_points)
    return Place(
        area.name,
        area.name_en,
        tuple(ring for part in parts if (ring := _ring(part, budget))),
        geocodes=(Named(geocode, area.code),),
        points_before=sum(len(p.exterior.coords) for p in parts),
        has_holes=any(p.interiors for p in parts),
    )


def place_of_shape(shape: Shape) -> Place:
    """Something drawn by hand: the corners as they are, closed."""
    if shape.centre is not None:
        lon, lat = shape.centre
        circle = Circle(_rounded(lat, lon), round(shape.radius_km, 3))
        return Place(shape.name_vi, shape.name_en, circles=(circle,))
    points = tuple(_rounded(lat, lon) for lon, lat in shape.polygon)
    if points and points[0] != points[-1]:
        points = (*points, points[0])
    # Also without any corner: the checks then say that corners are missing.
    return Place(shape.name_vi, shape.name_en, (points,), points_before=len(points))


def surface_km2(places: Sequence[Place]) -> float:
    """Of everything together; what overlaps counts once. For people: a few per cent off."""
    shapes = [shape for place in places for shape in _shapes(place)]
    together = shapely.union_all([s for s in shapes if s.is_valid])
    if together.is_empty:
        return 0.0
    scale = math.cos(math.radians(together.centroid.y))
    return float(together.area * scale * _KM_PER_DEGREE**2)


def _shapes(place: Place) -> Iterator[shapely.Geometry]:
    for points in place.polygons:
        if len(points) >= 4:
            yield shapely.Polygon([(lon, lat) for lat, lon in points])
    for circle in place.circles:
        yield circle_outline(circle)


def circle_outline(circle: Circle) -> shapely.Polygon:
    """A circle on the ground as a polygon of 64 corners, longitude first."""
    lat, lon = circle.centre
    radius = circle.radius_km / _KM_PER_DEGREE
    wide = radius / max(0.01, math.cos(math.radians(lat)))
    turns = [2 * math.pi * n / 64 for n in range(64)]
    return shapely.Polygon([(lon + wide * math.cos(t), lat + radius * math.sin(t)) for t in turns])


def _parts(shape: shapely.Geometry) -> list[shapely.Polygon]:
    """The polygons of a geometry worth telling, the largest first."""
    polygons = [g for g in shapely.get_parts(shape) if isinstance(g, shapely.Polygon)]
    polygons.sort(key=lambda p: p.area, reverse=True)
    whole = sum(p.area for p in polygons)
    return [p for p in polygons if p.area >= whole * _LEAST_SHARE][:_MOST_PARTS]


def _ring(polygon: shapely.Polygon, most_points: int) -> tuple[LatLon, ...]:
    """The outer border, simplified until it has few enough points; empty when nothing is left."""
    border = shapely.Polygon(polygon.exterior)
    tolerance = _FIRST_TOLERANCE
    simple = border
    while len(simple.exterior.coords) > most_points:
        simple = border.simplify(tolerance, preserve_topology=True)
        tolerance *= 1.6
    rounded = shapely.set_precision(simple, 10**-_DECIMALS)
    parts = [g for g in shapely.get_parts(rounded) if isinstance(g, shapely.Polygon)]
    if not parts:
        return ()
    largest = max(parts, key=lambda p: p.area)
    return tuple(_rounded(lat, lon) for lon, lat in largest.exterior.coords)


def _rounded(lat: float, lon: float) -> LatLon:
    return round(lat, _DECIMALS), round(lon, _DECIMALS)
