"""Makes the pictures of screens that no other test shows: `DOTHI_WRITE_DOCS=1`."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from cap_samples import DATA
from dothi.app.data_folder import DataFolder
from dothi.app.stores import open_registers
from dothi.ports.clock import SystemClock
from e2e.test_warnings import foreign_of
from support.browser import SLOW_MS, WINDOW
from support.pictures import ARE_WANTED, picture
from support.program import Program

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.thorough,
    pytest.mark.skipif(not ARE_WANTED, reason="pictures are made with DOTHI_WRITE_DOCS=1"),
]

PHONE: Any = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SUPPRESSIONS = (
    {"cause": "permit", "permit": "GP-12", "rule": "no-data-air", "reason": "Đổi máy đo"},
    {"cause": "maintenance", "rule": "pm25-stuck", "reason": "Hiệu chuẩn", "for_h": 3},
)
LIMIT = {"level": "II", "valid_from": "2026-12-01", "value": 1.55, "source": "Văn bản mẫu"}


@contextmanager
def page_of(browser: Browser, dothi: Program, login: str, **options: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=dothi.url, **(options or WINDOW))
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto(login)
    yield page
    context.close()


@pytest.fixture(scope="module")
def province(example: Path) -> Iterator[tuple[Program, httpx.Client]]:
    """The example with people, an incident, suppressions, a new limit, a foreign message."""
    environ = {"DOTHI_WARNINGS__SENDER": "pctt@example.gov.vn"}
    with (
        Program(example, "--example", environ=environ) as dothi,
        closing(dothi.signed_in()) as admin,
    ):
        fill(admin)
        with open_registers(DataFolder(example), SystemClock()) as registers:
            found = foreign_of(DATA / "canada.cap")
            found = replace(found, headline="Severe thunderstorm (sample message of CAP 1.2)")
            registers.foreign_warnings.put([found])
        yield dothi, admin


def fill(admin: httpx.Client) -> None:
    people = (
        {"id": "lan", "name": "Lan (mẫu)", "positions": ["operator", "duty_officer", "it"]},
        {"id": "minh", "name": "Minh (mẫu)", "positions": ["approver"]},
    )
    for person in people:
        assert admin.post("/api/v1/people", json=person).status_code == 201
    opening = {"title": "Ngập đường ven sông", "severity": 2, "procedure": "flood-evening"}
    assert admin.post("/api/v1/incidents", json=opening).status_code == 201
    for body in SUPPRESSIONS:
        wanted = {key: value for key, value in body.items() if key != "for_h"}
        if "for_h" in body:
            wanted["until_at"] = (SystemClock().now() + timedelta(hours=3)).isoformat()
        made = admin.post("/api/v1/alarms/suppressions", json=wanted)
        assert made.status_code == 201, made.text
    place = {**LIMIT, "entity": "urn:ngsi-ld:WaterObserved:wl-phu-an"}
    added = admin.post("/api/v1/rules/limits/alarm-levels/values", json=place)
    assert added.status_code == 201, added.text


def test_pictures_of_the_desk(province: tuple[Program, httpx.Client], browser: Browser) -> None:
    dothi, admin = province
    link = admin.post("/api/v1/people/minh/link").json()["path"]
    with page_of(browser, dothi, link) as page:
        page.goto("/rules?view=limits&every=1&q=phú an")
        expect(page.locator("[data-limits] tbody tr").first).to_be_visible()
        picture(page, "limits")
    with page_of(browser, dothi, admin.post("/api/v1/people/lan/link").json()["path"]) as page:
        page.goto("/suppressions")
        expect(page.locator("[data-suppression]").nth(1)).to_be_visible()
        picture(page, "suppressions")
        page.goto("/procedures/flood-evening?view=edit")
        expect(page.get_by_test_id("sop-clocks")).to_be_visible()
        page.locator("details").first.scroll_into_view_if_needed()
        picture(page, "procedure")
        page.goto("/audit")
        page.locator("[data-entry]").nth(4).click()
        expect(page.get_by_test_id("audit-detail")).to_be_visible()
        picture(page, "audit")
        page.goto("/warnings?tab=foreign")
        page.locator("tbody button").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        # The settings lie behind the dialog, which the URL holds.
        picture(page, "foreign", by_loading=True)


def test_picture_of_a_step_on_the_phone(
    province: tuple[Program, httpx.Client], browser: Browser, tmp_path: Path
) -> None:
    dothi, admin = province
    link = admin.post("/api/v1/people/lan/link").json()["path"]
    with page_of(browser, dothi, link, **PHONE) as page:
        page.request.post("/api/v1/shifts/take", data={"position": "operator"})
        page.goto("/duty?tab=tasks")
        page.locator("button[data-step=confirm]").click()
        page.locator("article form input[type=radio]").first.check()
        page.locator("article form input[type=number]").fill("0.35")
        expect(page.get_by_test_id("step-draft")).to_be_visible()
        picture(page, "phone-step")
