"""What every test may use: the `needs(tool)` marker for real counterparts."""

import atexit
import os
import shutil
import sys

import pytest
from hypothesis import settings

# On a loaded machine one example may be slow; that is no error of what is tested.
settings.register_profile("dothi", deadline=None)
settings.load_profile("dothi")

_INSTALL_LINES = {
    "chromium": "apt-get install chromium",
    "mosquitto": "apt-get install mosquitto mosquitto-clients",
    "node": "install Node 20.19 or newer (https://nodejs.org/en/download)",
}
_PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "mosquitto": ("mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"),
    "node": ("node",),
}


def find_tool(tool: str) -> str | None:
    """Path of the real counterpart, or None when it is not installed."""
    return next((path for name in _PROGRAMS[tool] if (path := shutil.which(name))), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip (or, under DOTHI_TEST_REQUIRE, fail) a test whose real counterpart is not installed.

    DOTHI_TEST_REQUIRE holds tool names separated by commas, or `all`.
    """
    required = os.environ.get("DOTHI_TEST_REQUIRE", "").split(",")
    for mark in item.iter_markers("needs"):
        for tool in mark.args:
            if tool not in _PROGRAMS:
                pytest.fail(f"needs({tool!r}): known tools are {sorted(_PROGRAMS)}", pytrace=False)
            if find_tool(tool) is not None:
                continue
            reason = f"{tool} is not installed: {_INSTALL_LINES[tool]}"
            if "all" in required or tool in required:
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


@pytest.fixture
def chromium_path() -> str:
    """The browser of the machine; use with `@pytest.mark.needs("chromium")`."""
    return find_tool("chromium") or ""


@pytest.fixture
def mosquitto_path() -> str:
    """The broker of the machine; use with `@pytest.mark.needs("mosquitto")`."""
    return find_tool("mosquitto") or ""


@atexit.register
def _end_quietly() -> None:
    """Let pytest's own line be the last.

    DuckDB's bindings write about objects that hypothesis still holds when the interpreter ends;
    by then everything has been reported.
    """
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
