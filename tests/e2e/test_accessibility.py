"""WCAG 2.2 AA: an audit of every screen by axe, then what axe cannot see: sizes, reflow, keys."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from support.browser import SLOW_MS, WINDOW, go_to, open_map, session_cookies
from support.node import installed_packages
from support.program import Program
from support.screens import all_screens, main_screens

pytestmark = [pytest.mark.needs("chromium", "node"), pytest.mark.thorough]

AUDIT = """([within, tags]) => axe.run(within, {
    runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'],
}).then(found => found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html}: ${node.failureSummary}`)
))"""
"""Every rule of these levels, none left out. The map's canvas is one picture to axe; what it
shows stands in the list beside it."""
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CONTRAST = """within => axe.run(within, {
    runOnly: ['color-contrast'], resultTypes: ['violations'],
}).then(found => found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html}: ${node.failureSummary}`)
))"""
DRESS = """dress => {
    for (const [name, value] of Object.entries(dress))
        document.documentElement.dataset[name] = value;
}"""
"""Puts on a theme as the settings do, without opening them on every screen."""
LIGHT = {"theme": "light", "contrast": "normal"}
DARK = {"theme": "dark", "contrast": "normal"}
"""High contrast is looked at in the dark and in English, and its colours in contrast.test.ts."""

IN_VIEW_ROW = "[aria-label='Trong khung nhìn'] [data-row] button"
CUT = """() => [...document.querySelectorAll('html, body, body *')].filter(e => {
    const style = getComputedStyle(e);
    if (e !== document.documentElement && style.overflowX === 'visible') return false;
    if (e.scrollWidth <= e.clientWidth + 1) return false;
    // A table may scroll by itself; a name cut short says so and can be read whole by its title.
    return !e.matches('.scroll, [role=grid], .sr, .maplibregl-map, .maplibregl-map *') &&
        style.textOverflow !== 'ellipsis';
}).map(e => `${e.tagName}.${e.className} ${e.scrollWidth} > ${e.clientWidth}`)"""
"""What is wider than its place and is cut off, or makes the page scroll to the side."""
SMALLEST_TEXT = """() => {
    const sizes = {};
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode.textContent.trim();
        const box = texts.currentNode.parentElement;
        if (!text || !box.checkVisibility() || box.closest('.sr, script')) continue;
        const scale = box instanceof SVGGraphicsElement ? box.getScreenCTM().a : 1;
        sizes[text] = parseFloat(getComputedStyle(box).fontSize) * scale;
    }
    return Object.entries(sizes).sort((a, b) => a[1] - b[1])[0];
}"""
FOCUS = """() => {
    const e = document.activeElement;
    const box = e.getBoundingClientRect();
    const style = getComputedStyle(e);
    const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const isSeen = at && (e.contains(at) || at.contains(e) || at.closest('label')?.contains(e));
    return {
        what: e === document.body ? '' : e.outerHTML.slice(0, 160),
        isFramed: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        isSeen: Boolean(isSeen),
    };
}"""

SUBSCRIBE = """() => fetch('/ngsi-ld/v1/subscriptions', {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({
        type: 'Subscription',
        subscriptionName: 'Phòng thủ dân sự',
        entities: [{type: 'WaterObserved', idPattern: '.*'}],
        notification: {endpoint: {uri: 'https://example.org/notify'}},
    }),
})"""


@contextmanager
def opened(
    browser: Browser, hub: Program, cookies: Any, settings: Any = None, **context: Any
) -> Iterator[Page]:
    """A page of its own; `settings` as the browser keeps them, `context` as Playwright takes it."""
    made = browser.new_context(base_url=hub.url, **WINDOW | context)
    made.add_cookies(cookies)
    stored = json.dumps(json.dumps(settings or {}))
    made.add_init_script(f"localStorage.setItem('dothi.settings', {stored})")
    page = made.new_page()
    page.set_default_timeout(SLOW_MS)
    try:
        yield page
    finally:
        made.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The auditing script."""
    return (installed_packages() / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def empty_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("empty") / "data") as dothi:
        yield dothi


