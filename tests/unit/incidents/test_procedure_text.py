"""Writing a procedure: file and form say the same, an error names its line, clocks are tried."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from dothi.incidents.clock_preview import preview
from dothi.incidents.procedure_file import decode_procedure, decode_table
from dothi.incidents.procedure_text import write_toml
from dothi.model.problem import Problem
from incident_ports import NOW, PROCEDURES, SMALL, calendar

FLOOD = (PROCEDURES / "flood_evening.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(PROCEDURES.glob("*.toml")), ids=lambda p: p.stem)
def test_what_is_written_reads_the_same(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    table = decode_table(text, "text")
    written = write_toml(msgspec.to_builtins(table))
    assert decode_table(written, "text") == table
    assert decode_procedure(written, "text") == decode_procedure(text, "text")


def test_quotes_lines_and_strange_letters_survive() -> None:
    strange = 'Nói "khẩn"\n\\đường\tA\u007f☂'
    table = msgspec.to_builtins(decode_table(SMALL, "text"))
    table["purpose"] = {"vi": strange, "en": strange}
    assert decode_procedure(write_toml(table), "text").purpose.vi == strange


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('limit = "15 min"', 'limit = "15 minn"', 'limit = "15 minn"', "30 min"),
        ('limit = "15 min"', 'limitt = "15 min"', "limitt", "did you mean `limit`?"),
        ('first = "confirm"', 'first = "x"', 'first = "x"', "no step 'x'"),
        ('kind = "choice"', 'kind = "chioce"', "chioce", "key kind"),
        ('role = "operator"', "", "[[step]]", "add the key"),
        ("[[step.field]]", "[[step.field]", "[[step.field]", "at line"),
    ],
)
def test_an_error_names_its_line_and_a_remedy(old: str, new: str, line: str, said: str) -> None:
    text = FLOOD.replace(old, new, 1)
    with pytest.raises(Problem) as problem:
        decode_procedure(text, "text")
    where, _, number = problem.value.where.partition(", line ")
    assert where == "text"
    assert line in text.splitlines()[int(number) - 1]
    assert said in problem.value.detail + problem.value.remedy


def test_clocks_of_a_start_before_the_weekend() -> None:
    """SMALL: look 15 min -> close, tell (2 working days) -> sum without a limit."""
    procedure = decode_procedure(SMALL, "text")
    friday = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)  # 16:00 in Việt Nam
    clocks = {one.step: one for one in preview(procedure, friday, calendar().calendar)}
    assert clocks["look"].due_at == datetime(2026, 11, 27, 9, 15, tzinfo=UTC)
    assert clocks["tell"].opens_at == clocks["look"].due_at
    # Monday and Tuesday are the two working days; the limit ends with Tuesday.
    assert clocks["tell"].due_at == datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    assert (clocks["close"].due_at, clocks["sum"].due_at) == (None, None)
    assert clocks["sum"].opens_at == clocks["tell"].due_at
    assert all(one.is_calendar_known for one in clocks.values())
    far = preview(procedure, NOW.replace(year=2040), calendar().calendar)
    assert not any(one.is_calendar_known for one in far)
