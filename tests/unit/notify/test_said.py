"""What channels say of a delivery is stored in English; the console knows it in Vietnamese."""

import re
from pathlib import Path

from dothi import notify
from support.node import CONSOLE

_SAID = re.compile(
    r"(?:Handed\(\s*(?:DeliveryState\.)?\w+,|\bdetail (?:=|or) |\bnote ?= ?|_error = )\s*"
    r'f?"((?:[^"\\]|\\.)+)"'
)
_ELSEWHERE = {
    # Of a receipt: the words of the message centre itself.
    "{word} {error}",
    # Positions and names; the console tells positions by their titles.
    "{', '.join(positions)}: {', '.join(reached.told)}",
}


def said_by_channels() -> set[str]:
    found: set[str] = set()
    for folder in notify.__path__:
        for path in Path(folder).rglob("*.py"):
            found |= set(_SAID.findall(path.read_text(encoding="utf-8")))
    return found - _ELSEWHERE


def test_the_console_knows_every_phrase_in_vietnamese() -> None:
    text = (CONSOLE / "src/screens/notices/said.ts").read_text(encoding="utf-8")
    patterns = [
        re.compile(one.replace("\\/", "/"), re.DOTALL)
        for one in re.findall(r"^  \[/(.+)/s?, '", text, re.MULTILINE)
    ]
    assert len(patterns) > 25
    phrases = said_by_channels()
    assert len(phrases) > 15
    lacking = []
    for phrase in phrases:
        sample = re.sub(r"\{[^}]*\}", "7", phrase).removeprefix("given up: ")
        if sample != "7" and not any(
            p.search(sample) or p.search(f"given up: {sample}") for p in patterns
        ):
            lacking.append(phrase)
    assert lacking == []
