"""The console's own tests and type check, run by Node."""

import subprocess

import pytest

from support.node import CONSOLE, installed_packages, npm_path


@pytest.mark.needs("node")
@pytest.mark.thorough
@pytest.mark.parametrize("script", ["test", "check"])
def test_the_frontend_is_sound(script: str) -> None:
    installed_packages()
    done = subprocess.run(
        [npm_path(), "run", script], cwd=CONSOLE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
