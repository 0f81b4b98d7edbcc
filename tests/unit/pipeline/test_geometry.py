"""Bounds of geometries: the quick way for plain points agrees with the one for all."""

import json

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from dothi.pipeline.geometry import bounds

DEGREES = st.one_of(st.integers(-400, 400), st.floats(-400, 400))
AT = st.lists(DEGREES, min_size=1, max_size=4)
POINT = st.builds(lambda at: {"type": "Point", "coordinates": at}, AT)
LINE = st.builds(
    lambda ats: {"type": "LineString", "coordinates": ats},
    st.lists(st.tuples(DEGREES, DEGREES), min_size=2, max_size=4),
)
ODD = st.sampled_from(
    [
        {"type": "Point"},
        {"type": "Point", "coordinates": None},
        {"type": "Point", "coordinates": ["1", 2]},
        {"type": "Point", "coordinates": [[1, 2]]},
        {"type": "point", "coordinates": [1, 2]},
        {"coordinates": [1, 2], "type": "Point", "bbox": [1, 2, 1, 2]},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}},
        ["Point"],
        "Point",
    ]
)


def shapely_bounds(geometry: object) -> list[float]:
    shape = shapely.from_geojson(json.dumps(geometry), on_invalid="ignore")
    box = [float(edge) for edge in shapely.bounds(shape)]
    is_within = -180 <= box[0] <= box[2] <= 180 and -90 <= box[1] <= box[3] <= 90
    return box if is_within else [np.nan] * 4


@given(st.lists(st.one_of(POINT, LINE, ODD), max_size=6), st.booleans())
def test_points_are_read_as_every_other_geometry(geometries: list[object], wrapped: bool) -> None:
    bodies = [json.dumps({"value": one} if wrapped else one) for one in geometries]
    expected = np.array([shapely_bounds(one) for one in geometries]).reshape(-1, 4)
    np.testing.assert_array_equal(bounds(bodies), expected)
