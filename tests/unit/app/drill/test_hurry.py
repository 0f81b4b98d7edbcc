"""Rules and procedures of a fast drill: every duration shrinks, nothing else changes, and all
stay valid."""

from pathlib import Path

import msgspec
import pytest

from dothi.app.drill.hurry import hurried, hurried_procedure
from dothi.app.example.files import find_data_folder
from dothi.app.rules import RULE_FILE
from dothi.incidents.procedure_file import decode_procedure
from dothi.model.procedure import LimitKind
from dothi.model.rule import Rule
from dothi.rules.reading import read_rules


def _rules() -> list[Rule]:
    file: Path = find_data_folder() / RULE_FILE
    return list(read_rules(file.read_bytes(), file.name)[0])


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule.id)
def test_every_duration_shrinks(rule: Rule) -> None:
    fast = hurried(rule, 60)
    assert fast.time_to_respond_s == rule.time_to_respond_s / 60
    assert fast.on_delay_s == rule.on_delay_s / 60
    assert (fast.scope, fast.priority, fast.id) == (rule.scope, rule.priority, rule.id)
    before, after = (msgspec.to_builtins(one.condition) for one in (rule, fast))
    assert {k: v for k, v in before.items() if not k.endswith("_s")}.keys() <= after.keys()
    assert fast.approved_at is None, "it must be approved anew"


def test_windows_shrink_too() -> None:
    rule = next(one for one in _rules() if one.id == "pm25-24h")
    assert "over_s" in msgspec.to_builtins(rule.condition)
    fast = msgspec.to_builtins(hurried(rule, 24).condition)
    assert fast["over_s"] == msgspec.to_builtins(rule.condition)["over_s"] / 24


@pytest.mark.parametrize(
    ("speed", "text"),
    [(10, {"confirm": "1.5 min", "reopen": "1.2 h", "report_device": "2.4 h", "review": "4.8 h"}),
     (60, {"confirm": "15 s", "reopen": "12 min", "report_device": "24 min", "review": "48 min"})],
)  # fmt: skip
def test_limits_and_escalations_of_procedures_shrink(speed: float, text: dict[str, str]) -> None:
    file: Path = find_data_folder() / "procedures" / "flood_evening.toml"
    procedure = decode_procedure(file.read_text("utf-8"), file.name)
    assert hurried_procedure(procedure, 1) is procedure
    fast = hurried_procedure(procedure, speed)
    limits = {name: step.limit for name, step in fast.steps.items() if step.limit}
    assert {name: limits[name].text for name in text} == text
    assert {limit.kind for limit in limits.values()} == {LimitKind.ELAPSED}
    assert limits["confirm"].amount == 900 / speed
    assert [one.after_s for one in fast.steps["confirm"].escalation] == [0, 900 / speed]
    assert fast.steps["confirm"].branches == procedure.steps["confirm"].branches
