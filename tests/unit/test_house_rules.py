"""The house rules of docs/architecture.md, section 9, that ruff does not know."""

import ast
import re
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "dothi"
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "static" not in p.parts)
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "base"}
MAX_FILE_LINES, MEDIAN_FILE_LINES = 400, 120
MAX_CLASS_LINES, MAX_PUBLIC_METHODS = 200, 15

GENERATED: frozenset[str] = frozenset()
"""Paths under the root that a program writes; exempt from the file length."""

NAMES_IN_INIT = {"__all__", "__version__"}

TIME_NAMES = frozenset({"modified_after", "since", "now"})
"""Times whose name already says which time."""

_DURATION = re.compile(
    r"(^|_)(timeout|interval|duration|backoff|delay|age|ttl|grace|lifetime|linger|cadence|pause)$"
)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


@cache
def _classes() -> list[tuple[Path, ast.ClassDef]]:
    return [
        (path, node)
        for path in MODULES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef)
    ]


@cache
def _fields() -> list[tuple[Path, ast.ClassDef, str, str]]:
    """Annotated names in class bodies, with the text of their annotation."""
    return [
        (path, node, item.target.id, ast.unparse(item.annotation))
        for path, node in _classes()
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]


def _at(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_no_file_is_longer_than_the_budget() -> None:
    console = (
        p for e in ("ts", "svelte", "css") for p in (ROOT / "console" / "src").rglob(f"*.{e}")
    )
    tests = (p for folder in ("tests", "bench") for p in (ROOT / folder).rglob("*.py"))
    checked = [*MODULES, ROOT / "hatch_build.py", *tests, *console]
    long = {
        _at(p): _lines(p) for p in checked if _at(p) not in GENERATED and _lines(p) > MAX_FILE_LINES
    }
    assert not long, f"files over {MAX_FILE_LINES} lines, split them: {long}"


def test_the_median_file_is_short() -> None:
    lengths = [length for p in MODULES if (length := _lines(p)) > 0]
    assert statistics.median(lengths) <= MEDIAN_FILE_LINES


def test_classes_keep_their_budget() -> None:
    wrong = []
    for path, node in _classes():
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        methods = [
            m.name
            for m in node.body
            if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef) and not m.name.startswith("_")
        ]
        if lines > MAX_CLASS_LINES:
            wrong.append(f"{_at(path)}: {node.name} has {lines} lines")
        if len(methods) > MAX_PUBLIC_METHODS:
            wrong.append(f"{_at(path)}: {node.name} has {len(methods)} public methods")
    assert not wrong, "\n".join(wrong)


def test_no_module_has_a_name_that_says_nothing() -> None:
    wrong = [_at(p) for p in PACKAGE.rglob("*") if p.stem in FORBIDDEN_NAMES]
    assert not wrong, f"name them after what they hold: {wrong}"


def test_init_files_are_empty_or_a_public_list() -> None:
    wrong = []
    for path in (p for p in MODULES if p.name == "__init__.py"):
        for node in _tree(path).body:
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            is_list = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in NAMES_IN_INIT
            if not (is_docstring or is_list or isinstance(node, ast.ImportFrom)):
                wrong.append(f"{_at(path)}:{node.lineno}")
    assert not wrong, f"only imports and __all__ belong there: {wrong}"


def test_times_end_in_at() -> None:
    wrong = [
        f"{_at(path)}: {node.name}.{name}: {kind}"
        for path, node, name, kind in _fields()
        if kind in {"datetime", "datetime | None"}
        and not f"_{name}".endswith("_at")
        and name not in TIME_NAMES
    ]
    assert not wrong, f"times are aware UTC and end in _at: {wrong}"


def test_durations_name_their_unit() -> None:
    numbers = {"int", "float", "int | None", "float | None"}
    wrong = [
        f"{_at(path)}: {node.name}.{name}: {kind}"
        for path, node, name, kind in _fields()
        if kind in numbers and _DURATION.search(name)
    ]
    assert not wrong, f"say the unit, e.g. timeout_s: {wrong}"


def test_broad_excepts_stand_only_at_named_boundaries() -> None:
    wrong = [
        f"{_at(path)}:{number}"
        for path in MODULES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"noqa(?!: [A-Z]+\d+)|noqa:.*BLE001", line)
    ]
    assert not wrong, f"name the file in ruff's per-file-ignores of pyproject.toml instead: {wrong}"


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        pytest.param(["mypy"], marks=pytest.mark.thorough),
        ["lint-imports"],
    ],
    ids=" ".join,
)
def test_the_tools_have_nothing_to_say(command: list[str]) -> None:
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
