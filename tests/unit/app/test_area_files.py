"""Area files: what is read, and how each error names its file and feature."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dothi.app.area_files import read_areas, read_shares
from dothi.model.problem import Problem

RING = [[106.0, 10.0], [107.0, 10.0], [107.0, 11.0], [106.0, 10.0]]
BOW_TIE = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
GOOD = {"level": "ward", "code": "25747", "name": "Thủ Dầu Một", "valid_from": "2025-07-01"}


def write(folder: Path, *features: dict[str, Any]) -> Path:
    path = folder / "wards.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def feature(properties: dict[str, Any], ring: list[list[float]] = RING) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def test_a_feature_becomes_an_area(tmp_path: Path) -> None:
    (area,) = read_areas(write(tmp_path, feature({**GOOD, "population": 88132})))
    assert area.id == "ward:25747:2025-07-01"
    assert (area.name, area.valid_from, area.valid_to) == ("Thủ Dầu Một", date(2025, 7, 1), None)
    assert area.population == 88132
    assert json.loads(area.geometry)["coordinates"] == [RING]


@pytest.mark.parametrize(
    ("properties", "ring", "said"),
    [
        ({**GOOD, "level": 3}, RING, "feature 2: .*level"),
        ({k: v for k, v in GOOD.items() if k != "code"}, RING, "feature 2: .*code"),
        ({**GOOD, "valid_from": "1/7/2025"}, RING, "feature 2: .*valid_from"),
        ({**GOOD, "valid_to": "2025-07-01"}, RING, r"feature 2 \(ward 25747 .*not after"),
        ({**GOOD, "colour": "red"}, RING, "feature 2: .*colour"),
        (GOOD, BOW_TIE, "Self-intersection"),
        (GOOD, [[600000, 1200000], [600001, 1200000], [600001, 1200001], [600000, 1200000]], "WGS"),
        ({**GOOD, "code": "0"}, RING, "twice"),
    ],
)
def test_an_error_names_file_and_feature(
    tmp_path: Path, properties: dict[str, Any], ring: list[list[float]], said: str
) -> None:
    path = write(tmp_path, feature({**GOOD, "code": "0"}), feature(properties, ring))
    with pytest.raises(Problem, match=said) as caught:
        read_areas(path)
    assert caught.value.where.startswith("wards.geojson, feature 2")


def test_other_geometry_and_no_geometry_are_refused(tmp_path: Path) -> None:
    point = {**feature(GOOD), "geometry": {"type": "Point", "coordinates": [106, 10]}}
    with pytest.raises(Problem, match="found Point"):
        read_areas(write(tmp_path, point))
    with pytest.raises(Problem, match="feature 1"):
        read_areas(write(tmp_path, {**feature(GOOD), "geometry": None}))


def test_a_file_that_is_no_collection_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wards.geojson"
    for content in (b"", b"{", b'{"type":"Feature"}', b'{"type":"FeatureCollection"}', b"\xff"):
        path.write_bytes(content)
        with pytest.raises(Problem, match=r"wards\.geojson"):
            read_areas(path)
    with pytest.raises(Problem, match="No such file"):
        read_areas(tmp_path / "absent.geojson")


def test_shares(tmp_path: Path) -> None:
    path = tmp_path / "shares.csv"
    path.write_text("area,in_area,share,basis\na,b,0.98,surface\n", encoding="utf-8")
    (share,) = read_shares(path)
    assert (share.area, share.in_area, share.share, share.basis) == ("a", "b", 0.98, "surface")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("area,share\na,1\n", "line 1: columns missing: basis, in_area"),
        ("area,in_area,share,basis\na,b,x,surface\n", "line 2: share is no number"),
        ("area,in_area,share,basis\na,b,1.2,surface\n", "line 2: share must be"),
        ("area,in_area,share,basis\na,b,0.5,guess\n", "line 2: basis 'guess'"),
    ],
)
def test_a_wrong_share_names_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "shares.csv"
    path.write_text(text)
    with pytest.raises(Problem, match=f"shares.csv, {said}"):
        read_shares(path)
