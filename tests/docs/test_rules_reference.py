"""The reference of rules names every kind, field and reason in both languages; its example can be
read."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from dothi.model.rule import Rule
from dothi.model.rule_condition import Condition
from dothi.rules.reading import kinds, read_rules
from dothi.rules.why_not import Reason

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
EN = (REFERENCE / "rules.md").read_text(encoding="utf-8")
VI = (REFERENCE / "vi" / "rules.md").read_text(encoding="utf-8")
SET_BY_DOTHI = {"version", "author", "created_at", "approved_by", "approved_at"}


def _rows(page: str, title: str) -> dict[str, str]:
    """First cell (without marks) -> whole row, of the table below a heading."""
    section = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    found = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            for name in re.findall(r"`(\w+)`", line.split("|")[1]):
                found[name] = line
    return found


@pytest.mark.parametrize(
    ("page", "title"), [(EN, "Kinds of condition"), (VI, "Các loại điều kiện")], ids=["en", "vi"]
)
def test_every_kind_and_each_of_its_fields_is_described(page: str, title: str) -> None:
    rows = _rows(page, title)
    assert set(rows) == set(kinds())
    for shape in get_args(Condition):
        row = rows[shape.__struct_config__.tag]
        for field in msgspec.structs.fields(shape):
            if field.name != "dataset":
                assert f"`{field.name}`" in row, f"{shape.__name__}.{field.name}"


@pytest.mark.parametrize(("page", "title"), [(EN, "Fields"), (VI, "Các ô")], ids=["en", "vi"])
def test_every_field_of_a_rule_is_described(page: str, title: str) -> None:
    names = {field.name for field in msgspec.structs.fields(Rule)}
    assert set(_rows(page, title)) == names - SET_BY_DOTHI
    for name in SET_BY_DOTHI:
        assert f"`{name}`" in page


@pytest.mark.parametrize(
    ("page", "title"),
    [(EN, 'Answers to "why not"'), (VI, 'Trả lời cho "vì sao không báo"')],
    ids=["en", "vi"],
)
def test_every_reason_is_described(page: str, title: str) -> None:
    assert set(_rows(page, title)) == set(get_args(Reason))


def test_the_examples_can_be_read() -> None:
    for page in (EN, VI):
        text = page.partition("```toml\n")[2].partition("```")[0]
        rules, tables = read_rules(text.encode(), "rules.md")
        assert (rules, len(tables)) == ([], 1)
    for lang in ("en", "vi"):
        guide = (ROOT / "docs" / "guide" / lang / "rules.md").read_text(encoding="utf-8")
        example = guide.partition("```toml\n")[2].partition("```")[0]
        found, _ = read_rules(example.encode(), lang)
        assert found, lang
