"""Places of a message: CAP 1.2, 3.2.4 and 3.3.1 (WGS 84, latitude first)."""

import math

import shapely
from shapely.validation import explain_validity

from dothi.facades.cap.checks.finding import Findings, note, wrong
from dothi.model.cap import CapArea, Circle, LatLon

_LEAST_POINTS = 4
_MANY_POINTS = 1_000
_WIDEST_KM = 2_000.0
_SWAPPED_HINT = "write latitude before longitude, e.g. 10.98,106.65"


def check_area(area: CapArea, where: str) -> Findings:
    """Everything about one area."""
    if not area.description:
        yield wrong(
            f"{where}.areaDesc", "missing", "the area has no name", "say in words where it is"
        )
    if not (area.polygons or area.circles or area.geocodes):
        yield note(
            where,
            "area_without_place",
            "the area has a name only: no map and no phone mast can find it",
            "draw a polygon or choose an administrative area",
        )
    for number, points in enumerate(area.polygons):
        yield from check_polygon(points, f"{where}.polygon[{number}]")
    for number, circle in enumerate(area.circles):
        yield from _circle(circle, f"{where}.circle[{number}]")
    for number, code in enumerate(area.geocodes):
        if not (code.name and code.value):
            yield wrong(
                f"{where}.geocode[{number}]",
                "missing",
                "a geocode needs a name and a value",
                "give both, e.g. vn:maDonViHanhChinh and 25942",
            )
    yield from _heights(area, where)


def check_polygon(points: tuple[LatLon, ...], where: str) -> Findings:
    """Closed, in range, at least four points, not crossing itself."""
    if len(points) < _LEAST_POINTS:
        yield wrong(
            where,
            "polygon_too_short",
            f"{len(points)} points; {_LEAST_POINTS} are needed, the last repeats the first",
            "add corners: a triangle has three, and the first one again",
        )
        return
    for point in points:
        if (found := _out_of_range(point)) is not None:
            yield wrong(where, "coordinate_range", found, _SWAPPED_HINT)
            return
    if points[0] != points[-1]:
        yield wrong(
            where,
            "polygon_open",
            "the last point is not the first one",
            "repeat the first point at the end",
        )
        return
    if len(points) > _MANY_POINTS:
        yield note(
            where,
            "polygon_large",
            f"{len(points)} points; receivers may cut it off",
            "simplify the polygon",
        )
    shape = shapely.Polygon([(lon, lat) for lat, lon in points])
    if not shape.is_valid or shape.area == 0:
        reason = explain_validity(shape) if not shape.is_valid else "it has no surface"
        yield wrong(
            where,
            "polygon_crosses",
            f"the polygon crosses or touches itself: {reason} (longitude latitude)",
            "move the corners so that no side crosses another",
        )


def _circle(circle: Circle, where: str) -> Findings:
    if (found := _out_of_range(circle.centre)) is not None:
        yield wrong(where, "coordinate_range", found, _SWAPPED_HINT)
    if not 0 <= circle.radius_km <= _WIDEST_KM:
        yield wrong(
            where,
            "circle_radius",
            f"radius {circle.radius_km:g} km",
            f"give kilometres between 0 and {_WIDEST_KM:g}",
        )


def _out_of_range(point: LatLon) -> str | None:
    lat, lon = point
    if not (math.isfinite(lat) and math.isfinite(lon)):
        return "a coordinate is no number"
    if -90 <= lat <= 90 and -180 <= lon <= 180:
        return None
    swapped = " (is longitude written first?)" if -90 <= lon <= 90 else ""
    return f"{lat:g},{lon:g} is not on earth{swapped}"


def _heights(area: CapArea, where: str) -> Findings:
    altitude, ceiling = area.altitude_ft, area.ceiling_ft
    for name, value in (("altitude", altitude), ("ceiling", ceiling)):
        if value is not None and value < 0:
            yield wrong(f"{where}.{name}", "height", f"{value:g} feet", "give feet above sea level")
    if ceiling is not None and (altitude is None or ceiling < altitude):
        yield wrong(
            f"{where}.ceiling",
            "height",
            "a ceiling needs an altitude below it",
            "give the altitude too, in feet above sea level",
        )
