"""The console in a real Chromium against a really started `dothi up` with its example."""

import re
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import FINE, SLOW_MS, WINDOW, first_station, go_to, open_map, with_motion
from support.program import Program, run_here

pytestmark = pytest.mark.needs("chromium")

IN_VIEW = "[aria-label='Trong khung nhìn']"
LOOKS = """selector => [...new Set([...document.querySelectorAll(selector)]
    .map(e => getComputedStyle(e).color))]"""
"""The different text colours of what a selector finds."""
LOOK_OF = """name => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = `var(${name})`;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
}"""
"""A token as computed colour."""
INKS = """color => {
    const canvas = document.querySelector("[data-testid=entity-trend] canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] === 255 && `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})` === color)
            return true;
    return false;
}"""
"""Whether something in a chart has that colour."""


@pytest.mark.usefixtures("cookies")  # a new link ends the printed one
def test_a_link_leads_to_the_map(browser: Browser, hub: Program) -> None:
    link = run_here("login-link", "--data-dir", str(hub.data_dir)).stdout.strip()
    with closing(browser.new_context(**WINDOW)) as context:
        page = context.new_page()
        page.goto(link)
        page.wait_for_selector("main#main", timeout=SLOW_MS)
        expect(page).to_have_title(re.compile("Bản đồ trực tiếp"))
        expect(page).not_to_have_url(re.compile("token"))


@pytest.mark.thorough
def test_the_map_moves(page: Page) -> None:
    open_map(with_motion(page))
    in_view = page.get_by_role("region", name="Trong khung nhìn")
    before = in_view.inner_text()
    assert len(before.splitlines()) > 5
    expect(in_view).not_to_have_text(before, use_inner_text=True, timeout=SLOW_MS)
    canvas = page.locator(".map").screenshot()
    assert len(canvas) > 20_000, "an empty map is a small picture"
    expect(page.locator(".maplibregl-ctrl-attrib")).to_contain_text("OpenStreetMap")
    expect(page.locator(".maplibregl-ctrl-attrib")).to_contain_text("sơ đồ")


def test_from_a_station_to_its_page_its_trend_and_its_source(page: Page) -> None:
    open_map(page)
    page.keyboard.press("/")
    page.keyboard.type("binh duong 593")
    page.keyboard.press("Enter")
    panel = page.get_by_test_id("selection")
    expect(panel.get_by_role("heading")).to_contain_text("593 Đại lộ Bình Dương")
    expect(panel).to_contain_text("phát lại")
    # An alarm of the station has a mark too, before the value.
    expect(panel.get_by_role("img", name=re.compile("ước tính|tốt")).first).to_be_visible()
    assert "sel=" in page.url

    panel.get_by_role("link", name="Mở trang thực thể").click()
    expect(page.get_by_test_id("entity-name")).to_contain_text("593 Đại lộ Bình Dương")
    expect(page.get_by_test_id("entity-trend").locator("canvas")).to_be_visible()
    expect(page.get_by_text("Phường Thủ Dầu Một")).to_be_visible()
    expect(page.get_by_text("Tỉnh Bình Dương", exact=True)).to_be_visible()

    page.get_by_test_id("entity-trend").get_by_role("link", name="Xem diễn biến").click()
    expect(page.locator(".charts canvas")).to_be_visible()
    page.get_by_role("combobox", name=re.compile("Gõ tên trạm")).fill("tan uyen")
    page.keyboard.press("Enter")
    page.get_by_role("group", name="Chọn thuộc tính").get_by_role("button").first.click()
    expect(page.locator(".series li")).to_have_count(2)
    page.get_by_label("So với cùng giờ tuần trước").check()
    assert "compare=week" in page.url
    chart = page.locator(".charts [role=slider]").first
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".series h2")).to_contain_text("Tại ")
    for name, start in (("Tải CSV", b'"entity"'), ("Tải Parquet", b"PAR1")):
        address = page.get_by_role("link", name=name).get_attribute("href") or ""
        assert page.request.get(address).body().startswith(start)

    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nguồn và tình trạng dữ liệu")
    page.get_by_role("searchbox", name="Lọc nguồn").fill("593")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("row").nth(1).get_by_role("link").click()
    detail = page.get_by_test_id("source-detail")
    expect(detail).to_contain_text("Khớp: nhận = lưu + từ chối + trùng")
    expect(detail.locator("svg rect.stored").first).to_be_attached()


@pytest.mark.thorough
def test_the_url_holds_the_state(page: Page) -> None:
    open_map(page, "?c=10.9900,106.6500,11.00&off=rain")
    expect(page.get_by_role("checkbox", name=re.compile("Mưa"))).not_to_be_checked()
    page.locator(f"{IN_VIEW} button").first.click()
    name = page.get_by_test_id("selection").get_by_role("heading").inner_text()
    page.reload()
    expect(page.get_by_test_id("selection").get_by_role("heading")).to_have_text(name)
    expect(page.get_by_role("checkbox", name=re.compile("Mưa"))).not_to_be_checked()


@pytest.mark.thorough
def test_a_chart_is_drawn_anew_in_the_colours_of_another_theme(page: Page) -> None:
    page.add_init_script(FINE)
    page.goto("/sources")
    go_to(page, f"/entity/{first_station(page)}")
    expect(page.get_by_test_id("entity-trend").locator("canvas")).to_be_visible()
    for theme in ("Tối", "Sáng", "Tối"):
        page.get_by_role("button", name="Tùy chỉnh").click()
        page.get_by_role("radio", name=theme, exact=True).click()
        page.keyboard.press("Escape")
        page.wait_for_timeout(500)  # it is drawn in the next frame
        assert page.evaluate(INKS, page.evaluate(LOOK_OF, "--line")), theme


