"""Scenarios: what is wrong with one is said with its place."""

from pathlib import Path

import pytest

from dothi.app.drill.scenario import read_scenario
from dothi.model.problem import Problem

GOOD = """
id = "small"
title_vi = "Diễn tập nhỏ"
title_en = "Small drill"
origin = "simulated"
origin_note_vi = "mô phỏng"
origin_note_en = "simulated"
duration_s = 600
[[stations]]
source = "drill-gauge"
name = "Gauge"
entity = "urn:ngsi-ld:WaterObserved:drill"
type = "WaterObserved"
attribute = "waterLevel"
unit = "MTR"
every_s = 60
points = [[0, 1.2], [600, 1.7]]
[[expectations]]
id = "seen"
title_vi = "Xác nhận"
title_en = "Acknowledge"
kind = "acknowledge"
rule = "water_level"
within_s = 300
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text)
    return path


def test_a_scenario_is_read(tmp_path: Path) -> None:
    scenario = read_scenario(_written(tmp_path, GOOD))
    assert scenario.stations[0].points == ((0.0, 1.2), (600.0, 1.7))
    assert scenario.expectations[0].within_s == 300


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "acknowledge"', 'kind = "applaud"', "applaud"),
        ("[[0, 1.2], [600, 1.7]]", "[[600, 1.2], [0, 1.7]]", "must rise"),
        ('rule = "water_level"', "", "lacks ['rule']"),
        ("every_s = 60", "every_s = 0", "every_s"),
        ("duration_s = 600", "duration_s = 600\nduraton = 1", "duraton"),
        ('id = "small"', 'id = "small', "line"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(Problem) as caught:
        read_scenario(_written(tmp_path, GOOD.replace(old, new)))
    assert said in caught.value.detail
    assert caught.value.where.endswith("scenario.toml")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be read"):
        read_scenario(tmp_path / "none.toml")
