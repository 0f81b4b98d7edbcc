"""The steps of a running procedure on a phone: photo, form, branch, and a time without network."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import signed_page
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 100
PROCEDURE = """
id = "gate"
version = 1
title = { vi = "Kiểm tra cống", en = "Check the sluice" }
purpose = { vi = "Thử", en = "Test" }
first = "look"

[[step]]
id = "look"
title = { vi = "Đo tại chỗ", en = "Measure on site" }
text = { vi = "Chụp thước đo và ghi mức nước.", en = "Photograph the gauge and write the level." }
role = "operator"
limit = "30 min"
limit_source = "Kế hoạch mẫu"
[[step.field]]
id = "photo"
kind = "file"
label = { vi = "Ảnh thước đo", en = "Photo of the gauge" }
required = true
[[step.field]]
id = "level"
kind = "number"
unit = "MTR"
label = { vi = "Mực nước", en = "Level" }
required = true
[[step.field]]
id = "road"
kind = "choice"
label = { vi = "Mặt đường", en = "The road" }
[[step.field.choices]]
id = "dry"
label = { vi = "Khô", en = "Dry" }
[[step.field.choices]]
id = "wet"
label = { vi = "Ngập", en = "Flooded" }
[[step.pause]]
id = "storm"
label = { vi = "Giông sét", en = "Thunderstorm" }
[[step.next]]
field = "level"
at_least = 1.5
to = ["close"]
[[step.next]]
to = ["report"]

[[step]]
id = "close"
title = { vi = "Đóng cống", en = "Close the sluice" }
text = { vi = "Đóng cả hai cửa.", en = "Close both gates." }
role = "operator"

[[step]]
id = "report"
title = { vi = "Báo cáo", en = "Report" }
text = { vi = "Báo trực ban.", en = "Tell the duty officer." }
role = "duty_officer"
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Program]:
    with Program(tmp_path / "data") as dothi:
        yield dothi


@pytest.fixture
def admin(hub: Program) -> Iterator[httpx.Client]:
    with closing(hub.signed_in()) as client:
        body = {"id": "an", "name": "An (test)", "positions": ["operator"]}
        assert client.post("/api/v1/people", json=body).status_code == 201
        made = client.post("/api/v1/procedures", json={"text": PROCEDURE})
        assert made.status_code == 201, made.text
        approved = client.post("/api/v1/procedures/gate/1/approve")
        assert approved.status_code == 200, approved.text
        opening = {"title": "Nước lên tại cống số 2", "severity": 2, "procedure": "gate"}
        assert client.post("/api/v1/incidents", json=opening).status_code == 201
        yield client


@pytest.fixture
def phone(hub: Program, admin: httpx.Client, browser: Browser) -> Iterator[Page]:
    """An's phone, on duty as operator."""
    link = admin.post("/api/v1/people/an/link").json()["path"]
    with signed_page(browser, hub.url, link, **PHONE) as page:
        page.request.post("/api/v1/shifts/take", data={"position": "operator"})
        page.goto("/duty?tab=tasks")
        yield page


def test_a_step_is_done_on_the_phone(phone: Page, admin: httpx.Client, tmp_path: Path) -> None:
    step = phone.locator("button[data-step=look]")
    expect(step).to_contain_text("Còn 29 phút")
    step.click()
    phone.go_back()  # the phone's own button
    step.click()
    expect(phone.get_by_role("timer")).to_contain_text("Kế hoạch mẫu")
    (tmp_path / "anh.png").write_bytes(PNG)
    phone.set_input_files("input[type=file]", tmp_path / "anh.png")
    expect(phone.locator(".picker")).to_contain_text("anh.png")
    phone.get_by_label("Mực nước").fill("1.62")
    phone.get_by_role("radio", name="Ngập").check()
    # Another page, and the browser anew: nothing that was answered is lost.
    phone.go_back()
    expect(step).to_contain_text("Có bản nháp chưa gửi")
    phone.reload()
    step.click()
    expect(phone.get_by_test_id("step-draft")).to_contain_text(
        "Bản nháp chưa gửi, lưu trên máy này"
    )
    expect(phone.get_by_label("Mực nước")).to_have_value("1.62")
    expect(phone.get_by_role("radio", name="Ngập")).to_be_checked()
    expect(phone.locator(".picker")).to_contain_text("anh.png")
    button = phone.get_by_role("button", name="Xong bước này")
    box = button.bounding_box()
    assert box is not None
    assert (box["height"] >= 48, box["width"] >= 300) == (True, True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.context.set_offline(True)
    button.click()
    expect(step).to_contain_text("Đang chờ gửi")
    phone.context.set_offline(False)
    # The level of 1.62 m decides which step follows.
    expect(phone.locator("button[data-step=close]")).to_be_visible()
    expect(step).to_have_count(0)
    assert phone.evaluate("localStorage.getItem('dothi.step_drafts')") == "[]"
    room = admin.get("/api/v1/incidents/1").json()
    states = {one["step"]: one for one in room["runs"][0]["run"]["steps"]}
    assert states["look"]["answers"] == {"photo": 1, "level": 1.62, "road": "wet"}
    assert (states["look"]["by"], states["close"]["state"]) == ("an", "open")
    assert (room["files"][0]["step"], room["files"][0]["by"]) == ("look", "an")


def test_somebody_was_faster(phone: Page, admin: httpx.Client) -> None:
    phone.locator("button[data-step=look]").click()
    phone.get_by_role("button", name="Tạm dừng").click()
    dialog = phone.get_by_role("dialog")
    dialog.get_by_label("Lý do").select_option("storm")
    phone.context.set_offline(True)
    dialog.get_by_role("button", name="Lưu").click()
    skip = {"action": "skip", "reason": "Không cần", "version": 1}
    assert admin.post("/api/v1/incidents/1/runs/1/steps/look", json=skip).status_code == 200
    phone.context.set_offline(False)
    phone.get_by_text("1 thao tác không thực hiện được").click()
    expect(phone.locator("[data-state=refused]")).to_contain_text("đã có người làm")
