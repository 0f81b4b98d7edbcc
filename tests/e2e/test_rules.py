"""A person writes a rule, sees on past values what it would have done, has it approved, and asks
why there was no alarm."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import SLOW_MS
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]

GAUGE = "urn:ngsi-ld:WaterObserved:gauge"


def _send_levels(hub: Program, page: Page) -> None:
    """Six hours of a rising and falling level, every ten minutes."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
    values = [
        {
            "entity": GAUGE, "type": "WaterObserved", "attribute": "level",
            "value": round(1 + n / 20 if n < 18 else 2.8 - n / 20, 2), "unit": "MTR",
            "observedAt": (begin + timedelta(minutes=10 * n)).isoformat(),
        }
        for n in range(36)
    ]  # fmt: skip
    answer = page.request.post(f"{hub.url}/api/v1/observations?source=test", data=values)
    assert answer.ok, answer.text()


def test_from_a_draft_to_an_approved_rule(browser: Browser, tmp_path: Path) -> None:
    with Program(tmp_path / "data") as hub:
        context = browser.new_context(base_url=hub.url, viewport={"width": 1366, "height": 768})
        page = context.new_page()
        page.set_default_timeout(SLOW_MS)
        page.goto(hub.login_url)
        added = page.request.post(f"{hub.url}/api/v1/sources", data={"id": "test", "name": "Test"})
        assert added.ok, added.text()
        _send_levels(hub, page)
        page.goto("/rules")
        expect(page.get_by_text("Chưa có luật nào.")).to_be_visible()
        page.get_by_role("link", name="Soạn luật mới").click()
        form = page.get_by_test_id("rule-editor")
        form.get_by_label("Mã luật").fill("level-high")
        form.get_by_label("Tên (tiếng Việt)").fill("Mực nước cao")
        form.get_by_role("combobox", name="Thuộc tính", exact=True).fill("level")
        form.locator("input[type=number]").first.fill("1.5")
        form.get_by_label("Kiểu thực thể").fill("WaterObserved")
        form.get_by_label("Kiểu thực thể").blur()
        test = page.get_by_test_id("back-test")
        expect(test.locator(".figure").first).to_contain_text("1")
        expect(test.locator("tbody tr")).to_contain_text("Mực nước cao: Mực nước 1,5 m ≥ 1,5 m")
        expect(test.locator("canvas")).to_be_visible()
        form.get_by_label("Hậu quả nếu không xử lý (tiếng Việt)").fill("Ngập bãi thấp.")
        form.get_by_label("Việc phải làm (tiếng Việt)").fill("Báo trực ban.")
        form.get_by_role("button", name="Lưu bản nháp").click()
        page.get_by_role("button", name="Duyệt bản 1").click()
        expect(page.get_by_text("đang hiệu lực").first).to_be_visible()
        page.goto(f"/rules?view=why&entity={GAUGE}")
        answer = page.get_by_test_id("why-not").locator("tbody tr")
        expect(answer).to_contain_text("điều kiện không đúng")
        expect(answer).to_contain_text("≥ 1,5")
        context.close()


def let_another_verify(page: Page, browser: Browser, hub: Program) -> None:
    """With others on the list, whoever entered a limit does not compare it too."""
    for who in ("an", "binh"):
        person = {"id": who, "name": who.title(), "positions": ["approver"]}
        assert page.request.post("/api/v1/people", data=person).status == 201
    page.reload()
    rows = page.locator("[data-limits=levels] tbody tr")
    expect(rows.last).to_contain_text("Có quyền quyết định: An, Binh.")
    expect(rows.last.get_by_role("button", name="Đối chiếu")).to_have_count(0)
    link = page.request.post("/api/v1/people/binh/link").json()["path"]
    with closing(browser.new_context(base_url=hub.url)) as other:
        binh = other.new_page()
        binh.goto(link)
        binh.goto("/rules?view=limits&every=1")
        theirs = binh.locator("[data-limits=levels] tbody tr").last
        theirs.get_by_role("button", name="Đối chiếu").click()
        binh.get_by_role("dialog").get_by_role("button", name="Đã đối chiếu").click()
        expect(theirs).to_contain_text("Binh kiểm chứng")


