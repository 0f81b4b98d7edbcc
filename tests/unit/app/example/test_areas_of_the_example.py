"""Known places on the map before and after the reform of 2025-07-01."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from databases import lay_database
from dothi.app.area_files import read_areas, read_shares
from dothi.app.example.files import find_data_folder
from dothi.app.example.registry import read_registry
from dothi.storage.relational.areas import RelationalAreas
from dothi.storage.relational.engine import open_sqlite

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)
FOLDER = find_data_folder()


@pytest.fixture(scope="module")
def areas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelationalAreas]:
    path: Path = tmp_path_factory.mktemp("areas") / "dothi.db"
    engine = open_sqlite(lay_database(path))
    store = RelationalAreas(engine)
    files = [FOLDER / "areas" / f"{n}.geojson" for n in ("provinces", "districts", "wards")]
    found = [area for file in files for area in read_areas(file)]
    store.put(found, read_shares(FOLDER / "areas" / "shares.csv"))
    yield store
    engine.dispose()


@pytest.mark.parametrize(
    ("place", "lon", "lat", "before", "after"),
    [
        (
            "centre of Thủ Dầu Một",
            106.6557,
            10.9804,
            ["Thành phố Thủ Dầu Một", "Tỉnh Bình Dương"],
            ["Phường Thủ Dầu Một", "Thành phố Hồ Chí Minh"],
        ),
        (
            "centre of Trà Vinh",
            106.3420,
            9.9347,
            ["Thành phố Trà Vinh", "Tỉnh Trà Vinh"],
            ["Phường Trà Vinh", "Tỉnh Vĩnh Long"],
        ),
        ("Dĩ An", 106.7700, 10.9060, ["Thành phố Dĩ An", "Tỉnh Bình Dương"], None),
        ("Hoàn Kiếm in Hà Nội", 105.8525, 21.0287, [], ["Thành phố Hà Nội"]),
        ("the sea off Vũng Tàu", 107.5, 10.0, [], []),
    ],
)
def test_a_place_on_both_maps(
    areas: RelationalAreas,
    place: str,
    lon: float,
    lat: float,
    before: list[str],
    after: list[str] | None,
) -> None:
    assert [a.name for a in areas.locate(lon, lat, BEFORE)] == before, place
    found = [a.name for a in areas.locate(lon, lat, AFTER)]
    if after is None:
        assert found[-1] == "Thành phố Hồ Chí Minh"
    else:
        assert found == after, place


def test_the_old_province_went_whole_into_the_new(areas: RelationalAreas) -> None:
    (share,) = areas.shares("province:74:1997-01-01")
    assert (share.in_area, share.share, share.basis) == ("province:79:2025-07-01", 1.0, "decree")


def test_a_ward_that_straddled_two_districts_says_so(areas: RelationalAreas) -> None:
    (ward,) = [a for a in areas.valid_on(AFTER, "ward") if a.name == "Phường Tân Uyên"]
    assert "52%" in ward.note and "does not name" in ward.note
    out = [s for s in areas.shares(ward.id) if s.area == ward.id]
    assert [s.share for s in out] == [0.52]


def test_every_station_finds_its_province(areas: RelationalAreas) -> None:
    stations = read_registry(FOLDER).stations
    points = pa.table({"lon": [s.lon for s in stations], "lat": [s.lat for s in stations]})
    found = areas.locate_many(points, AFTER, "province").to_pylist()
    at_sea = [s.source for s, area in zip(stations, found, strict=True) if area is None]
    assert len(at_sea) <= 3, at_sea
    old = areas.locate_many(points, BEFORE, "district").to_pylist()
    assert old[0] == "district:718:2024-05-01"
