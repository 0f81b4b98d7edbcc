"""The default run leaves thorough tests out and says so; under DOTHI_TEST_REQUIRE=all none is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = "tests/unit/console/test_frontend.py"
"""Two thorough tests."""


@pytest.mark.parametrize(
    ("require", "named", "expected"),
    [
        ("", FILE, "2 thorough tests left out"),
        ("all", FILE, "2 tests collected"),
        ("", f"{FILE}::test_the_frontend_is_sound", "2 tests collected"),
    ],
)
def test_what_is_left_out_is_said(require: str, named: str, expected: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", named],
        cwd=ROOT,
        env={**os.environ, "DOTHI_TEST_REQUIRE": require},
        capture_output=True,
        text=True,
    ).stdout
    assert expected in told
