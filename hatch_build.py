"""Hatch hook: builds the web console into the wheel, or into the tree of an editable install."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_DIGEST_FILE = ".console-build.json"
_SKIPPED_FOLDERS = {"node_modules", "dist", "test-results", ".svelte-kit"}


class ConsoleBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `npm ci` and `npm run build` in console/ unless its sources are unchanged.

    Without Node an install succeeds all the same: the API runs and `/` says what to do.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console into src/dothi/console/static/."""
        root = Path(self.root)
        sources, static = root / "console", root / "src" / "dothi" / "console" / "static"
        if not (sources / "package.json").exists():
            return
        digest = source_digest(sources)
        if built_digest(static) == digest:
            return
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            self.app.display_warning(
                "Node is not installed, so the web console is not built; the API works without it. "
                "Install Node 20.19 or newer, then run: uv sync --reinstall-package dothi"
            )
            return
        try:
            build(npm, sources, static)
        except subprocess.CalledProcessError as error:
            message = f"the web console was not built: `{' '.join(error.cmd)}` failed"
            tail = (error.stdout or "")[-4000:]
            if version != "editable":
                raise RuntimeError(f"{message}\n{tail}") from error
            self.app.display_warning(f"{message}; the API works without it\n{tail}")
            return
        (static / _DIGEST_FILE).write_text(json.dumps({"sources": digest}) + "\n")


def source_digest(sources: Path) -> str:
    """SHA-256 over names and contents of everything that goes into the console."""
    total = hashlib.sha256()
    for path in sorted(sources.rglob("*")):
        parts = path.relative_to(sources).parts
        if path.is_file() and not _SKIPPED_FOLDERS.intersection(parts):
            total.update("/".join(parts).encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def built_digest(static: Path) -> str:
    """Digest of the sources that the present build was made from; empty when there is none."""
    try:
        content = json.loads((static / _DIGEST_FILE).read_text())
    except (OSError, ValueError):
        return ""
    return str(content.get("sources", ""))


def build(npm: str, sources: Path, static: Path) -> None:
    """Install the locked packages when the lock changed, then build."""
    lock = hashlib.sha256((sources / "package-lock.json").read_bytes()).hexdigest()
    installed = sources / "node_modules" / ".dothi-lock"
    if not installed.exists() or installed.read_text() != lock:
        _run([npm, "ci", "--no-audit", "--no-fund"], sources)
        installed.write_text(lock)
    static.mkdir(parents=True, exist_ok=True)
    _run([npm, "run", "build"], sources)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
