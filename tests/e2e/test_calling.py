"""An alarm proposes its procedure on its own page and on the desk; a warning about the incident
enters the timeline."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from incident_ports import SMALL
from support.browser import signed_page
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]

RULE: dict[str, Any] = {
    "id": "level-high",
    "name": {"vi": "Mực nước cao", "en": "High water"},
    "scope": {"types": ["Gauge"]},
    "condition": {"kind": "threshold", "attribute": "level", "comparison": ">=", "limit": 1.5},
    "priority": 2,
    "consequence": {"vi": "Ngập", "en": "Flooding"},
    "response": {"vi": "Kiểm tra", "en": "Check"},
    "time_to_respond_s": 600,
}
LEVEL = {"id": "urn:ngsi-ld:Gauge:1", "type": "Gauge", "level": {"type": "Property", "value": 1.8}}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Program]:
    folder = tmp_path / "procedures"
    folder.mkdir()
    (folder / "small.toml").write_text(SMALL.replace("automatic = true", ""), encoding="utf-8")
    environ = {"DOTHI_INCIDENTS__PROCEDURES_FOLDER": str(folder)}
    with Program(tmp_path / "data", environ=environ) as dothi:
        yield dothi


@pytest.fixture
def admin(hub: Program) -> Iterator[httpx.Client]:
    with closing(hub.signed_in()) as client:
        assert client.post("/api/v1/rules", json=RULE).status_code == 201
        assert client.post("/api/v1/rules/level-high/versions/1/approve").status_code == 200
        time.sleep(1.5)  # rules in force are looked at once a second
        assert client.post("/ngsi-ld/v1/entities", json=LEVEL).status_code == 201
        yield client


@pytest.fixture
def page(hub: Program, admin: httpx.Client, browser: Browser) -> Iterator[Page]:
    body = {"id": "an", "name": "An", "positions": ["duty_officer"]}
    assert admin.post("/api/v1/people", json=body).status_code == 201
    link = admin.post("/api/v1/people/an/link").json()["path"]
    with signed_page(browser, hub.url, link) as page:
        yield page


def test_from_a_proposal_to_the_incident_and_its_warning(page: Page, admin: httpx.Client) -> None:
    page.goto("/incidents")
    proposals = page.get_by_test_id("proposals")
    expect(proposals).to_contain_text("Nhỏ")
    proposals.locator("a[href='/alarm/1']").click()
    expect(proposals).to_contain_text("Nhỏ")
    proposals.get_by_role("link", name="Mở sự cố với quy trình này").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Bắt đầu quy trình")).to_have_value("small")
    dialog.get_by_role("button", name="Mở sự cố").click()
    expect(page.locator("[data-step=look]")).to_be_visible()
    page.goto("/alarm/1")
    expect(page.get_by_test_id("alarm-trend")).to_be_visible()
    expect(proposals).to_have_count(0)

    begun = admin.post("/api/v1/warnings", json={"subject": "incident:1"}).json()
    seen = {"version": begun["messages"][0]["version"], "reason": "Chưa cần"}
    one = f"/api/v1/warnings/{begun['row']['id']}/discard"
    assert admin.post(one, json=seen).status_code == 200
    page.goto("/incident/1")
    timeline = page.get_by_test_id("incident-timeline")
    expect(timeline).to_contain_text("Bắt đầu soạn cảnh báo công cộng")
    expect(timeline).to_contain_text("Bỏ cảnh báo công cộng đang soạn")
    expect(timeline).to_contain_text("Chưa cần")
