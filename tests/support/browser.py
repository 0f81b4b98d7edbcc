"""The console in a browser, as its tests use it: starting Chromium, reaching each screen."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest.mock import patch

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from conftest import find_tool
from support.pictures import ARE_WANTED
from support.program import signed_client

BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # Only the map needs WebGL; painting the page and putting it together through it too costs a
    # third more, and four times as much at 4K.
    "--disable-gpu-rasterization",
    "--disable-gpu-compositing",
]
SLOW_MS = 30_000
"""Software rendering on a busy machine takes its time."""
expect.set_options(timeout=SLOW_MS)

WINDOW: Any = {"viewport": {"width": 1366, "height": 768}, "reduced_motion": "reduce"}
"""Every frame of a movement costs software rendering as much as a whole map."""

_RATIO = """Object.defineProperty(window, 'devicePixelRatio', {
    configurable: true, get: () => %s,
});"""
_COARSE, FINE = _RATIO % 0.25, _RATIO % 1
"""For `add_init_script`: maps and charts are drawn with a sixteenth of the points, at the same
place and size. FINE is for who looks at the points."""

Cookies = list[Any]
"""As a browser context takes them."""

_GO = """url => {
    const a = document.createElement('a');
    a.href = url;
    document.body.append(a);
    a.click();
    a.remove();
}"""


@contextmanager
def started_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=find_tool("chromium"), args=BROWSER_FLAGS
        )
        make = found.new_context if ARE_WANTED else _coarse(found.new_context)
        with patch.object(found, "new_context", make):
            yield found
        found.close()


def _coarse(make: Callable[..., BrowserContext]) -> Callable[..., BrowserContext]:
    """Contexts whose maps cost less: at 4K a frame takes a quarter of the time."""

    def made(**options: Any) -> BrowserContext:
        context = make(**options)
        context.add_init_script(_COARSE)
        return context

    return made


def session_cookies(url: str, link: str) -> Cookies:
    """Of who signs in with a link; its page would draw the map, whatever screen is wanted next."""
    with closing(signed_client(url, link)) as client:
        return [{"name": key, "value": value, "url": url} for key, value in client.cookies.items()]


def sign_in(context: BrowserContext, url: str, link: str) -> None:
    """The same for a context."""
    context.add_cookies(session_cookies(url, link))


@contextmanager
def signed_page(browser: Browser, url: str, link: str, **window: Any) -> Iterator[Page]:
    """A page in a browser of its own, signed in and still empty; an uncaught error in it fails
    the test."""
    context = browser.new_context(base_url=url, **(window or WINDOW))
    sign_in(context, url, link)
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def go_to(page: Page, url: str) -> None:
    """Go to another screen as a link does, without loading the page anew."""
    page.evaluate(_GO, url)


def with_motion(page: Page) -> Page:
    """The page as people see it who have not asked for less movement."""
    page.emulate_media(reduced_motion="no-preference")
    return page


def open_map(page: Page, query: str = "") -> None:
    """Open the map and wait until the things of the example stand on it."""
    page.goto(f"/map{query}")
    expect_things_on_map(page)


def expect_things_on_map(page: Page) -> None:
    some = re.compile(r"^([4-9]\d|\d{3,})$")
    expect(page.locator(".map")).to_have_attribute("data-entities", some, timeout=SLOW_MS)


def first_station(page: Page) -> str:
    """The id of an entity of the example."""
    found: str = page.evaluate(
        "fetch('/api/v1/entities?limit=1').then(r => r.json()).then(a => a.items[0].id)"
    )
    return found
