"""What is known of the province: shipped for every start, replaced by what is configured."""

from pathlib import Path

import pytest

from dothi.app.config.sections import ProvinceSettings
from dothi.app.province import read_province
from dothi.console.basemap import read_manifest
from dothi.console.settings import ConsoleSettings
from dothi.model.problem import Problem


def test_a_start_without_files_of_its_own_has_layers_limits_and_a_base_map() -> None:
    province = read_province(ProvinceSettings(), ConsoleSettings())
    types = {name for layer in province.layers for name in layer.types}
    assert {"AirQualityObserved", "WaterObserved", "WeatherObserved"} <= types
    assert province.specs["pm25"].unit == "GQ"
    assert read_manifest(province.console.basemap_dir).tiles is not None


def test_configured_files_replace_what_is_shipped(tmp_path: Path) -> None:
    attributes, layers = tmp_path / "attributes.toml", tmp_path / "layers.json"
    attributes.write_text("")
    layers.write_text("[]")
    settings = ProvinceSettings(attributes_file=str(attributes), layers_file=str(layers))
    province = read_province(settings, ConsoleSettings(basemap_dir=tmp_path))
    assert province.specs == {}
    assert province.layers == ()
    assert read_manifest(province.console.basemap_dir).tiles is None


def test_a_missing_file_is_said_with_its_name(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.toml")
    with pytest.raises(Problem) as found:
        read_province(ProvinceSettings(attributes_file=missing), ConsoleSettings())
    assert missing in found.value.where
