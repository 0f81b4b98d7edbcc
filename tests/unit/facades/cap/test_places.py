"""Polygons: simplified, closed, latitude first, counted."""

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cap_samples import BANK, THU_DAU_MOT
from dothi.facades.cap.checks.area import check_polygon
from dothi.facades.cap.places import place_of_area, place_of_shape, surface_km2
from dothi.model.cap import Named
from dothi.model.warning import Shape


def _wavy(points: int, lon: float = 106.6, lat: float = 11.0) -> shapely.Polygon:
    turns = [2 * math.pi * n / points for n in range(points)]
    return shapely.Polygon(
        [
            (lon + (0.1 + 0.01 * math.sin(40 * t)) * math.cos(t), lat + 0.1 * math.sin(t))
            for t in turns
        ]
    )


def test_an_area_brings_its_border_and_its_code() -> None:
    place = place_of_area(THU_DAU_MOT, "code", 200)
    assert place.geocodes == (Named("code", "25747"),)
    assert (10.97, 106.64) in place.polygons[0]
    assert place.points == place.points_before == 5
    assert place.cap_area("en").description == "Thu Dau Mot ward"
    assert place.cap_area("vi").description == "Phường Thủ Dầu Một"


@given(st.integers(100, 2_000), st.integers(12, 200))
def test_a_long_border_is_simplified_and_stays_good(points: int, most: int) -> None:
    border = _wavy(points)
    area = replace(THU_DAU_MOT, geometry=shapely.to_geojson(border))
    place = place_of_area(area, "code", most)
    (ring,) = place.polygons
    assert len(ring) <= most
    assert place.points_before == points + 1
    assert list(check_polygon(ring, "polygon")) == []
    simple = shapely.Polygon([(lon, lat) for lat, lon in ring])
    assert simple.intersection(border).area > 0.8 * border.area


def test_islets_are_left_out_and_holes_are_told() -> None:
    mainland = shapely.Polygon(
        _wavy(60).exterior.coords, [[(106.59, 10.99), (106.61, 10.99), (106.6, 11.01)]]
    )
    islet = shapely.box(107.0, 11.0, 107.0001, 11.0001)
    island = shapely.box(107.2, 11.0, 107.25, 11.05)
    shape = shapely.MultiPolygon([islet, island, mainland])
    area = replace(THU_DAU_MOT, geometry=shapely.to_geojson(shape))
    place = place_of_area(area, "code", 200)
    assert (len(place.polygons), place.has_holes) == (2, True)


def test_a_drawn_polygon_is_closed() -> None:
    place = place_of_shape(BANK)
    assert place.polygons == (((10.95, 106.64), (10.95, 106.66), (10.98, 106.65), (10.95, 106.64)),)


def test_a_circle_keeps_centre_and_radius() -> None:
    place = place_of_shape(Shape("Bãi hóa chất", centre=(106.65, 10.98), radius_km=2.5))
    (circle,) = place.circles
    assert (circle.centre, circle.radius_km) == ((10.98, 106.65), 2.5)
    assert surface_km2([place]) == pytest.approx(math.pi * 2.5**2, rel=0.02)


def test_what_overlaps_counts_once() -> None:
    place = place_of_area(THU_DAU_MOT, "code", 200)
    assert surface_km2([place, place]) == pytest.approx(surface_km2([place]))
    assert surface_km2([]) == 0
