"""Every finding of the checks of public warnings is explained, and has words in the console."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CAP = ROOT / "src" / "dothi" / "facades" / "cap"


def codes() -> set[str]:
    found = set()
    for path in [*(CAP / "checks").glob("*.py"), CAP / "previewing.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"wrong", "note"}:
                code = node.args[1]
                assert isinstance(code, ast.Constant), f"{path}: {ast.unparse(node)}"
                found.add(str(code.value))
    return found


@pytest.mark.parametrize(
    ("name", "title"), [("cap.md", "## Findings"), ("vi/cap.md", "## Các lỗi và lưu ý")]
)
def test_every_finding_is_explained(name: str, title: str) -> None:
    page = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    table = page.partition(title)[2]
    explained = set(re.findall(r"^\| `([a-z0-9_]+)`", table, re.MULTILINE))
    assert len(codes()) > 40
    assert codes() == explained


def test_the_console_has_words_for_every_finding() -> None:
    for language in ("vi", "en"):
        strings = ROOT / "console" / "src" / "i18n" / f"strings.warnings.{language}.ts"
        known = set(re.findall(r"warn_finding_([a-z0-9_]+):", strings.read_text(encoding="utf-8")))
        assert codes() <= known, f"{strings.name} lacks {sorted(codes() - known)}"
