"""Procedure files: what ships can be read; what is wrong is named by step and field."""

from pathlib import Path

import pytest

from dothi.incidents.procedure_file import decode_procedure
from dothi.model.problem import Problem
from incident_ports import PROCEDURES, SMALL


@pytest.mark.parametrize("path", sorted(PROCEDURES.glob("*.toml")), ids=lambda p: p.stem)
def test_the_examples_can_be_read_and_say_that_they_are_examples(path: Path) -> None:
    procedure = decode_procedure(path.read_text(encoding="utf-8"), str(path))
    assert procedure.is_example
    assert procedure.title.vi.startswith("Quy trình mẫu")
    assert procedure.title.en.startswith("Example")
    assert all(step.escalation for step in procedure.steps.values() if step.limit)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "number"', 'kind = "nummer"', "step 'look', field 'depth', key kind"),
        ('limit = "15 min"', 'limit = "15 minuten"', "step 'look', key limit"),
        ('unit = "MTR"\n', "", "step 'look', field 'depth', key unit"),
        ('to = ["close", "tell"]', 'to = ["shut"]', "step 'look', key next: .*'shut'"),
        ("at_least = 0.3\n", "", "field 'depth': give one test"),
        ('field = "depth"', 'field = "width"', "field 'width': the step has no such field"),
        ('id = "tell"', 'id = "close"', "step 'close': the id is taken"),
        ('first = "look"', 'first = "see"', "key first: there is no step 'see'"),
        ('role = "operator"\nlimit', 'roll = "operator"\nlimit', "step 'look'.*roll"),
        ('first = "look"', 'first = "close"', "step 'look': no way leads to it"),
        ("version = 1", "version = 0", "key version"),
        ('after = "10 min"', 'after = "2 working days"', "step 'look', key escalate.after"),
        ("at_least = 0.3", 'any_of = ["a"]', "any_of needs a choice"),
        ("waits_for_all = true", "waits_for_all = true\nlimit_source = 'x'", "need a limit"),
        ('id = "small"', "id = small", "Invalid value"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, said: str) -> None:
    assert old in SMALL
    with pytest.raises(Problem, match=said):
        decode_procedure(SMALL.replace(old, new, 1), "small.toml")


def test_a_cycle_is_refused_with_its_way() -> None:
    text = SMALL + '\n[[step.next]]\nto = ["look"]\n'
    with pytest.raises(Problem, match=r"lead back to it \(look -> close -> sum -> look\)"):
        decode_procedure(text, "small.toml")


def test_a_branch_behind_the_one_without_a_test_is_refused() -> None:
    text = SMALL.replace(
        '[[step.next]]\nto = ["sum"]\n\n[[step]]\nid = "close"',
        '[[step.next]]\nto = ["sum"]\n\n[[step.next]]\nto = ["tell"]\n\n[[step]]\nid = "close"',
        1,
    )
    with pytest.raises(Problem, match="step 'look', key next: the one without a test"):
        decode_procedure(text, "small.toml")