def test_a_dated_limit_is_added_verified_and_ended(browser: Browser, tmp_path: Path) -> None:
    with Program(tmp_path / "data") as hub:
        context = browser.new_context(base_url=hub.url, viewport={"width": 1366, "height": 768})
        page = context.new_page()
        page.set_default_timeout(SLOW_MS)
        page.goto(hub.login_url)
        page.wait_for_selector("main#main")
        page.goto("/rules")
        page.get_by_role("link", name="Ngưỡng theo ngày hiệu lực").click()
        expect(page.get_by_text("Chưa có bảng ngưỡng nào.")).to_be_visible()
        page.get_by_role("button", name="Bảng mới").click()
        form = page.get_by_test_id("new-table")
        form.locator("[name=name]").fill("levels")
        form.locator("[name=vi]").fill("Cấp báo động")
        form.locator("[name=unit]").select_option("MTR")
        form.get_by_role("button", name="Bảng mới").click()
        for number, first_day in (("1,5", "2020-01-01"), ("1,6", "2026-01-01")):
            page.get_by_role("button", name="Thêm ngưỡng").last.click()
            form = page.get_by_test_id("add-limit")
            form.locator("[name=level]").fill("II")
            form.locator("[name=value]").fill(number)
            form.locator("[name=valid_from]").fill(first_day)
            save = form.get_by_role("button", name="Thêm ngưỡng")
            expect(save).to_be_disabled()
            form.locator("[name=source]").fill("Quyết định thử")
            save.click()
            expect(form).to_be_hidden()
        rows = page.locator("[data-limits=levels] tbody tr")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("1,6 m")
        day = page.get_by_role("textbox", name="Có hiệu lực ngày")
        day.fill("01/05/2021")
        day.press("Enter")
        expect(rows).to_contain_text("1,5 m")
        expect(rows).to_contain_text("01/01/2026")
        page.get_by_label("Kể cả đã hết").check()
        expect(rows).to_have_count(2)
        let_another_verify(page, browser, hub)
        page.reload()
        expect(rows.last).to_contain_text("đã kiểm chứng")
        rows.last.get_by_role("button", name="Kết thúc").click()
        dialog = page.get_by_role("dialog")
        dialog.locator("[name=valid_to]").fill("2025-01-01")
        dialog.locator("[name=reason]").fill("Bãi bỏ")
        dialog.get_by_role("button", name="Kết thúc").click()
        expect(dialog.get_by_role("status")).to_contain_text("valid from 2026-01-01")
        dialog.locator("[name=valid_to]").fill("2027-01-01")
        dialog.get_by_role("button", name="Kết thúc").click()
        expect(rows.last).to_contain_text("Bãi bỏ")
        context.close()


