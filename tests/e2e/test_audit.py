"""The audit record in a browser: filter, look at an entry, check the chain, take it away."""

import json
import re
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from support.browser import signed_page
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]

ROWS = "tbody tr"


def _fill(admin: httpx.Client) -> dict[str, str]:
    """Some deeds; login links of an inspector and an operator."""
    links = {}
    for who, position in (("giam-sat", "inspector"), ("an", "operator")):
        body = {"id": who, "name": f"{who} (test)", "positions": [position]}
        assert admin.post("/api/v1/people", json=body).status_code == 201
        links[who] = admin.post(f"/api/v1/people/{who}/link").json()["path"]
    source = {"id": "gauge", "name": "Trạm Phú An"}
    assert admin.post("/api/v1/sources", json=source).status_code == 200
    incident = {"title": "Ngập đường ven sông", "severity": 2}
    assert admin.post("/api/v1/incidents", json=incident).status_code == 201
    decision = {"kind": "decision", "text": "Đóng cống ngăn triều"}
    assert admin.post("/api/v1/incidents/1/entries", json=decision).status_code == 200
    return links


def test_an_inspector_reads_checks_and_exports(tmp_path: Path, browser: Browser) -> None:
    with Program(tmp_path / "data") as dothi, closing(dothi.signed_in()) as admin:
        links = _fill(admin)
        with signed_page(browser, dothi.url, links["giam-sat"]) as page:
            page.goto("/people")
            page.get_by_role("link", name="Nhật ký thao tác").click()
            expect(page.locator(ROWS).first).to_contain_text("đăng nhập")
            page.get_by_label("Loại").select_option("incident")
            expect(page.locator(ROWS)).to_have_count(2)
            expect(page).to_have_url(re.compile("kind=incident"))
            about = page.locator(ROWS).first.get_by_role("link", name="Sự cố 1")
            expect(about).to_have_attribute("href", "/incident/1")
            # By keyboard: to the entry, into its detail, and back to where one was.
            page.locator("[data-entry]").first.focus()
            page.keyboard.press("Enter")
            detail = page.get_by_test_id("audit-detail")
            expect(detail).to_contain_text("Đóng cống ngăn triều")
            expect(detail).to_contain_text("incident_written")
            page.keyboard.press("Escape")
            expect(detail).to_be_hidden()
            expect(page.locator("[data-entry]").first).to_be_focused()
            page.get_by_role("button", name="Kiểm tra chuỗi").click()
            expect(page.locator(".verdict")).to_contain_text(
                re.compile(r"Nguyên vẹn từ .* đến .*, \d+ mục")
            )
            page.get_by_role("button", name="Xuất tệp").click()
            with page.expect_download() as download:
                page.get_by_role("link", name="JSON").click()
            entries = json.loads(Path(download.value.path()).read_text())
            assert [one["action"] for one in entries] == ["incident_written", "incident_opened"]
            page.get_by_role("button", name="Bỏ lọc").click()
            expect(page.locator(ROWS).first).to_contain_text("xuất nhật ký")
            page.get_by_label("Loại").select_option("person")
            named = page.locator(ROWS).get_by_role("link", name="an (test)", exact=True)
            expect(named.first).to_have_attribute("href", "/people?left=1&q=an")
            start = page.get_by_role("textbox", name="Từ")
            start.fill("2199-01-01T00:00")
            start.blur()
            expect(page.get_by_text("Không có mục nào khớp.")).to_be_visible()
        with signed_page(browser, dothi.url, links["an"]) as page:
            page.goto("/people")
            expect(page.get_by_label("Tìm theo tên")).to_be_visible()
            expect(page.get_by_role("link", name="Nhật ký thao tác")).to_have_count(0)
            page.goto("/audit")
            expect(page.get_by_text("Bạn không có quyền xem")).to_be_visible()
