"""What the browser tests share: one Chromium and one hub with its example for each file."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from support.browser import SLOW_MS, WINDOW, Cookies, session_cookies, started_browser
from support.example import copied_example
from support.program import Program
from thorough import IS_THOROUGH


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started_browser() as found:
        yield found


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a hub with the example, which need not begin at nothing.

    One file alone is faster when it does.
    """
    data = tmp_path_factory.mktemp("example") / "data"
    if not IS_THOROUGH:
        return data
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    return copied_example(shared, data)


@pytest.fixture(scope="module")
def hub(example: Path) -> Iterator[Program]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    # A port that stays the same: a test may start the hub again under open pages.
    with Program(example, "--example", "--port", port) as dothi:
        yield dothi


@pytest.fixture(scope="module")
def cookies(hub: Program) -> Cookies:
    """Of who signed in with the printed link."""
    return session_cookies(hub.url, hub.login_url)


@pytest.fixture
def page(browser: Browser, hub: Program, cookies: Cookies) -> Iterator[Page]:
    """A signed-in page; an uncaught error in it fails the test."""
    context = browser.new_context(base_url=hub.url, **WINDOW)
    context.add_cookies(cookies)
    opened = context.new_page()
    opened.set_default_timeout(SLOW_MS)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []
