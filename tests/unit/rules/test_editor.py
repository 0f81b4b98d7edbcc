"""What the rule editor of the console sends can be read: console/tests/condition.test.ts makes it,
and fails when the stored file is no longer what the editor makes."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dothi.rules.reading import kinds, read_rule

DATA = Path(__file__).parents[2] / "data" / "rules_of_the_editor.json"
SENT: list[dict[str, Any]] = msgspec.json.decode(DATA.read_bytes())


def test_every_kind_is_among_them() -> None:
    assert {one["condition"]["kind"] for one in SENT} == set(kinds())


@pytest.mark.parametrize(
    "sent", SENT, ids=[f"{one['condition']['kind']}-{one['id']}" for one in SENT]
)
def test_it_is_read_with_every_field(sent: dict[str, Any]) -> None:
    rule = read_rule(sent)
    read = msgspec.to_builtins(rule.condition)
    assert _said(sent["condition"], read), read


def _said(sent: Any, read: Any) -> bool:
    """Whether everything that was sent is there again; what is read may have defaults besides."""
    if isinstance(sent, dict):
        return all(key in read and _said(value, read[key]) for key, value in sent.items())
    if isinstance(sent, list):
        return len(sent) == len(read) and all(map(_said, sent, read))
    return bool(sent == read)
