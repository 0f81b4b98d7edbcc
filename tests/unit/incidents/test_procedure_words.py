"""What is wrong with a procedure, in both languages; whatever the code can say has its words."""

import ast
import re
from pathlib import Path

import msgspec
import pytest

from dothi.incidents import clocks, procedure_file, procedure_graph
from dothi.incidents.clocks import parse_limit
from dothi.incidents.procedure_file import decode_procedure
from dothi.incidents.procedure_text import write_toml
from dothi.incidents.procedure_words import words_of
from dothi.model.problem import Problem
from incident_ports import SMALL

EMPTY = {
    "id": "pump",
    "version": 1,
    "title": {"vi": "", "en": ""},
    "purpose": {"vi": "x", "en": "x"},
    "first": "step-1",
    "step": [],
}
VIETNAMESE = re.compile(r"[à-ỹđ]", re.IGNORECASE)


def said_of(text: str) -> tuple[str, str]:
    with pytest.raises(Problem) as caught:
        decode_procedure(text, "text")
    told = words_of(caught.value.detail)
    return told.vi, told.en


def test_an_empty_form_reads_as_unfinished() -> None:
    vi, en = said_of(write_toml(EMPTY))
    assert (vi, en) == ("Tên, tiếng Việt: chưa điền", "Title, Vietnamese: nothing is written yet")


@pytest.mark.parametrize(
    ("old", "new", "vi", "en"),
    [
        (
            'kind = "number"',
            'kind = "nummer"',
            "Bước “look”, mục “depth”, kiểu: không có lựa chọn “nummer”",
            "Step “look”, field “depth”, kind: there is no “nummer” to choose",
        ),
        (
            "version = 1",
            'version = "1"',
            "Phiên bản: cần số nguyên, đây là chữ",
            "Version: needs a whole number, this is a text",
        ),
        ("version = 1", "version = 0", "Phiên bản: ít nhất là 1", "Version: at least 1"),
        ("version = 1\n", "", "Thiếu: version", "Missing: version"),
        ('id = "small"', "id = small", "Dòng 2, cột 6 không đúng cú pháp TOML (Invalid value)", ""),
        (
            'id = "small"',
            'id = "Nhỏ"',
            "Mã: chỉ dùng chữ thường không dấu, số, gạch nối",
            "Id: only small letters a–z, digits, hyphen and underscore",
        ),
    ],
)
def test_place_and_fault_are_named(old: str, new: str, vi: str, en: str) -> None:
    assert old in SMALL
    told = said_of(SMALL.replace(old, new, 1))
    assert told[0] == vi
    assert not en or told[1] == en


def _raised(module: Path) -> list[str]:
    """Texts of all ValueErrors of a module; what is filled in reads as 1."""
    found = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if not is_call or node.func.id != "ValueError" or not node.args:  # type: ignore[attr-defined]
            continue
        parts = getattr(node.args[0], "values", [node.args[0]])  # type: ignore[attr-defined]
        shown = []
        for part in parts:
            if isinstance(part, ast.Constant):
                shown.append(str(part.value))
            else:
                is_quoted = getattr(part, "conversion", -1) == ord("r")
                is_place = isinstance(part.value, ast.Name) and part.value.id == "where"
                shown.append("step 'a'" if is_place else "'1'" if is_quoted else "1")
        found.append("".join(shown))
    return found


@pytest.mark.parametrize("module", [procedure_file, procedure_graph, clocks])
def test_every_fault_that_the_code_names_has_vietnamese_words(module: object) -> None:
    texts = _raised(Path(str(getattr(module, "__file__", ""))))
    assert texts
    for text in texts:
        if text.endswith(": 1"):  # passes on what another one says
            continue
        text = text.replace(": 1 are none", ": [1] are none").replace(": 1 needs", ": below needs")
        told = words_of(text)
        what = told.vi.partition(": ")[2] or told.vi
        assert VIETNAMESE.search(what), f"{text!r} has no words: {told.vi!r}"


def test_what_nobody_has_put_into_words_stays() -> None:
    assert words_of("Something new") == msgspec.structs.replace(
        words_of(""), vi="Something new", en="Something new"
    )


def test_half_a_day_is_refused_in_both_languages() -> None:
    with pytest.raises(ValueError, match="days are whole") as refused:
        parse_limit("0.5 working days")
    said = words_of(f"step 'tell', key limit: {refused.value}")
    assert "nửa ngày thì ghi 4 working hours" in said.vi
    assert "for half a day write 4 working hours" in said.en
