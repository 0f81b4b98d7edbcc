"""Incident desk and room: open, work through a procedure, meet a conflict, close."""

import re

import pytest
from playwright.sync_api import Page, expect

from support.browser import SLOW_MS, go_to
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]

ACT = """([path, body, method, version]) => fetch(`/api/v1/incidents/${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'if-match': `"${version}"` },
    body: JSON.stringify(body),
}).then(answer => answer.status)"""
"""What somebody else does meanwhile."""


def test_an_incident_from_the_desk_to_its_report(page: Page, hub: Program) -> None:
    open_by_hand(page)
    do_first_step(page)
    write_and_upload(page)
    link_by_words(page)
    meet_a_conflict(page)
    close_it(page)
    link = page.get_by_role("link", name="Báo cáo (PDF)").get_attribute("href") or ""
    assert page.request.get(link).body().startswith(b"%PDF-")
    page.goto("/incidents?closed=1")
    expect(page.locator("[data-incident='1']")).to_contain_text("Ngập đường ven sông")


def open_by_hand(page: Page) -> None:
    page.goto("/map")
    go_to(page, "/incidents")
    expect(page.get_by_text("Không có sự cố nào.")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Mở sự cố").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Tên sự cố").fill("Ngập đường ven sông")
    dialog.get_by_role("radio", name="2 Nghiêm trọng").check()
    dialog.get_by_label("Địa điểm").fill("10.9923, 106.6577")
    dialog.get_by_label("Bắt đầu quy trình").select_option("flood-evening")
    dialog.get_by_role("button", name="Mở sự cố").click()
    expect(page).to_have_url(re.compile("/incident/1$"), timeout=SLOW_MS)


def do_first_step(page: Page) -> None:
    step = page.locator("[data-step=confirm]")
    expect(step).to_contain_text("Còn 14 phút", timeout=SLOW_MS)
    expect(page.get_by_text("Quy trình mẫu, không phải văn bản chính thức")).to_be_visible()
    step.get_by_role("radio", name="Có ngập").check()
    step.get_by_label("Độ sâu ngập").fill("0.35")
    step.get_by_role("button", name="Xong bước này").click()
    expect(page.locator("[data-step=close_road]")).to_contain_text("hạn", timeout=SLOW_MS)
    expect(step).to_contain_text("0,35 m")


def write_and_upload(page: Page) -> None:
    note = page.get_by_label("Nội dung")
    note.fill("Đã gọi tổ trực")
    note.press("Enter")
    expect(page.get_by_test_id("incident-timeline")).to_contain_text("Đã gọi tổ trực")
    files = page.get_by_test_id("incident-files")
    files.locator("input[type=file]").set_input_files(
        {"name": "ảnh.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nx"}
    )
    expect(files).to_contain_text("1. ảnh.png")


def link_by_words(page: Page) -> None:
    """By keyboard: a station is found without diacritics, and linked once."""
    links = page.get_by_test_id("incident-links")
    asked = links.get_by_role("combobox")
    asked.fill("thu dau mot")
    expect(links.get_by_role("option").first).to_contain_text("Thủ Dầu Một")
    asked.press("ArrowDown")
    chosen = links.get_by_role("option", selected=True).inner_text().splitlines()[-1]
    asked.press("Enter")
    expect(links.locator("ul").first).to_contain_text(chosen)
    asked.fill(chosen)
    expect(links.get_by_role("option", name=chosen, exact=True)).to_have_count(0)


def change_state(page: Page, state: str, reason: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name=state).check()
    dialog.get_by_label("Lý do").fill(reason)
    dialog.get_by_role("button", name="Lưu").click()


def meet_a_conflict(page: Page) -> None:
    """Somebody else changes the head while the dialog is open: nobody overwrites the other."""
    page.get_by_role("button", name="Đổi trạng thái").click()
    assert page.evaluate(ACT, ["1", {"severity": 1, "reason": "Lan rộng"}, "PATCH", 1]) == 200
    change_state(page, "Đang xử lý", "Tổ trực đã đến")
    refused = page.get_by_test_id("refused")
    expect(refused).to_contain_text("Người khác vừa thay đổi")
    expect(refused).to_contain_text("Lan rộng")
    expect(page.get_by_text("Đặc biệt nghiêm trọng").first).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Đổi trạng thái").click()
    change_state(page, "Đang xử lý", "Tổ trực đã đến")
    expect(page.get_by_test_id("incident-state")).to_have_text("Đang xử lý")


def close_it(page: Page) -> None:
    """Closing needs what was begun to be ended."""
    page.get_by_role("button", name="Đổi trạng thái").click()
    change_state(page, "Đã đóng", "Nước rút")
    expect(page.get_by_test_id("refused")).to_contain_text("procedure flood-evening")
    page.get_by_role("button", name="Dừng quy trình").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Lý do").fill("Nước đã rút")
    dialog.get_by_role("button", name="Lưu").click()
    expect(page.get_by_test_id("incident-procedures")).to_contain_text("dừng giữa chừng")
    page.get_by_role("button", name="Đổi trạng thái").click()
    change_state(page, "Đã đóng", "Nước rút")
    expect(page.get_by_test_id("incident-state")).to_have_text("Đã đóng")
