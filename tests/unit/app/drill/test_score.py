"""Scores of a drill: in time of the scenario, from what is on record."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.unit.app.drill.test_scenario import GOOD

from dothi.app.drill.scenario import Expectation, Scenario, read_scenario
from dothi.app.drill.score import Deed, Facts, StepFact, score, total
from dothi.app.drill.timing import Timing

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    path = tmp_path / "scenario.toml"
    path.write_text(GOOD)
    return read_scenario(path)


def _after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("speed", "acknowledged_after_s", "verdict", "took_s"),
    [(1, 300, "kept", 300), (1, 301, "late", 301), (60, 5, "kept", 300), (60, 6, "late", 360)],
)
def test_a_deed_counts_in_time_of_the_scenario(
    scenario: Scenario, speed: float, acknowledged_after_s: float, verdict: str, took_s: float
) -> None:
    facts = Facts(
        raised={"water_level": T0},
        acknowledged={"water_level": Deed(_after(acknowledged_after_s), "lan")},
    )
    (found,) = score(scenario, facts, Timing(T0, speed))
    assert (found.verdict, found.took_s, found.by) == (verdict, took_s, "lan")
    assert total([found]) == (1.0 if verdict == "kept" else 0.5)


def test_missed_and_without_occasion(scenario: Scenario) -> None:
    (missed,) = score(scenario, Facts(raised={"water_level": T0}), Timing(T0, 1))
    assert missed.verdict == "missed"
    assert total([missed]) == 0
    (none,) = score(scenario, Facts(), Timing(T0, 1))
    assert none.verdict == "no_occasion"
    assert total([none]) is None


def test_a_step_has_the_limit_of_its_procedure(scenario: Scenario) -> None:
    step = Expectation(
        id="s", title_vi="Bước", title_en="Step", kind="step", procedure="flood", step="close"
    )
    scenario = msgspec.structs.replace(scenario, expectations=(step,))
    done = {("flood", "close"): StepFact(T0, 600.0, Deed(_after(20), "minh"))}
    (kept,) = score(scenario, Facts(steps=done), Timing(T0, 30))
    assert (kept.verdict, kept.took_s, kept.allowed_s, kept.by) == ("kept", 600, 600, "minh")
    (late,) = score(scenario, Facts(steps=done), Timing(T0, 31))
    assert late.verdict == "late"
