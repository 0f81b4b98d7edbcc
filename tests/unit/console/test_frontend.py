"""The console's own tests and type check, run by Node."""

import shutil
import subprocess
from pathlib import Path

import pytest

CONSOLE = Path(__file__).parents[3] / "console"


@pytest.mark.needs("node")
@pytest.mark.parametrize("script", ["test", "check"])
def test_the_frontend_is_sound(script: str) -> None:
    npm = shutil.which("npm") or "npm"
    if not (CONSOLE / "node_modules").is_dir():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=CONSOLE, check=True)
    done = subprocess.run(
        [npm, "run", script], cwd=CONSOLE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
