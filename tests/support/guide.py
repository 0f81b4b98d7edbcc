"""The shell commands of a page of the guide, run as they stand."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from support.program import Program, run_here

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
needs_curl = pytest.mark.skipif(
    shutil.which("curl") is None, reason="curl is not installed: apt-get install curl"
)


def blocks(page: str, language: str) -> list[str]:
    """The shell blocks of a page such as `ngsi-ld/query.md`."""
    return re.findall(r"```sh\n(.*?)```", (GUIDE / language / page).read_text(), re.DOTALL)


def as_app(dothi: Program, source: str = "app") -> str:
    """Adds an NGSI-LD source; gives the line that names the API and the token of the source."""
    added = run_here(
        *("source", "add", source, "--name", source, "--kind", "ngsi_ld"),
        *("--data-dir", str(dothi.data_dir)),
    )
    assert added.returncode == 0, added.stderr
    token = re.findall(r"\S{30,}", added.stdout)[-1]
    return f"export DOTHI={dothi.url}/ngsi-ld/v1 TOKEN={token}\n"


def answers(environment: str, commands: Iterable[str], cwd: Path | None = None) -> list[str]:
    """What each block prints; `environment` stands before each of them."""
    return [
        subprocess.run(
            ["bash", "-c", environment + block],
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
            cwd=cwd,
        ).stdout
        for block in commands
    ]
