"""What every test may use: the markers `needs(tool)` for real counterparts, and `thorough`."""

import atexit
import gc
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from thorough import IS_THOROUGH, REQUIRED, examples

# The programs that tests start would each compile SQLAlchemy and the rest anew (3 s each).
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# On a loaded machine one example may be slow; that is no error of what is tested.
settings.register_profile("dothi", deadline=None, max_examples=examples(100))
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


_MOST_WORKERS = 8  # each of them takes 400 MB and may start a browser
_left_out = pytest.StashKey[int]()
_TESTS = Path(__file__).parent
_SLOW = {"e2e", "faults", "docs", "console", "test_house_rules.py"}
"""Folders and files that start programs: nothing else must wait for one of them at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long goes first; thorough tests are left out, unless a test is named (`::`)."""
    items.sort(key=lambda item: not _SLOW & set(item.path.relative_to(_TESTS).parts))
    named = [argument for argument in config.args if "::" in argument]
    if IS_THOROUGH or named or config.option.markexpr:
        return
    thorough = [item for item in items if item.get_closest_marker("thorough")]
    if thorough:
        items[:] = [item for item in items if item not in thorough]
        config.hook.pytest_deselected(items=thorough)
    config.stash[_left_out] = len(thorough)


def pytest_collection_finish() -> None:
    """What was imported stays: looking through it for garbage took a sixth of a test's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist tells its controller, who collects nothing itself."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(_left_out, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Tests wait a quarter of their time, for the clock or for a program that starts."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, _MOST_WORKERS) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if count := config.stash.get(_left_out, 0):
        terminalreporter.write_line(
            f"{count} thorough tests left out; everything: DOTHI_TEST_REQUIRE=all uv run pytest"
        )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip (or, under DOTHI_TEST_REQUIRE, fail) a test whose real counterpart is not installed.

    DOTHI_TEST_REQUIRE holds tool names separated by commas, or `all`.
    """
    for mark in item.iter_markers("needs"):
        for tool in mark.args:
            if tool not in _PROGRAMS:
                pytest.fail(f"needs({tool!r}): known tools are {sorted(_PROGRAMS)}", pytrace=False)
            if find_tool(tool) is not None:
                continue
            reason = f"{tool} is not installed: {_INSTALL_LINES[tool]}"
            if IS_THOROUGH or tool in REQUIRED:
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
