"""The Vietnamese reference pages say the same as the English ones: each table has the same names,
defaults and kinds in the same order, and the guides lead to them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("rules", "procedures", "cap")
_SAME = {"bắt buộc": "required", "không có": "none", "lỗi": "error", "lưu ý": "note"}
"""Cells in words that mean something to the program."""


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def tables(text: str) -> Iterator[list[list[str]]]:
    """Cells of each table, without its head."""
    rows: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
        elif rows:
            yield rows[2:]
            rows = []


def facts(row: list[str]) -> tuple[object, ...]:
    """What a row says in any language: its first names, all names of the code, words in `_SAME`."""
    words = [_SAME.get(cell, cell) for cell in row]
    first, all_of_them = (re.findall(r"`[^`]+`", text) for text in (row[0], " ".join(row)))
    return first, sorted(set(all_of_them)), [word for word in words[1:-1] if word in _SAME.values()]


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_have_the_same_tables(name: str) -> None:
    english, vietnamese = list(tables(page(f"{name}.md"))), list(tables(page(f"vi/{name}.md")))
    assert len(english) == len(vietnamese) >= 2
    for theirs, ours in zip(english, vietnamese, strict=True):
        assert [facts(row) for row in ours] == [facts(row) for row in theirs]


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_have_the_same_sections_and_names(name: str) -> None:
    english, vietnamese = page(f"{name}.md"), page(f"vi/{name}.md")
    heads = [re.findall(r"^#+ ", text, re.MULTILINE) for text in (english, vietnamese)]
    assert heads[0] == heads[1]
    last = [re.findall(r"`[^`]+`", text.rpartition("\n## ")[2]) for text in (english, vietnamese)]
    assert sorted(last[0]) == sorted(last[1])


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere_and_the_guide_leads_here(name: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)", page(f"vi/{name}.md")):
        assert (DOCS / "reference" / "vi" / link).resolve().exists(), link
    assert f"](vi/{name}.md)" in page(f"{name}.md")
    guide = {"cap": "warnings"}.get(name, name)
    text = (DOCS / "guide" / "vi" / f"{guide}.md").read_text(encoding="utf-8")
    assert f"](../../reference/vi/{name}.md)" in text
    assert f"](../../reference/{name}.md)" not in text
