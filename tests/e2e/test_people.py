"""Two people hand a position over, each with an own session; a phone works without network."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import SLOW_MS, WINDOW, sign_in
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ALARM = {
    "id": 7, "entity": "urn:x:7", "place": "Trạm Phú An (test)", "state": "active_unacknowledged",
    "priority": 1, "title": "Mực nước cao", "title_en": "", "text": "1,62 m > 1,60 m",
    "position": "operator", "raised_at": "2026-11-27T03:00:00Z", "activations": 1, "owner": "",
    "suppressed": [],
}  # fmt: skip


class Centre:
    """A hub without the example, with An and Bình as operators."""

    def __init__(self, dothi: Program, admin: httpx.Client, browser: Browser) -> None:
        self.dothi, self.admin, self.browser = dothi, admin, browser
        self.errors: list[str] = []
        for one in ("an", "binh"):
            body = {"id": one, "name": f"{one} (test)", "positions": ["operator"]}
            assert admin.post("/api/v1/people", json=body).status_code == 201

    def page_of(self, person: str, **window: object) -> Page:
        """A browser of her or his own, signed in by a link."""
        link = self.admin.post(f"/api/v1/people/{person}/link").json()["path"]
        context = self.browser.new_context(base_url=self.dothi.url, **{**WINDOW, **window})
        sign_in(context, self.dothi.url, link)
        page = context.new_page()
        page.set_default_timeout(SLOW_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page


@pytest.fixture
def centre(tmp_path: Path, browser: Browser) -> Iterator[Centre]:
    with Program(tmp_path / "data") as dothi, closing(dothi.signed_in()) as admin:
        found = Centre(dothi, admin, browser)
        yield found
        for context in browser.contexts:
            context.close()
        assert found.errors == []


def test_two_people_sign_a_handover(centre: Centre) -> None:
    an = centre.page_of("an")
    an.goto("/shift")
    an.locator("[data-position=operator] button").click()
    expect(an.locator("[data-duty=an]")).to_be_visible()
    an.locator("[data-position=operator] button").first.click()
    an.locator("#notes").fill("Trạm bơm 2 đang bảo trì")
    expect(an.get_by_test_id("outgoing").locator("button")).to_be_disabled()
    an.locator("section button").filter(has_text="Lưu ghi chú").click()
    an.get_by_test_id("outgoing").locator("button").click()
    expect(an.get_by_test_id("outgoing").locator("button")).to_be_hidden()

    binh = centre.page_of("binh")
    binh.goto("/shift")
    binh.locator("[data-position=operator] button").first.click()
    expect(binh.locator(".notes")).to_have_text("Trạm bơm 2 đang bảo trì")
    binh.get_by_test_id("incoming").locator("button").click()
    expect(binh.get_by_test_id("incoming")).to_contain_text("binh (test)")
    done = an.locator("[role=status] strong")
    expect(done).to_contain_text("binh (test)")  # seen at the other desk without loading anew
    binh.goto("/shift")
    expect(binh.locator("[data-duty=binh]")).to_be_visible()
    record = centre.admin.get("/api/v1/audit/verify").json()
    assert record["broken_at"] is None


@pytest.mark.thorough
def test_a_phone_keeps_what_is_done_without_network(centre: Centre) -> None:
    page = centre.page_of("an", **PHONE)
    assert centre.admin.get("/api/v1/duty").status_code == 200
    page.request.post("/api/v1/shifts/take", data={"position": "operator"})
    page.route(
        "**/api/v1/alarms?*", lambda route: route.fulfill(status=200, json={"items": [ALARM]})
    )
    page.goto("/duty")
    button = page.locator("[data-alarm='7'] button")
    expect(button).to_be_visible(timeout=SLOW_MS)
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 48
    assert box["width"] >= 300
    page.wait_for_function(
        "caches.match('/duty').then(found => found && caches.open('dothi-duty-1'))"
        ".then(cache => cache && cache.keys()).then(keys => keys && keys.length > 6)"
    )
    page.context.set_offline(True)
    button.click()
    expect(page.locator("[data-alarm='7'] p.waits")).to_be_visible()
    page.unroute("**/api/v1/alarms?*")
    page.reload()  # without network: the service worker has the shell, the page its last list
    expect(page.locator("[data-alarm='7'] p.waits")).to_be_visible(timeout=SLOW_MS)
    page.locator("nav button").nth(2).click()
    expect(page.locator("article[data-state=waiting]")).to_have_count(1)
    page.context.set_offline(False)
    refused = page.locator("article[data-state=refused]")
    refusal = "không còn cảnh báo này"
    expect(refused).to_contain_text(refusal, timeout=SLOW_MS)  # there is no alarm 7 at this hub
    refused.locator("button").click()
    expect(refused).to_have_count(0)
