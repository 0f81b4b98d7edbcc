"""Public warnings in a browser: one person writes and submits, another one releases."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cap_samples import DATA, NOW, expect_valid
from dothi.app.data_folder import DataFolder
from dothi.app.stores import open_registers
from dothi.facades.cap.documents import read_document
from dothi.facades.cap.reading import read_alert
from dothi.model.warning import ForeignWarning, Severity
from dothi.ports.clock import SystemClock
from support.browser import SLOW_MS, WINDOW
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]
ATOM_LINK = re.compile(r"href=\"[^\"]*(/cap/[^\"]+\.xml)\"")


@contextmanager
def signed_in(
    browser: Browser, hub: Program, administrator: httpx.Client, who: str
) -> Iterator[Page]:
    made = administrator.post(f"/api/v1/people/{who}/link").json()
    context = browser.new_context(base_url=hub.url, **WINDOW)
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(made["path"])
    page.wait_for_selector("main#main")
    yield page
    context.close()
    assert errors == []


@pytest.fixture(scope="module")
def administrator(hub: Program) -> httpx.Client:
    """By the link that the hub printed, which opens once."""
    return hub.signed_in()


def test_a_warning_takes_two_persons(
    browser: Browser, hub: Program, administrator: httpx.Client
) -> None:
    for who, position in (("lan", "duty_officer"), ("minh", "leader")):
        answer = administrator.post(
            "/api/v1/people", json={"id": who, "name": who.title(), "positions": [position]}
        )
        assert answer.status_code in {200, 201}, answer.text
    with signed_in(browser, hub, administrator, "lan") as page:
        page.goto("/warnings")
        page.locator("button.primary").click()
        expect(page).to_have_url(re.compile(r"/warnings/\d+$"))
        page.locator("[name=event]").select_option("tide")
        page.locator("[name=risk_level]").select_option("2")
        expect(page.locator("[name=severity]")).to_have_value("Moderate")
        page.locator("[name=vi-headline]").fill("Triều cường vượt báo động III")
        page.locator("[name=vi-description]").fill("Nước sông Sài Gòn lên cao lúc 17 giờ.")
        page.locator("[name=vi-instruction]").fill("Kê cao đồ đạc.")
        page.locator("[name=area]").fill("thu dau mot")
        page.locator(".found button").first.click()
        draw_a_triangle(page)
        expect(page.locator("[data-fit=true]")).to_be_visible()
        expect(page.get_by_test_id("public")).to_contain_text("Kê cao đồ đạc.")
        expect(page.get_by_test_id("sms")).to_have_text(
            "Trieu cuong vuot bao dong III. Ke cao do dac."
        )
        page.locator(".bar button.primary").click()
        refusal = page.locator("[data-refusal=own_text]")
        expect(refusal).to_contain_text("Có quyền quyết định: Minh")
        url = page.url
    with signed_in(browser, hub, administrator, "minh") as page:
        page.goto(url)
        page.locator(".bar button.primary").click()
        page.get_by_role("dialog").locator("button.primary").click()
        expect(page.get_by_test_id("record").locator("li")).to_have_count(4)
        expect(page.get_by_test_id("chain")).to_contain_text("Minh")
    feed = httpx.get(f"{hub.url}/cap/feed.atom", params={"status": "Exercise"}).text
    (path,) = ATOM_LINK.findall(feed)
    document = httpx.get(hub.url + path).text
    expect_valid(document)
    area, drawn = read_alert(document.encode()).infos[0].areas
    assert area.geocodes
    assert len(drawn.polygons[0]) == 4
    assert ATOM_LINK.findall(httpx.get(f"{hub.url}/cap/feed.atom").text) == []


def test_an_alarm_fills_the_composer_once(
    browser: Browser, hub: Program, administrator: httpx.Client
) -> None:
    answer = administrator.post(
        "/api/v1/people", json={"id": "hoa", "name": "Hoa (test)", "positions": ["duty_officer"]}
    )
    assert answer.status_code in {200, 201}, answer.text
    wanted = {"domain": "water", "state": "all", "limit": "1"}
    [alarm] = administrator.get("/api/v1/alarms", params=wanted).json()["items"]
    with signed_in(browser, hub, administrator, "hoa") as page:
        page.goto(f"/alarm/{alarm['id']}")
        page.get_by_role("link", name="Soạn cảnh báo").click()
        expect(page).to_have_url(re.compile(r"/warnings/\d+$"))
        expect(page.locator("[name=vi-headline]")).to_have_value(alarm["title"])
        expect(page.locator("[name=en-headline]")).to_have_value(alarm["title_en"])
        expect(page.locator("[name=event]")).to_have_value("flood")
        expect(page.locator("[name=vi-instruction]")).to_have_value(re.compile("đường ngập"))
        expect(page.get_by_test_id("public")).to_contain_text("đường ngập")
        expect(page.locator(f".bar a[href='/alarm/{alarm['id']}']")).to_be_visible()
        first = page.url
        page.go_back()
        expect(page).to_have_url(re.compile(rf"/alarm/{alarm['id']}$"))
        page.get_by_role("link", name="Soạn cảnh báo").click()
        expect(page).to_have_url(first)
        until = page.locator("[name=expires_at]")
        expect(until).to_have_value(re.compile(r"^\d\d/\d\d/\d{4} \d\d:\d\d$"))
        choose_a_time(page, until)
        page.get_by_role("button", name="Lưu bản soạn").click()
        page.reload()
        expect(until).to_have_value("06/01/2030 07:05")


def choose_a_time(page: Page, field: Locator) -> None:
    """In the form of the province, whatever the browser speaks; the calendar by keyboard."""
    field.fill("31/2/2030 7:05")
    field.press("Tab")
    expect(page.get_by_text("Ghi theo dạng dd/mm/yyyy HH:MM")).to_be_visible()
    field.fill("5/1/2030 7:05")
    field.press("Tab")
    expect(page.get_by_text("Ghi theo dạng")).to_have_count(0)
    expect(field).to_have_value("05/01/2030 07:05")
    page.keyboard.press("Enter")
    calendar = page.get_by_role("dialog", name="Tháng 1/2030")
    expect(calendar.locator("[data-day='2030-01-05']")).to_be_focused()
    page.keyboard.press("Escape")
    expect(calendar).to_have_count(0)
    page.keyboard.press("Enter")
    expect(calendar.locator("[data-day='2030-01-05']")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(field).to_have_value("06/01/2030 07:05")


def draw_a_triangle(page: Page) -> None:
    """Two corners by mouse, the third by keyboard."""
    page.locator(".side > button").click()
    canvas = page.locator(".map canvas")
    canvas.scroll_into_view_if_needed()
    expect(page.locator(".map")).to_have_attribute("data-rings", "1", timeout=SLOW_MS)
    for x, y in ((80, 80), (220, 90)):
        canvas.click(position={"x": x, "y": y})
    expect(page.locator("fieldset ol li")).to_have_count(2)
    page.locator("fieldset > button").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator("fieldset ol li")).to_have_count(3)
    lat = page.locator("fieldset ol li").nth(2).locator("input").first
    lat.fill("10,9")
    lat.press("Tab")
    expect(page.locator(".map")).to_have_attribute("data-rings", "2")


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc0000000030001f7e2a1a40000000049454e44ae426082"
)


def foreign_of(path: Path) -> ForeignWarning:
    """A message of another authority as a feed would have brought it."""
    (received,) = read_document(path.read_bytes()).messages
    alert = received.alert
    return ForeignWarning(
        "kttv", alert.sender, alert.identifier, alert.sent_at, alert.status, alert.msg_type,
        "Event", "Headline", Severity.MODERATE, "", "urn:x:1", received.document, NOW,
    )  # fmt: skip


def test_a_file_goes_with_it_and_others_are_answered(tmp_path: Path, browser: Browser) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environ = {
        "DOTHI_SERVER__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DOTHI_WARNINGS__SENDER": "pctt@example.gov.vn",
    }
    with Program(tmp_path / "data", "--port", port, environ=environ) as dothi:
        administrator = dothi.signed_in()
        body = {"id": "lan", "name": "Lan (test)", "positions": ["duty_officer"]}
        assert administrator.post("/api/v1/people", json=body).status_code == 201
        with open_registers(DataFolder(dothi.data_dir), SystemClock()) as registers:
            registers.foreign_warnings.put([foreign_of(DATA / "canada.cap")])
        with signed_in(browser, dothi, administrator, "lan") as page:
            page.goto("/warnings")
            page.locator("button.primary").click()
            page.locator("[name=vi-headline]").fill("Triều cường vượt báo động III")
            page.locator(".picker input[type=file]").set_input_files(
                {"name": "ngap.png", "mimeType": "image/png", "buffer": PNG}
            )
            files = page.get_by_test_id("attachments")
            expect(files).to_contain_text("ngap.png")
            expect(page.get_by_text("Tệp chưa có mô tả")).to_be_visible()
            files.locator("[name=file-vi]").fill("Bản đồ ngập dự báo")
            expect(page.get_by_text("Tệp chưa có mô tả")).to_be_hidden()
            expect(page.get_by_test_id("public").get_by_alt_text("Bản đồ ngập")).to_be_visible()
            page.locator(".side > button").click()
            expect(page.get_by_role("alert")).to_have_count(0)
            page.once("dialog", lambda dialog: dialog.accept())
            page.goto("/warnings?tab=foreign")
            page.locator("tbody button").first.click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_role("button", name="Báo lỗi").click()
            dialog.get_by_label("Lỗi ở đâu").fill("Thiếu bản tiếng Việt")
            dialog.get_by_role("button", name="Gửi báo lỗi").click()
            expect(dialog.get_by_test_id("answers")).to_contain_text("Thiếu bản tiếng Việt")
            dialog.get_by_role("button", name="Báo đã nhận").click()
            expect(dialog.get_by_test_id("answers").locator("li")).to_have_count(2)
            expect(dialog.get_by_role("button", name="Báo đã nhận")).to_have_count(0)
        feed = httpx.get(f"{dothi.url}/cap/answers.atom").text
        assert "Thiếu bản tiếng Việt" in feed
