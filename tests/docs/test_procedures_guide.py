"""The reference page of procedures says what the code does; the guide's example can be read."""

import re
from pathlib import Path

import pytest

from dothi.incidents.procedure_file import decode_procedure
from support.procedure_page import procedures_page
from support.reference import check_page

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def test_the_page_of_procedures_is_what_the_code_says() -> None:
    check_page("procedures.md", procedures_page())


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_procedure_of_the_guide_can_be_read(lang: str) -> None:
    text = (GUIDE / lang / "procedures.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    procedure = decode_procedure(example, "guide")
    assert list(procedure.steps) == ["check", "close", "sum"]
    for page in re.findall(r"\]\((\.\./[^)#]+\.md)", text):
        assert (GUIDE / lang / page).resolve().exists(), page
