"""The console's packages, as its tests use them."""

import shutil
import subprocess
from pathlib import Path

CONSOLE = Path(__file__).parents[2] / "console"


def npm_path() -> str:
    return shutil.which("npm") or "npm"


def installed_packages() -> Path:
    """The folder of the console's packages; installs what the lock file names when it is missing.

    Only for tests that need node.
    """
    folder = CONSOLE / "node_modules"
    if not (folder / "axe-core").is_dir():
        command = [npm_path(), "ci", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=CONSOLE, check=True)
    return folder
