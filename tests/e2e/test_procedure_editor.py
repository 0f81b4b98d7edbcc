"""A procedure written on screen by one person and approved by another; its file beside the form."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import SLOW_MS, WINDOW
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]


@contextmanager
def signed_in(browser: Browser, hub: Program, admin: httpx.Client, who: str) -> Iterator[Page]:
    link = admin.post(f"/api/v1/people/{who}/link").json()["path"]
    context = browser.new_context(base_url=hub.url, **WINDOW)
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(link)
    page.wait_for_selector("main#main")
    yield page
    context.close()
    assert errors == []


def words(of: Page | Locator, label: str, vi: str, en: str) -> None:
    of.get_by_label(f"{label} · tiếng Việt").last.fill(vi)
    of.get_by_label(f"{label} · tiếng Anh").last.fill(en)


def test_one_writes_another_approves(tmp_path: Path, browser: Browser) -> None:
    with Program(tmp_path / "data") as hub, closing(hub.signed_in()) as admin:
        for who, position in (("an", "it"), ("binh", "approver")):
            body = {"id": who, "name": who.title(), "positions": [position]}
            assert admin.post("/api/v1/people", json=body).status_code == 201
        with signed_in(browser, hub, admin, "an") as page:
            write(page)
            correct_the_file(page)
            page.get_by_role("button", name="Lưu bản nháp 1").click()
            expect(page.get_by_test_id("sop-versions")).to_contain_text("chưa phê duyệt")
            expect(page.get_by_role("button", name="Phê duyệt")).to_have_count(0)
            expect(page.locator("[data-second=binh]")).to_contain_text("người khác quyết định")
            with page.expect_download() as saved:
                page.get_by_role("button", name="Tải tệp TOML").click()
            file = tmp_path / saved.value.suggested_filename
            saved.value.save_as(file)
        with signed_in(browser, hub, admin, "binh") as page:
            page.goto("/procedures/pump")
            page.get_by_role("button", name="Phê duyệt phiên bản 1").click()
            expect(page.get_by_test_id("sop-versions")).to_contain_text("Đang dùng")
        found = admin.get("/api/v1/procedures").json()
        assert [(one["stored_by"], one["approved_by"]) for one in found] == [("an", "binh")]
        steps = found[0]["procedure"]["steps"]
        assert steps["check"]["branches"][0] == {
            "to": ["step-2"], "field": "field-1", "test": "at_least", "value": 0.5,
        }  # fmt: skip
        assert steps["step-2"]["limit"]["text"] == "2 working days"
        with signed_in(browser, hub, admin, "an") as page:
            import_again(page, file)


def write(page: Page) -> None:
    page.goto("/procedures")
    expect(page.locator("#main .notice")).to_contain_text("Chưa có quy trình")
    page.get_by_role("link", name="Soạn quy trình mới").click()
    finding = page.get_by_test_id("sop-finding")
    expect(finding).to_contain_text("Còn 5 chỗ chưa điền")
    page.get_by_role("button", name="Lưu bản nháp 1").click()
    code = page.locator("[data-at='head.id']")
    expect(code).to_be_focused()
    expect(code).to_have_attribute("aria-invalid", "false")
    finding.get_by_role("button", name="Bước 1: Phải làm gì · tiếng Việt").click()
    expect(code).to_have_accessible_description("Chưa điền.")
    expect(page.locator("[data-at='step.0.text.vi']")).to_be_focused()
    code.fill("pump")
    expect(code).to_have_accessible_name("Mã")
    words(page, "Tên quy trình", "Trạm bơm dừng", "A pumping station stands still")
    words(page, "Mục đích, khi nào dùng", "Khi bơm dừng", "When pumps stop")
    first = page.locator("details").first
    first.get_by_label("Mã", exact=True).first.fill("check")
    first.get_by_label("Mã", exact=True).first.blur()
    words(first, "Tên bước", "Kiểm tra điện", "Check the power")
    words(first, "Phải làm gì", "Gọi điện lực.", "Call the utility.")
    first.get_by_label("Thời hạn: đơn vị").select_option("min")
    first.get_by_label("Thời hạn", exact=True).last.fill("30")
    first.get_by_role("button", name="Thêm mục").click()
    words(first, "Câu hỏi", "Mực nước hố bơm", "Level in the sump")
    first.get_by_label("Kiểu").select_option("number")
    first.get_by_label("Đơn vị (mã)").fill("MTR")
    page.get_by_role("button", name="Thêm bước").click()
    second = page.locator("details").last
    words(second, "Tên bước", "Thay máy bơm", "Replace the pump")
    words(second, "Phải làm gì", "Điều bơm dự phòng.", "Send the spare pump.")
    second.get_by_label("Thời hạn: đơn vị").select_option("working days")
    second.get_by_label("Thời hạn", exact=True).last.fill("2")
    first.get_by_role("button", name="Thêm nhánh").click()
    first.get_by_role("combobox", name=re.compile("^Khi")).select_option("field-1")
    first.get_by_label("Giá trị").fill("0.5")
    first.get_by_label("Thay máy bơm").check()
    expect(finding).to_contain_text("Dùng được")
    page.get_by_role("button", name="Thêm bước").click()
    third = page.locator("details").last
    words(third, "Tên bước", "Thừa", "Too much")
    third.get_by_role("button", name="Xóa bước").click()
    page.get_by_role("dialog").get_by_role("button", name="Xóa", exact=True).click()
    expect(page.locator("details")).to_have_count(2)
    expect(finding).to_contain_text("Dùng được")
    page.get_by_role("textbox", name="Bắt đầu lúc").fill("2026-11-27T16:00")
    clocks = page.get_by_test_id("sop-clocks")
    expect(clocks).to_contain_text("16:30 27/11/2026")
    # Saturday and Sunday are free: Monday and Tuesday are the two working days.
    expect(clocks).to_contain_text("24:00 01/12/2026")


def correct_the_file(page: Page) -> None:
    page.get_by_role("button", name="TOML", exact=True).click()
    text = page.locator("#sop-toml")
    good = text.input_value()
    assert 'limit = "2 working days"' in good
    text.fill(good.replace("2 working days", "2 wrking days"))
    finding = page.get_by_test_id("sop-finding")
    expect(finding).to_contain_text("Bước “step-2”, thời hạn: “2 wrking days”")
    expect(page.get_by_role("button", name="Lưu bản nháp 1")).to_be_disabled()
    finding.get_by_role("button").click()
    marked = page.evaluate("document.getSelection().toString()")
    assert marked == 'limit = "2 wrking days"'
    text.fill(good)
    expect(finding).to_contain_text("Dùng được")


def import_again(page: Page, file: Path) -> None:
    """The saved file as the next version, by way of the form."""
    file.write_text(file.read_text(encoding="utf-8").replace("version = 1", "version = 2"), "utf-8")
    page.goto("/procedures/pump?view=edit")
    page.set_input_files("input[type=file]", file)
    expect(page.locator("#sop-toml")).to_have_value(file.read_text(encoding="utf-8"))
    page.get_by_role("button", name="Biểu mẫu").click()
    expect(page.get_by_label("Tên quy trình · tiếng Việt")).to_have_value("Trạm bơm dừng")
    page.get_by_role("button", name="Lưu bản nháp 2").click()
    expect(page.get_by_test_id("sop-versions")).to_contain_text("bản nháp")