def test_a_fence_is_drawn_on_the_map_or_chosen_as_an_area(browser: Browser, tmp_path: Path) -> None:
    with Program(tmp_path / "data", "--example") as hub:
        context = browser.new_context(base_url=hub.url, viewport={"width": 1366, "height": 900})
        page = context.new_page()
        page.set_default_timeout(SLOW_MS)
        page.goto(hub.login_url)
        page.wait_for_selector("main#main")
        page.goto("/rules?view=edit")
        form = page.get_by_test_id("rule-editor")
        form.get_by_label("Mã luật").fill("boat-leaves")
        form.get_by_label("Tên (tiếng Việt)").fill("Tàu ra khỏi vùng")
        form.get_by_label("Loại điều kiện").select_option("geofence")
        form.get_by_label("Vị trí").select_option("outside")
        fence = page.get_by_test_id("fence")
        fence.get_by_label("vẽ trên bản đồ").check()
        canvas = fence.locator("canvas")
        expect(canvas).to_be_visible(timeout=SLOW_MS)
        corners = fence.locator("ol li")
        for n, position in enumerate([(150, 120), (320, 130), (240, 260)], 1):
            canvas.click(position={"x": position[0], "y": position[1]})
            expect(corners).to_have_count(n)
        expect(fence.locator("[data-rings]")).to_have_attribute("data-rings", "1")
        fence.get_by_role("button", name="Bỏ đỉnh cuối").click()
        expect(fence.get_by_role("status")).to_contain_text("đã có 2")
        fence.get_by_role("button", name="Thêm đỉnh").click()
        expect(corners).to_have_count(3)
        form.get_by_label("Kiểu thực thể").fill("Boat")
        form.get_by_label("Kiểu thực thể").blur()
        form.get_by_label("Hậu quả nếu không xử lý (tiếng Việt)").fill("Tàu gặp nạn.")
        form.get_by_label("Việc phải làm (tiếng Việt)").fill("Gọi tàu.")
        form.get_by_role("button", name="Lưu bản nháp").click()
        expect(page.locator("dl")).to_contain_text("ngoài vùng vẽ trên bản đồ (3 đỉnh)")
        page.goto("/rules/boat-leaves?view=edit")
        expect(corners).to_have_count(3)
        fence.get_by_label("địa bàn hành chính").check()
        fence.get_by_label("Tìm đơn vị hành chính").fill("thu dau mot")
        fence.get_by_role("button").filter(has_text="Thủ Dầu Một").first.click()
        expect(fence.locator("[data-rings]")).not_to_have_attribute("data-rings", "0")
        form.get_by_label("Vị trí").select_option("inside")
        form.get_by_role("button", name="Lưu bản nháp").click()
        expect(page.locator("dl")).to_contain_text("trong ward:")
        context.close()


def test_a_rule_is_approved_by_somebody_else_than_its_author(
    browser: Browser, tmp_path: Path
) -> None:
    rule = {
        "id": "level-high",
        "name": {"vi": "Mực nước cao", "en": "High water"},
        "scope": {"types": ["WaterObserved"]},
        "condition": {"kind": "threshold", "attribute": "level", "comparison": ">=", "limit": 1.5},
        "priority": 2,
        "consequence": {"vi": "Ngập."},
        "response": {"vi": "Báo."},
        "time_to_respond_s": 1800,
    }
    with Program(tmp_path / "data") as hub, closing(hub.signed_in()) as admin:
        for who, positions in (("an", ["it", "approver"]), ("binh", ["approver"])):
            body = {"id": who, "name": who.title(), "positions": positions}
            assert admin.post("/api/v1/people", json=body).status_code == 201
        pages = {}
        for who in ("an", "binh"):
            context = browser.new_context(base_url=hub.url, viewport={"width": 1366, "height": 768})
            page = pages[who] = context.new_page()
            page.set_default_timeout(SLOW_MS)
            page.goto(admin.post(f"/api/v1/people/{who}/link").json()["path"])
            page.wait_for_selector("main#main")
        an, binh = pages["an"], pages["binh"]
        assert binh.request.post("/api/v1/rules", data=rule).status == 403
        made = an.request.post("/api/v1/rules", data=rule)
        assert (made.status, made.json()["author"]) == (201, "an")
        own = an.request.post("/api/v1/rules/level-high/versions/1/approve", data={})
        assert own.status == 409, own.text()
        assert (own.status, own.json()["code"]) == (409, "rule_own")
        an.goto("/rules/level-high")
        expect(an.locator("[data-second=binh]")).to_contain_text("Có quyền quyết định: Binh.")
        expect(an.get_by_role("button", name="Duyệt bản 1")).to_have_count(0)
        (state,) = admin.get("/api/v1/rules").json()
        assert (state["in_force"], state["draft"]) == (None, 1)
        binh.goto("/rules/level-high")
        with binh.expect_response("**/versions/1/approve"):
            binh.get_by_role("button", name="Duyệt bản 1").click()
        expect(binh.get_by_text("đang hiệu lực").first).to_be_visible()
        (state,) = admin.get("/api/v1/rules").json()
        assert (state["in_force"], state["approved"]["approved_by"]) == (1, "binh")
        for page in pages.values():
            page.context.close()
