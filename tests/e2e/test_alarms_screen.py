"""The screens of alarms in a browser, over alarms that stand in the store."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from alarm_parts import context, transition
from dothi.alarms.taking import take
from dothi.model.alarm import Place, RuleFacts
from dothi.model.priority import Priority
from dothi.ports.clock import SystemClock
from dothi.storage.relational.alarms import RelationalAlarmLedger
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.migrate import upgrade
from support.browser import SLOW_MS, WINDOW, started_browser
from support.program import Program

FACTS = RuleFacts(
    "Mực nước cao", "High water", "water", "Ngập", "Flooding", "Kiểm tra cống", "Look"
)
ROW = "[data-alarm-row]"


def fill(folder: Path, count: int = 5) -> None:
    """So many alarms: the first is the most urgent."""
    folder.mkdir(parents=True)
    engine = open_sqlite(folder / "dothi.db")
    upgrade(engine)
    entities = [f"urn:ngsi-ld:WaterObserved:{n}" for n in range(count)]
    places = {
        e: Place(e, "WaterObserved", f"Trạm {n}", 106.6, 11.0) for n, e in enumerate(entities)
    }
    given = {"facts": lambda _r, _v: FACTS, "places": places}
    with RelationalAlarmLedger(engine).writing() as book:
        take(
            book,
            [
                transition(True, n, entity=entity, priority=Priority(min(4, n + 1)))
                for n, entity in enumerate(entities)
            ],
            context(SystemClock().now(), **given),
        )
    engine.dispose()


@contextmanager
def _signed_in(program: Program) -> Iterator[Page]:
    with started_browser() as browser:
        page = browser.new_page(base_url=program.url, **WINDOW)
        page.set_default_timeout(SLOW_MS)
        page.goto(program.login_url)
        page.wait_for_selector("main#main", timeout=SLOW_MS)
        yield page


@pytest.mark.thorough
@pytest.mark.needs("chromium")
def test_an_operator_acknowledges_and_shelves_by_keyboard(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    with Program(tmp_path / "data") as program, _signed_in(program) as page:
        page.goto("/alarms")
        expect(page.locator(ROW)).to_have_count(5, timeout=SLOW_MS)
        expect(page.get_by_test_id("alarm-count")).to_contain_text("5")
        expect(page.locator(ROW).first).to_contain_text("1,62 m > 1,50 m")
        page.locator("h1").click()
        page.keyboard.press("j")
        page.keyboard.press("a")
        expect(page.locator(ROW).nth(1)).to_contain_text("đã xác nhận")
        expect(page.get_by_test_id("alarm-count")).to_contain_text("4")
        page.keyboard.press("s")
        expect(page.get_by_role("dialog")).to_contain_text("Trong")
        page.locator("dialog input[name=reason]").fill("Cảm biến dao động")
        page.locator("dialog button.primary").click()
        expect(page.locator(ROW)).to_have_count(4, timeout=SLOW_MS)
        page.locator(ROW).first.locator("a").click()
        expect(page.locator("h2").first).to_have_text("Mực nước cao")
        expect(page.get_by_text("Việc cần làm")).to_be_visible()
        history = page.get_by_test_id("alarm-history")
        expect(history).to_contain_text("Chưa có lần nào trước đó")
        expect(history.locator("tr")).to_have_count(0)
        expect(page.get_by_test_id("alarm-record")).to_contain_text("Phát cảnh báo")
        page.goto("/alarms?kept=yes&state=all")
        expect(page.locator(ROW)).to_have_count(1, timeout=SLOW_MS)
        expect(page.locator(ROW).first).to_contain_text("tạm gác")
        page.goto("/map")
        expect(page.locator(".map")).to_have_attribute(
            "data-alarms", re.compile("^[1-9]"), timeout=SLOW_MS
        )
        page.goto("/alarm_performance?span=day")
        expect(page.get_by_text("Mười điều kiện báo nhiều nhất")).to_be_visible(timeout=SLOW_MS)


@pytest.mark.thorough
@pytest.mark.needs("chromium")
def test_acknowledging_a_page_leaves_what_nobody_has_seen(tmp_path: Path) -> None:
    fill(tmp_path / "data", 60)
    with Program(tmp_path / "data") as program, _signed_in(program) as page:
        page.goto("/alarms")
        expect(page.locator(ROW)).to_have_count(50, timeout=SLOW_MS)
        seen = page.locator(ROW).evaluate_all("rows => rows.map(row => row.dataset.alarm)")
        page.get_by_role("button", name="Xác nhận cả trang").click()
        expect(page.get_by_role("dialog")).to_contain_text("50")
        page.get_by_role("dialog").locator("button.primary").click()
        expect(page.get_by_test_id("alarm-count")).to_have_text(re.compile(r"^\D*10\b"))
        items = page.evaluate(
            "fetch('/api/v1/alarms?limit=100').then(a => a.json()).then(a => a.items)"
        )
        waiting = {str(one["id"]) for one in items if one["acknowledged_at"] is None}
        assert len(items) == 60
        assert len(waiting) == 10
        assert waiting.isdisjoint(seen)


@pytest.mark.thorough
@pytest.mark.needs("chromium")
def test_a_station_is_taken_out_of_service_with_a_permit_and_put_back(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    with Program(tmp_path / "data") as program, _signed_in(program) as page:
        page.goto("/alarm/1")
        page.get_by_role("button", name="Chặn, ngừng sử dụng").click()
        form = page.get_by_test_id("suppress")
        save = form.get_by_role("button", name="Bắt đầu chặn")
        expect(save).to_be_disabled()
        form.locator("[name=permit]").fill("GP-12")
        form.locator("[name=reason]").fill("Gửi cảm biến đi sửa")
        save.click()
        kept = page.get_by_test_id("kept-back")
        expect(kept).to_contain_text("giấy phép GP-12")
        page.goto("/alarms")
        expect(page.locator(ROW)).to_have_count(4, timeout=SLOW_MS)
        page.get_by_role("link", name="Chặn, ngừng sử dụng (1)").click()
        row = page.get_by_test_id("suppressions").locator("tbody tr")
        expect(row).to_contain_text("đang hiệu lực")
        expect(row).to_contain_text("Gửi cảm biến đi sửa")
        expect(page.get_by_test_id("kept-alarms").locator("tbody tr")).to_have_count(1)
        row.get_by_role("button", name="Kết thúc sớm").click()
        page.get_by_role("dialog").get_by_role("button", name="Kết thúc sớm").click()
        expect(page.get_by_text("Không có cảnh báo nào bị chặn")).to_be_visible()
        page.get_by_label("Kể cả đã hết trong 7 ngày").check()
        expect(row).to_contain_text("kết thúc lúc")
        page.goto("/suppressions?new=flood")
        form.locator("[name=until]").fill("2020-01-01T00:00")
        form.locator("[name=reason]").fill("Bão")
        form.get_by_role("button", name="Bắt đầu chặn").click()
        expect(form.get_by_role("status").last).to_contain_text("Thời điểm kết thúc đã qua")
