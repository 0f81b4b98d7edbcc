"""Every reason with which something is rejected is explained in docs/reference/rejects.md."""

import re
from pathlib import Path

from dothi.intake.files import parse
from dothi.intake.tabular import rows

ROOT = Path(__file__).parents[2]
_GIVEN = (
    re.compile(r'\b(?:Unreadable|BadPayload)\(\s*"([a-z0-9_]+)"'),
    re.compile(r'\bRejection\(\s*[^",]+,\s*"([a-z0-9_]+)"'),
    re.compile(r'\bCheck\(\s*"([a-z0-9_]+)"'),
)


def test_every_reason_is_explained() -> None:
    page = (ROOT / "docs" / "reference" / "rejects.md").read_text(encoding="utf-8")
    api = (ROOT / "docs" / "reference" / "http-api.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`([a-z0-9_]+)`", page + api))
    tables = {reason for reason, _ in parse._DETAILS} | rows._DETAILS.keys()
    assert tables <= explained
    missing = {
        reason: str(path.relative_to(ROOT))
        for path in sorted((ROOT / "src" / "dothi").rglob("*.py"))
        for pattern in _GIVEN
        for reason in pattern.findall(path.read_text(encoding="utf-8"))
        if reason not in explained
    }
    assert not missing, f"explain these in docs/reference/rejects.md: {missing}"


def test_the_console_has_words_for_every_reason_of_the_doors() -> None:
    page = (ROOT / "docs" / "reference" / "rejects.md").read_text(encoding="utf-8")
    reasons = set(re.findall(r"^\| `([a-z0-9_]+)`", page, re.MULTILINE))
    assert len(reasons) > 30
    for language in ("vi", "en"):
        strings = ROOT / "console" / "src" / "i18n" / f"strings.{language}.ts"
        known = set(re.findall(r"reason_([a-z0-9_]+):", strings.read_text(encoding="utf-8")))
        assert reasons <= known, f"{strings.name} lacks {sorted(reasons - known)}"
