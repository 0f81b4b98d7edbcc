"""Distances on the globe: what lies far away, and what meets the date line (RFC 7946, 3.1.9)."""

import json
from typing import Any

import pytest

from dothi.model.condition import Geo, GeoRelation
from dothi.pipeline.geo_relations import distances_m, geo_test


def _square(west: float, east: float) -> list[list[list[float]]]:
    return [[[west, -1], [east, -1], [east, 1], [west, 1], [west, -1]]]


CUT = {"type": "MultiPolygon", "coordinates": [_square(179, 180), _square(-180, -179)]}
PERU = {"type": "Polygon", "coordinates": _square(-74, -73)}
LINE = {"type": "LineString", "coordinates": [[179, 1], [180, 0]]}


def _point(east: float, north: float) -> str:
    return json.dumps({"type": "Point", "coordinates": [east, north]})


@pytest.mark.parametrize(
    ("geometry", "point", "kilometres"),
    [
        (CUT, (180, 0), 0),
        (CUT, (-180, 0), 0),
        (CUT, (-178, 0), 111),
        (CUT, (0, 0), 19_904),
        (LINE, (0, 0), 19_904),
        (LINE, (180, 0), 0),
        (LINE, (178, 1), 111),
        (PERU, (106.5, 0), 19_960),
        (PERU, (-73.5, 0), 0),
        (PERU, (16, 0), 9_895),
    ],
)
def test_areas_are_where_they_are(
    geometry: dict[str, Any], point: tuple[float, float], kilometres: float
) -> None:
    [found] = distances_m([json.dumps(geometry)], _point(*point))
    assert found == pytest.approx(kilometres * 1000, rel=0.01, abs=1500)
    near = Geo(GeoRelation.NEAR, _point(*point), max_distance_m=1)
    assert geo_test(near).holds([json.dumps(geometry), "{}"]).tolist() == [kilometres == 0, False]