@pytest.mark.thorough
def test_language_theme_and_text_size(page: Page) -> None:
    page.goto("/sources")
    expect(page.get_by_role("row").nth(3)).to_be_visible()
    page.get_by_role("button", name="Tùy chỉnh").click()
    small = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    page.get_by_role("radio", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sources and data health")
    page.get_by_role("radio", name="Dark").click()
    page.get_by_role("radio", name="A+", exact=True).click()
    page.get_by_label("High contrast").check()
    page.reload()
    root = page.locator("html")
    expect(root).to_have_attribute("lang", "en")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_attribute("data-contrast", "high")
    large = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert large == pytest.approx(small * 1.25, rel=1e-3)


@pytest.mark.thorough
def test_an_administrator_adds_a_source_and_its_first_message_appears(
    page: Page, hub: Program
) -> None:
    page.goto("/sources")
    page.get_by_role("button", name="Thêm nguồn").click()
    page.get_by_label("Mã nguồn").fill("gauge-1")
    page.get_by_label("Tên", exact=True).fill("Thước nước số 1")
    page.get_by_role("button", name="Tạo nguồn và cấp mã").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("mosquitto_pub")
    token = dialog.locator("pre").first.inner_text()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("source-detail")).to_contain_text("gauge-1")

    open_map(page)
    row = {
        "entity": "urn:ngsi-ld:Device:gauge-1",
        "type": "Device",
        "attribute": "waterLevel",
        "value": 1.42,
        "unit": "MTR",
        "observedAt": datetime.now(UTC).isoformat(),
    }
    place = {
        **row,
        "attribute": "location",
        "value": {"type": "Point", "coordinates": [106.3, 10.4]},
    }
    for gone in ("unit", "observedAt"):
        place.pop(gone)
    answer = httpx.post(
        f"{hub.url}/api/v1/observations",
        json=[row, place],
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.json()["stored"] == 2, answer.text
    entry = page.get_by_role("button", name=re.compile("Device:gauge-1"))
    expect(entry).to_contain_text("1,42", timeout=5_000)

    page.goto("/sources?sel=gauge-1")
    expect(page.get_by_test_id("source-detail")).to_contain_text("chỉ chuỗi của chính nó")
    page.get_by_role("button", name="Nhả chuỗi").click()
    expect(dialog).to_contain_text("Nhả mọi chuỗi thuộc nguồn gauge-1?")
    dialog.get_by_role("button", name="Nhả chuỗi").click()
    expect(dialog).to_contain_text("Đã nhả 2 chuỗi.")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Thêm nguồn").click()
    page.get_by_label("Mã nguồn").fill("gateway-1")
    page.get_by_label("Gateway").check()
    page.get_by_role("button", name="Tạo nguồn và cấp mã").click()
    expect(dialog).to_contain_text("mosquitto_pub")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("source-detail")).to_contain_text("cả chuỗi của nguồn khác")


def test_nobody_sees_anything_without_signing_in(browser: Browser, hub: Program) -> None:
    context = browser.new_context(base_url=hub.url)
    page = context.new_page()
    page.goto("/map")
    expect(page.get_by_role("heading", name="Chưa đăng nhập")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("dothi login-link")).to_be_visible()
    context.close()


@pytest.mark.thorough
def test_screens_can_be_walked_for_weeks(page: Page) -> None:
    """The heap after many rounds is not larger than after the first ones."""
    open_map(with_motion(page))
    station = first_station(page)
    ways = [
        (f"/entities?q=pm25&sel={station}", "[data-testid=json]"),
        ("/trends?key=" + f"{station}|pm25", ".charts canvas"),
        ("/sources", "[role=row]"),
        (f"/entity/{station}", "canvas"),
        ("/map", ".maplibregl-canvas"),
    ]
    session = page.context.new_cdp_session(page)

    def walk() -> None:
        for url, mark in ways:
            go_to(page, url)
            # A locator, not a handle: a handle would keep what it points at in memory.
            expect(page.locator(mark).first).to_be_attached(timeout=SLOW_MS)

    def heap_mb() -> float:
        session.send("HeapProfiler.collectGarbage")
        return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

    def nodes() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "Nodes"))

    session.send("Performance.enable")
    for _ in range(3):
        walk()
    first, first_nodes = heap_mb(), nodes()
    rounds = 6
    for _ in range(rounds):
        walk()
    growth = (heap_mb() - first) / rounds
    assert growth < 0.6, f"{growth:.2f} MB more per round, {first:.1f} MB at first"
    assert nodes() < first_nodes * 1.5 + 300, "screens that were left stay in memory"


@pytest.mark.thorough
def test_a_lost_hub_greys_the_values_within_5_s(page: Page, hub: Program) -> None:
    open_map(page)
    root = page.locator("html")
    expect(root).to_have_attribute("data-link", "open", timeout=SLOW_MS)
    # The example replays silences too: some values are stale, and grey, with a living hub.
    expect(page.locator(f"{IN_VIEW} .live:not(.stale)").first).to_be_visible(timeout=SLOW_MS)
    grey = page.evaluate(LOOK_OF, "--ink-lost")
    assert page.evaluate(LOOK_OF, "--ink") != grey
    assert page.evaluate(LOOKS, f"{IN_VIEW} .live:not(.stale)") != [grey]
    hub.kill()
    expect(root).to_have_attribute("data-link", "lost", timeout=5_000)
    expect(page.get_by_text("Mất kết nối với máy chủ")).to_be_visible()
    assert page.evaluate(LOOKS, f"{IN_VIEW} .live") == [grey]
    hub.start()
    expect(root).to_have_attribute("data-link", "open", timeout=SLOW_MS)
