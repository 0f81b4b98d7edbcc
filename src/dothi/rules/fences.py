"""Where places lie: inside or outside of a fence."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from dothi.rules.arrays import Bools, Floats

AreaShape = Callable[[str], str | None]
"""GeoJSON geometry of an area by its id; None: there is none."""


class _Wrapped(msgspec.Struct):
    value: msgspec.Raw


class Fences:
    """Shapes of fences, made once."""

    def __init__(self, area_shape: AreaShape | None = None) -> None:
        self._area_shape = area_shape
        self._shapes: dict[object, shapely.Geometry | None] = {}

    def inside(
        self, fence: tuple[str, tuple[tuple[float, float], ...], str], places: pa.ChunkedArray
    ) -> tuple[Floats, Bools]:
        """1.0 where the relation holds, else 0.0, and where that is known.

        Args:
            fence: relation, polygon, area id.
            places: GeoJSON geometries (of lines and surfaces their centre counts).
        """
        shape = self._shape(fence)
        count = len(places)
        if shape is None or not count:
            return np.zeros(count), np.zeros(count, np.bool_)
        lon, lat = points_of(places)
        is_known = np.isfinite(lon) & np.isfinite(lat)
        found = np.zeros(count, np.bool_)
        found[is_known] = shapely.intersects_xy(shape, lon[is_known], lat[is_known])
        wanted = found if fence[0] == "inside" else ~found
        return wanted.astype(np.float64), is_known

    def _shape(
        self, fence: tuple[str, tuple[tuple[float, float], ...], str]
    ) -> shapely.Geometry | None:
        key = fence[1:]
        if key not in self._shapes:
            _, polygon, area = fence
            text = self._area_shape(area) if area and self._area_shape else None
            shape = shapely.Polygon(polygon) if polygon else shapely.from_geojson(text)
            if shape is not None:
                shapely.prepare(shape)
            self._shapes[key] = shape
        return self._shapes[key]


def points_of(places: pa.ChunkedArray) -> tuple[Floats, Floats]:
    """Longitude and latitude of each geometry; NaN where there is none. Equal texts are read
    once."""
    encoded = places.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    texts = _geometries(encoded.dictionary.to_pylist())
    shapes = shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")
    centres = shapely.centroid(shapes)
    lon, lat = shapely.get_x(centres), shapely.get_y(centres)
    is_wrong = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    lon[is_wrong] = np.nan
    at = np.asarray(pc.fill_null(encoded.indices, len(lon)).to_numpy(zero_copy_only=False))
    lon, lat = np.append(lon, np.nan), np.append(lat, np.nan)
    return np.asarray(lon[at], np.float64), np.asarray(lat[at], np.float64)


def _geometries(bodies: Sequence[str]) -> list[str]:
    found = []
    for body in bodies:
        text = body
        if '"value"' in body:
            try:
                text = bytes(msgspec.json.decode(body, type=_Wrapped).value).decode()
            except msgspec.MsgspecError:
                text = body
        found.append(text)
    return found
