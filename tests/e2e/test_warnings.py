"""Public warnings in a browser: one person writes and submits, another one releases."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from cap_samples import expect_valid
from dothi.facades.cap.reading import read_alert
from support.browser import SLOW_MS, WINDOW
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]
ATOM_LINK = re.compile(r"href=\"[^\"]*(/cap/[^\"]+\.xml)\"")


@contextmanager
def signed_in(
    browser: Browser, hub: Program, administrator: httpx.Client, who: str
) -> Iterator[Page]:
    made = administrator.post(f"/api/v1/people/{who}/link").json()
    context = browser.new_context(base_url=hub.url, **WINDOW)
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(made["path"])
    page.wait_for_selector("main#main")
    yield page
    context.close()
    assert errors == []


def test_a_warning_takes_two_persons(browser: Browser, hub: Program) -> None:
    administrator = hub.signed_in()
    for who, position in (("lan", "duty_officer"), ("minh", "leader")):
        answer = administrator.post(
            "/api/v1/people", json={"id": who, "name": who.title(), "positions": [position]}
        )
        assert answer.status_code in {200, 201}, answer.text
    with signed_in(browser, hub, administrator, "lan") as page:
        page.goto("/warnings")
        page.locator("button.primary").click()
        expect(page).to_have_url(re.compile(r"/warnings/\d+$"))
        page.locator("[name=event]").select_option("tide")
        page.locator("[name=risk_level]").select_option("2")
        expect(page.locator("[name=severity]")).to_have_value("Moderate")
        page.locator("[name=vi-headline]").fill("Triều cường vượt báo động III")
        page.locator("[name=vi-description]").fill("Nước sông Sài Gòn lên cao lúc 17 giờ.")
        page.locator("[name=vi-instruction]").fill("Kê cao đồ đạc.")
        page.locator("[name=area]").fill("thu dau mot")
        page.locator(".found button").first.click()
        draw_a_triangle(page)
        expect(page.locator("[data-fit=true]")).to_be_visible()
        expect(page.get_by_test_id("public")).to_contain_text("Kê cao đồ đạc.")
        expect(page.get_by_test_id("sms")).to_have_text(
            "Trieu cuong vuot bao dong III. Ke cao do dac."
        )
        page.locator(".bar button.primary").click()
        expect(page.locator("[data-refusal=own_text]")).to_be_visible()
        url = page.url
    with signed_in(browser, hub, administrator, "minh") as page:
        page.goto(url)
        page.locator(".bar button.primary").click()
        page.get_by_role("dialog").locator("button.primary").click()
        expect(page.get_by_test_id("record").locator("li")).to_have_count(4)
        expect(page.get_by_test_id("chain")).to_contain_text("Minh")
    feed = httpx.get(f"{hub.url}/cap/feed.atom", params={"status": "Exercise"}).text
    (path,) = ATOM_LINK.findall(feed)
    document = httpx.get(hub.url + path).text
    expect_valid(document)
    area, drawn = read_alert(document.encode()).infos[0].areas
    assert area.geocodes
    assert len(drawn.polygons[0]) == 4
    assert ATOM_LINK.findall(httpx.get(f"{hub.url}/cap/feed.atom").text) == []


def draw_a_triangle(page: Page) -> None:
    """Two corners by mouse, the third by keyboard."""
    page.locator(".side > button").click()
    canvas = page.locator(".map canvas")
    canvas.scroll_into_view_if_needed()
    expect(page.locator(".map")).to_have_attribute("data-rings", "1", timeout=SLOW_MS)
    for x, y in ((80, 80), (220, 90)):
        canvas.click(position={"x": x, "y": y})
    expect(page.locator("fieldset ol li")).to_have_count(2)
    page.locator("fieldset > button").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator("fieldset ol li")).to_have_count(3)
    lat = page.locator("fieldset ol li").nth(2).locator("input").first
    lat.fill("10,9")
    lat.press("Tab")
    expect(page.locator(".map")).to_have_attribute("data-rings", "2")
