"""The declared stations, feeds, layers and limits fit together."""

import json
from datetime import date

import pytest

from dothi.app.area_files import read_areas, read_shares
from dothi.app.attribute_files import read_attribute_specs
from dothi.app.example.files import find_data_folder
from dothi.app.example.registry import read_registry
from dothi.model.source import Origin
from dothi.model.units import BY_CODE

FOLDER = find_data_folder()
REGISTRY = read_registry(FOLDER)


def test_about_sixty_stations_with_unique_ids() -> None:
    assert 55 <= len(REGISTRY.stations) <= 70
    assert len({s.source for s in REGISTRY.stations}) == len(REGISTRY.stations)
    assert len({s.entity for s in REGISTRY.stations}) == len(REGISTRY.stations)
    types = {s.type for s in REGISTRY.stations}
    assert types == {
        "AirQualityObserved",
        "WaterObserved",
        "WaterQualityObserved",
        "WeatherObserved",
    }


def test_every_station_lies_in_the_south_of_vietnam() -> None:
    for station in REGISTRY.stations:
        assert 9.0 < station.lat < 12.0 and 105.4 < station.lon < 107.6, station.source


def test_nothing_pretends_to_be_a_measurement() -> None:
    for station in REGISTRY.stations:
        source = REGISTRY.source_of(station)
        assert source.origin in {Origin.REPLAYED, Origin.SIMULATED}
        assert source.origin_note and source.origin_note_vi and source.licence and source.owner
        said = "replay of" if source.origin is Origin.REPLAYED else "simulated"
        assert said in source.origin_note
        assert ("phát lại" if said == "replay of" else "mô phỏng") in source.origin_note_vi
        assert source.cadence_s and source.cadence_s > 0


def test_units_are_codes_and_agree_with_the_limits() -> None:
    specs = read_attribute_specs(FOLDER / "attributes.toml")
    for spec in specs.values():
        assert spec.unit in BY_CODE
    for feed in REGISTRY.feeds.values():
        for attribute, unit in feed.units.items():
            assert specs[attribute].unit == unit


def test_every_layer_has_stations_that_show_it() -> None:
    layers = json.loads((FOLDER / "layers.json").read_text())
    assert len({layer["id"] for layer in layers}) == len(layers)
    for layer in layers:
        assert layer["title"]["vi"] and layer["title"]["en"]
        if layer["id"] == "warning":
            continue  # of other authorities: no station sends them
        units = [
            REGISTRY.feed_of(s).units.get(layer["attribute"])
            for s in REGISTRY.stations
            if s.type in layer["types"]
        ]
        assert layer["unit"] in units, layer["id"]


def test_areas_and_shares_of_the_example() -> None:
    areas = [
        area
        for name in ("provinces", "districts", "wards")
        for area in read_areas(FOLDER / "areas" / f"{name}.geojson")
    ]
    by_id = {a.id: a for a in areas}
    levels = [a.level for a in areas]
    assert [levels.count(n) for n in ("province", "district", "ward")] == [36, 18, 292]
    for area in areas:
        assert area.parent is None or area.parent in by_id, area.id
        if area.level == "district":
            assert area.valid_to == date(2025, 7, 1)
            assert "not the legal boundary" in area.note
    sums: dict[str, float] = {}
    for share in read_shares(FOLDER / "areas" / "shares.csv"):
        assert share.area in by_id and share.in_area in by_id
        sums[share.area] = sums.get(share.area, 0) + share.share
    assert max(sums.values()) == pytest.approx(1.0, abs=0.03)
