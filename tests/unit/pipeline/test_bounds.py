"""Points that are read without shapely have the bounds that shapely tells."""

import warnings

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from dothi.pipeline.geometry import bounds
from thorough import examples

_numbers = st.one_of(
    st.floats(-200, 200),
    st.integers(-200, 200),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["1e999", "-0.0", "1E2", "01", "null", '"a"', "[1]", "1e-400", "- 1"]),
)
_points = st.builds(
    lambda numbers, end: f'{{"type":"Point","coordinates":[{",".join(map(str, numbers))}{end}',
    st.lists(_numbers, max_size=3),
    st.sampled_from(["]}", "]", "]} ", '],"type":"Nothing"}', '],"coordinates":[1,2]}']),
)


def _by_shapely(text: str) -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        edges = shapely.bounds(shapely.from_geojson(text, on_invalid="ignore"))
    west, south, east, north = edges.tolist()
    is_inside = west >= -180 and east <= 180 and south >= -90 and north <= 90
    return [west, south, east, north] if is_inside else [np.nan] * 4


@given(_points)
@settings(max_examples=examples(300))
def test_a_point_has_the_bounds_that_shapely_tells(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = bounds([text, f'{{"value":{text}}}', None])
    np.testing.assert_array_equal(found[0], _by_shapely(text))
    assert np.isnan(found[2]).all()


def test_places_of_several_kinds_stay_in_their_order() -> None:
    line = '{"type":"LineString","coordinates":[[1,2],[3,4]]}'
    point = '{"type":"Point","coordinates":[106.5,10]}'
    found = bounds([line, point, None, point, f'{{"value":{line}}}'])
    assert found[[0, 1, 3, 4]].tolist() == [
        [1, 2, 3, 4],
        [106.5, 10, 106.5, 10],
        [106.5, 10, 106.5, 10],
        [1, 2, 3, 4],
    ]
    assert np.isnan(found[2]).all()
