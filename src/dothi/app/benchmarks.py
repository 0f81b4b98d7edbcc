"""Finds, runs and stores benchmarks. A benchmark is a module bench/<name>.py with

    def run(arguments: list[str]) -> dict[str, object]

whose docstring says what it measures; what it returns is stored as JSON with machine facts.
"""

import ast
import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from dothi.app.machine import describe_machine
from dothi.model.problem import Problem


class Stored(Struct, frozen=True):
    """A result and the file that keeps it."""

    path: Path
    text: str


def bench_folder() -> Path:
    """`bench/` of the checkout that runs. Raises Problem outside of one."""
    folder = Path(__file__).parents[3] / "bench"
    if not folder.is_dir():
        raise Problem(
            "no_benchmarks",
            "No benchmarks here",
            "an installed wheel does not carry them",
            where=str(folder),
            remedy="run `uv run dothi bench` in a checkout",
        )
    return folder


def available() -> dict[str, str]:
    """Name -> first line of the docstring."""
    found = {}
    for path in sorted(bench_folder().glob("*.py")):
        tree = ast.parse(path.read_text())
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def run(name: str, arguments: list[str], results: Path | None) -> Stored:
    """Run one benchmark and store its result as <results>/<name>.json."""
    known = available()
    if name not in known:
        raise Problem(
            "unknown_benchmark",
            "Unknown benchmark",
            f"there is no bench/{name}.py with a function run",
            remedy=f"one of: {', '.join(known) or 'none yet'}",
        )
    began_at = datetime.now(UTC)
    outcome = _load(bench_folder() / f"{name}.py").run(arguments)
    folder = results or bench_folder() / "results"
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "benchmark": name,
        "measures": known[name],
        "arguments": arguments,
        "began_at": began_at.isoformat(timespec="seconds"),
        "took_s": round((datetime.now(UTC) - began_at).total_seconds(), 1),
        "machine": describe_machine(folder),
        "result": outcome,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    path = folder / f"{name}.json"
    path.write_text(text + "\n", encoding="utf-8")
    return Stored(path, text)


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"dothi_bench_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