def audit(page: Page, axe: str, screen: str = "", *, in_dark: bool) -> list[str]:
    """What axe finds on the screen as it is and, if asked for, in the dark theme too."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    # An open list covers half of a box below it, until it closes: that is no small target.
    within = ".search" if screen == "search" else "html"
    found: list[str] = page.evaluate(AUDIT, [within, LEVELS])
    if in_dark:
        page.evaluate(DRESS, DARK)
        found += [f"in the dark: {one}" for one in page.evaluate(CONTRAST, within)]
        page.evaluate(DRESS, LIGHT)
    return found


def test_axe_finds_nothing_in_vietnamese(
    browser: Browser, hub: Program, cookies: Any, axe: str
) -> None:
    with opened(browser, hub, cookies, {"lang": "vi", "theme": "light"}) as page:
        for screen in all_screens(page):
            assert audit(page, axe, screen, in_dark=True) == [], screen


def test_axe_finds_nothing_in_english_in_the_dark_in_high_contrast(
    browser: Browser, hub: Program, cookies: Any, axe: str
) -> None:
    settings = {"lang": "en", "theme": "dark", "isHighContrast": True}
    with opened(browser, hub, cookies, settings) as page:
        for screen in main_screens(page):
            assert audit(page, axe, screen, in_dark=False) == [], screen


def test_axe_finds_nothing_where_there_is_nothing(
    browser: Browser, empty_hub: Program, axe: str
) -> None:
    cookies = session_cookies(empty_hub.url, empty_hub.login_url)
    with opened(browser, empty_hub, cookies) as page:
        page.goto("/sources")
        expect(page.locator("#main .notice button")).to_be_visible()
        assert audit(page, axe, in_dark=True) == [], "no sources"
        go_to(page, "/subscriptions")
        expect(page.locator("#main .notice")).to_be_visible()
        assert audit(page, axe, in_dark=True) == [], "no subscriptions"
        page.evaluate(SUBSCRIBE)
        row = page.locator("tbody tr")
        expect(row).to_be_visible()
        assert audit(page, axe, in_dark=True) == [], "subscriptions"
        row.get_by_role("button").first.click()
        expect(row.get_by_role("button").first).to_have_text(re.compile("Gửi tiếp"))
        row.get_by_role("button").last.click()
        assert audit(page, axe, in_dark=True) == [], "subscription, to be deleted"
        page.locator("dialog button.primary").click()
        expect(page.locator("#main .notice")).to_be_visible()
        go_to(page, "/trends")
        expect(page.locator("[data-search]")).to_be_visible()
        assert audit(page, axe, in_dark=True) == [], "no trends"
        go_to(page, "/entities")
        expect(page.locator(".list pre")).to_be_visible()
        assert audit(page, axe, in_dark=True) == [], "no entities to browse"
        go_to(page, "/map")
        expect(page.locator(".notes a")).to_be_visible()
        assert audit(page, axe, in_dark=True) == [], "no entities"
    with opened(browser, empty_hub, []) as page:
        page.goto("/map")
        expect(page.locator("main pre")).to_be_visible()
        page.locator(".menu > button").click()
        assert audit(page, axe, in_dark=True) == [], "signed out"


def test_axe_finds_nothing_when_the_hub_is_lost(
    browser: Browser, hub: Program, cookies: Any, axe: str
) -> None:
    lines: list[WebSocketRoute] = []
    is_cut = False

    def relay(line: WebSocketRoute) -> None:
        if is_cut:
            line.close()
        else:
            lines.append(line)
            line.connect_to_server()

    with opened(browser, hub, cookies) as page:
        page.route_web_socket(re.compile("/api/v1/live"), relay)
        # What refused sockets fall back to is cut off too.
        page.route("**/api/v1/live/sse*", lambda route: route.abort())
        open_map(page)
        is_cut = True
        lines[-1].close()
        for url in ("/map", "/entities", "/sources"):
            go_to(page, url)
            expect(page.locator("html")).to_have_attribute("data-link", "lost", timeout=SLOW_MS)
            expect(page.locator(".live").first).to_be_visible()
            assert audit(page, axe, in_dark=True) == [], url


@pytest.mark.parametrize(
    ("width", "height", "scale", "body_px", "smallest_px"),
    [
        # Capitals of 16 minutes of arc, on 32 inches seen from 70 cm, need 25 px (ISO 9241-303).
        pytest.param(3840, 2160, 1, 26, 19, id="4K"),
        pytest.param(1366, 768, 2, 28, 19, id="1366 px with A+++"),
        pytest.param(320, 640, 1, 14, 10, id="1280 px at 400 %"),
    ],
)
def test_nothing_is_cut_off_or_too_small(
    browser: Browser,
    hub: Program,
    cookies: Any,
    width: int,
    height: int,
    scale: float,
    body_px: float,
    smallest_px: float,
) -> None:
    size = {"width": width, "height": height}
    with opened(browser, hub, cookies, {"scale": scale}, viewport=size) as page:
        for screen in main_screens(page):
            assert page.evaluate(CUT) == [], screen
            assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= body_px
            text, smallest = page.evaluate(SMALLEST_TEXT)
            assert smallest >= smallest_px, f"{screen}: {text}"


def test_a_chart_shrinks_with_its_window(browser: Browser, hub: Program, cookies: Any) -> None:
    with opened(browser, hub, cookies) as page:
        page.set_viewport_size({"width": 3840, "height": 2160})
        go_to_alarm(page)
        page.set_viewport_size({"width": 1366, "height": 768})
        expect(page.locator(".panel canvas").first).to_be_visible()
        page.wait_for_function(f"() => ({CUT})().length === 0", timeout=SLOW_MS)


def go_to_alarm(page: Page) -> None:
    """The page of the first alarm of the example, with its chart."""
    page.goto("/alarms")
    page.locator("[data-alarm-row] a").first.click()
    expect(page.locator(".panel canvas").first).to_be_visible(timeout=SLOW_MS)


def test_the_focus_is_seen_wherever_tab_leads(page: Page) -> None:
    page.goto("/sources?sel=wq-tan-hiep")
    expect(page.get_by_test_id("source-detail").locator("svg rect.stored").first).to_be_attached()
    assert len(walk_by_tab(page, 40)) > 20
    open_map(page)
    page.locator(IN_VIEW_ROW).first.click()
    expect(page.get_by_test_id("selection")).to_be_visible()
    page.locator("body").evaluate("() => document.activeElement.blur()")
    assert len(walk_by_tab(page, 40)) > 20
    page.get_by_role("button", name="Tùy chỉnh").click()
    walk_by_tab(page, 12)
    expect(page.locator("#settings")).to_be_hidden()


def walk_by_tab(page: Page, steps: int) -> set[str]:
    """Press Tab so often; what had the focus, each once."""
    stops = set()
    for _ in range(steps):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["what"]:
            assert focus["isFramed"] and focus["isSeen"], focus["what"]
            stops.add(focus["what"])
    return stops


def test_a_long_list_is_one_stop_and_walked_by_arrows(page: Page) -> None:
    open_map(page)
    rows = page.locator(IN_VIEW_ROW)
    expect(page.locator(f"{IN_VIEW_ROW}[tabindex='0']")).to_have_count(1)
    rows.first.focus()
    names = [rows.nth(at).inner_text() for at in range(3)]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_contain_text(names[2].splitlines()[0])
    page.keyboard.press("End")
    last = int(page.locator(".all [data-row]").last.get_attribute("data-row") or 0)
    assert last > 40
    expect(page.locator(f"[data-row='{last}'] :focus")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("selection")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("selection")).to_be_hidden()


def test_the_map_moves_without_dragging(browser: Browser, hub: Program, cookies: Any) -> None:
    with opened(browser, hub, cookies) as page:
        open_map(page, "?c=10.9900,106.6500,11.00")
        camera = page.url
        for name in ("bắc", "tây", "đông", "nam"):
            # Who wants no motion sees the map at its new place at once.
            button = page.get_by_role("button", name=re.compile(f"phía {name}"))
            moved = button.evaluate("button => { button.click(); return location.href; }")
            assert moved != camera, name
            camera = moved
        page.locator(".maplibregl-canvas").focus()
        page.keyboard.press("ArrowRight")
        expect(page).not_to_have_url(camera)
