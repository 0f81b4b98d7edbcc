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
