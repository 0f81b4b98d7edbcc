"""What a person at a screen may be refused has Vietnamese words (i18n/problems.vi.ts)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import dothi
from support.node import CONSOLE

_SOURCE = Path(dothi.__file__).parent
_ASKED = (
    "access", "alarms", "api", "duty", "incidents", "rules", "app/http/mount.py",
    "app/http/boundary.py", "app/http/problems.py", "facades/cap/refusing.py",
    "facades/cap/answering.py", "storage/relational/handovers.py",
    "storage/relational/shifts.py",
)  # fmt: skip
"""Where the problems arise that the routes of the console answer with."""
_ELSEWHERE = {"calendar_file_wrong", "receipt_forbidden", "receipt_unreadable"}
"""At the start, or to gateways: no screen shows them."""


def _files() -> Iterator[Path]:
    for name in _ASKED:
        path = _SOURCE / name
        yield from [path] if path.is_file() else path.rglob("*.py")


def _first(call: ast.Call) -> ast.expr | None:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Starred) and isinstance(first.value, ast.Tuple):
        return first.value.elts[0]
    return first


def _codes() -> set[str]:
    found = set()
    for path in _files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                code = _first(node)
                if isinstance(code, ast.Constant):
                    found.add(str(code.value))
    return found


def test_every_refusal_is_said_in_vietnamese() -> None:
    said = (CONSOLE / "src/i18n/problems.vi.ts").read_text()
    known = set(re.findall(r"^  (\w+): \[", said, re.MULTILINE))
    codes = _codes()
    assert len(codes) > 60
    assert codes - known - _ELSEWHERE == set()
