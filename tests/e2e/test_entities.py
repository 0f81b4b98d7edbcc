"""The entity browser in a real Chromium, over the public NGSI-LD API of a hub with its example."""

import csv
import io
import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import SLOW_MS, go_to
from support.program import Program
from support.screens import ENTITY_LINK

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]

AIR = "urn:ngsi-ld:AirQualityObserved:air-binh-duong-593"


def open_entities(page: Page, query: str = "") -> None:
    page.goto(f"/entities{query}")
    expect(page.locator(ENTITY_LINK).first).to_be_visible(timeout=SLOW_MS)


def shown(page: Page) -> list[str]:
    """Ids of the rows that are drawn."""
    found: list[str] = page.locator(ENTITY_LINK).evaluate_all(
        "links => links.map(a => a.dataset.entity)"
    )
    return found


def total(page: Page) -> int:
    """The number of entities that the page says it found."""
    words = page.locator(".words")
    expect(words).to_contain_text(re.compile(r"thực thể|entities"), timeout=SLOW_MS)
    return int(re.findall(r"[\d.]+", words.inner_text())[-1].replace(".", ""))


def query_box(page: Page) -> Any:
    return page.get_by_role("combobox", name="Bộ lọc q")


def test_the_list_shows_what_the_public_api_says(page: Page) -> None:
    open_entities(page)
    answer = page.request.get("/ngsi-ld/v1/entities?local=true&limit=0&count=true")
    assert total(page) == int(answer.headers["ngsild-results-count"]) >= 60
    assert answer.json() == []
    row = page.locator("[role=row]", has=page.locator(f"[data-entity='{AIR}']"))
    expect(row).to_contain_text("593 Đại lộ Bình Dương")
    expect(row).to_contain_text("phát lại")
    expect(row).to_contain_text("µg/m³")
    expect(row.get_by_role("img").first).to_have_attribute("aria-label", re.compile("ước|tốt|cũ"))


def test_types_with_counts_are_found_and_chosen(page: Page) -> None:
    open_entities(page)
    types = page.get_by_role("region", name="Loại")
    every = total(page)
    expect(types.get_by_role("button", name="Mọi loại")).to_contain_text(str(every))
    rows = types.locator("[data-row] button")
    air = rows.filter(has_text="AirQualityObserved")
    expect(air).to_contain_text(re.compile(r"\d"))
    counted = int(re.findall(r"\d+", air.inner_text())[-1])
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Tìm loại")).to_be_focused()
    page.keyboard.type("airq")
    expect(rows).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("type=AirQualityObserved"))
    expect(page.locator(".words")).to_contain_text(f"{counted} thực thể")
    expect(rows.first).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("columnheader").nth(1)).to_have_text("Thay đổi")
    box = query_box(page)
    box.fill("pl")
    expect(page.get_by_role("option", name="placeNote")).to_be_visible(timeout=SLOW_MS)


def test_small_results_are_put_in_order(page: Page) -> None:
    open_entities(page, "?type=AirQualityObserved&cols=pm25")
    head = page.get_by_role("columnheader", name="PM2.5")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert "sort=-pm25" in page.url
    asked = "type=AirQualityObserved&local=true&orderBy=pm25;desc&options=simplified&limit=100"
    expect(page.locator(".list")).to_have_attribute("aria-busy", "false")
    ids = [one["id"] for one in page.request.get(f"/ngsi-ld/v1/entities?{asked}").json()]
    # Values may change between the two questions: the highest stand far apart.
    assert shown(page)[0] == ids[0]
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "none")


def test_what_a_link_selects_is_seen_in_the_list(page: Page) -> None:
    page.goto("/entities?limit=100")
    listed = page.request.get("/ngsi-ld/v1/entities?local=true&limit=100").json()
    last = listed[-1]["id"]
    page.goto(f"/entities?sel={last}")
    expect(page.locator(f"[data-entity='{last}']")).to_be_in_viewport(timeout=SLOW_MS)


def test_a_filter_narrows_the_list_and_stands_in_the_url(page: Page) -> None:
    open_entities(page)
    every = total(page)
    query_box(page).fill("pm25")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=pm25"))
    expect(page.locator(".words")).not_to_contain_text(str(every))
    assert 0 < total(page) < every
    assert all(":AirQualityObserved:" in one for one in shown(page))
    narrowed = total(page)
    page.reload()
    expect(query_box(page)).to_have_value("pm25")
    assert total(page) == narrowed
    page.get_by_role("button", name="Xóa lọc").click()
    expect(page).not_to_have_url(re.compile(r"q="))
    assert total(page) == every


def test_a_wrong_filter_says_why_while_it_is_typed(page: Page) -> None:
    open_entities(page)
    every = total(page)
    box = query_box(page)
    box.fill("pm25>>3")
    said = "Bộ lọc q: sai ở ký tự thứ 6, trước “>3”: thiếu giá trị"
    expect(page.locator("#q-problem")).to_contain_text(said)
    expect(box).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    assert box.evaluate("box => box.selectionStart") == 5
    assert "q=" not in page.url
    assert total(page) == every
    box.fill("pm25>3")
    expect(page.locator("#q-problem")).to_have_text("")
    expect(box).to_have_attribute("aria-invalid", "false")
    page.goto("/entities?q=pm25%3E%3E3")
    expect(page.locator(".list .notice")).to_contain_text("Bộ lọc có lỗi")


def test_help_inserts_examples_and_names_are_completed(page: Page) -> None:
    open_entities(page, "?q=pm25")
    page.get_by_role("button", name="Cú pháp").click()
    page.get_by_role("button", name=re.compile(r"^\w+>25$")).click()
    box = query_box(page)
    expect(box).to_have_value(re.compile(r"^pm25;\w+>25$"))
    expect(box).to_be_focused()
    box.fill("")
    box.press_sequentially("pm")
    expect(page.get_by_role("option", name="pm25")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value(re.compile("^pm(25|10)$"))
    assert "q=pm25" in page.url, "choosing a name asks nothing yet"
    box.fill('name~="Trà Vinh"')
    page.keyboard.press("Enter")
    expect(page.locator(ENTITY_LINK).first).to_contain_text("Trà Vinh")
    page.get_by_role("button", name="Xóa lọc").click()
    page.get_by_role("button", name='name~="Trà Vinh"').click()
    expect(page).to_have_url(re.compile("q=name"))
    expect(page.locator(ENTITY_LINK).first).to_contain_text("Trà Vinh")


def test_an_entity_in_every_representation(page: Page) -> None:
    open_entities(page, "?q=pm25")
    page.locator(f"[data-entity='{AIR}']").click()
    detail = page.get_by_test_id("entity-detail")
    expect(detail.get_by_role("heading", level=2)).to_contain_text("593 Đại lộ Bình Dương")

    def read() -> Any:
        return json.loads(detail.get_by_test_id("json").inner_text())

    text = detail.get_by_test_id("json")
    expect(text).to_contain_text('"observedAt"')
    assert read()["pm25"]["type"] == "Property"
    detail.get_by_role("radio", name="Cô đọng").check()
    expect(text).not_to_contain_text('"Property"')
    assert isinstance(read()["pm25"]["value"], float)
    detail.get_by_role("radio", name="Giản lược").check()
    expect(text).not_to_contain_text('"observedAt"')
    assert isinstance(read()["pm25"], float)
    detail.get_by_role("radio", name="GeoJSON").check()
    expect(text).to_contain_text('"Feature"')
    assert read()["geometry"]["type"] == "Point"
    detail.get_by_role("radio", name="Chuẩn hóa").check()
    detail.get_by_label("Kèm giờ hệ thống").check()
    expect(text).to_contain_text('"modifiedAt"')
    assert "sys=1" in page.url and AIR.rpartition(":")[2] in page.url
    with page.expect_download() as download:
        detail.get_by_role("button", name="Tải về").click()
    assert json.loads(download.value.path().read_text("utf-8"))["id"] == AIR
    page.reload()
    expect(text).to_contain_text('"modifiedAt"')
    detail.get_by_role("link", name="Mở trang thực thể").click()
    expect(page.get_by_test_id("entity-name")).to_contain_text("593 Đại lộ Bình Dương")
    page.go_back()
    expect(text).to_be_visible()
    page.keyboard.press("Escape")
    expect(detail).to_have_count(0)


def test_the_history_of_an_attribute(page: Page) -> None:
    page.goto(f"/entities?sel={AIR}&tab=history")
    detail = page.get_by_test_id("entity-detail")
    expect(detail.locator("canvas")).to_be_visible(timeout=SLOW_MS)
    rows = detail.get_by_test_id("history").locator("tbody tr")
    expect(rows.nth(3)).to_contain_text("µg/m³")
    detail.get_by_label("Thuộc tính", exact=True).select_option("name|")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Bình Dương")
    assert "attr=name" in page.url
    expect(detail.locator("canvas")).to_have_count(0)


def test_a_click_on_the_map_selects_in_the_list(page: Page) -> None:
    open_entities(page, f"?id={AIR}")
    expect(page.locator(".map .map")).to_have_attribute("data-entities", "1", timeout=SLOW_MS)
    canvas = page.locator(".maplibregl-canvas")
    detail = page.get_by_test_id("entity-detail")

    # The only thing of the page stands in the middle, once the map has arrived there.
    deadline = time.monotonic() + SLOW_MS / 1000
    while detail.count() == 0:
        assert time.monotonic() < deadline, "nothing was selected"
        canvas.click()
        page.wait_for_timeout(1_000)
    expect(page.locator("[role=row][aria-selected=true]")).to_contain_text("Bình Dương: 593")


def test_the_map_view_is_a_filter(page: Page) -> None:
    open_entities(page, "?box=106.4,10.8,106.9,11.2")
    inside = total(page)
    every = page.request.get("/ngsi-ld/v1/entities?local=true&limit=0&count=true")
    assert 0 < inside < int(every.headers["ngsild-results-count"])
    switch = page.get_by_label("Chỉ trong khung bản đồ này")
    expect(switch).to_be_checked()
    some = re.compile(r"^[1-9]\d*$")
    expect(page.locator(".map .map")).to_have_attribute("data-entities", some, timeout=SLOW_MS)
    assert "box=106.4,10.8,106.9,11.2" in page.url, "opening a link changes nothing"
    page.locator(".map").get_by_role("button", name="Phóng to").click()
    expect(page).not_to_have_url(re.compile("box=106.4,10.8"))
    switch.uncheck()
    expect(page).not_to_have_url(re.compile("box="))
    assert total(page) > inside


def test_the_result_as_json_and_csv(page: Page) -> None:
    open_entities(page, "?q=pm25&cols=pm25")
    found = total(page)
    page.get_by_role("button", name="Xuất").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Tải JSON").click()
    entities = json.loads(download.value.path().read_text("utf-8"))
    assert len({one["id"] for one in entities}) == found
    with page.expect_download() as download:
        page.get_by_role("button", name="Tải CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert {row["id"] for row in rows} == {one["id"] for one in entities}
    assert float(rows[0]["pm25"]) and rows[0]["pm25.unitCode"] == "GQ" and rows[0]["name"]


def test_columns_are_chosen_and_kept_in_the_url(page: Page) -> None:
    open_entities(page, "?q=pm25")
    heads = page.get_by_role("columnheader")
    expect(heads.last).to_have_text("Giá trị chính")
    page.get_by_role("button", name="Cột").click()
    page.get_by_role("checkbox", name="PM2.5").check()
    expect(heads.last).to_have_text("PM2.5")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Cột")).to_be_focused()
    assert "cols=pm25" in page.url


def test_the_browser_is_walked_by_keyboard(page: Page) -> None:
    open_entities(page)
    links = page.locator(ENTITY_LINK)
    expect(page.locator(f"{ENTITY_LINK}[tabindex='0']")).to_have_count(1)
    names = [links.nth(at).inner_text() for at in range(3)]
    links.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text(names[2])
    page.keyboard.press("Enter")
    detail = page.get_by_test_id("entity-detail")
    expect(detail.get_by_role("heading", level=2)).to_have_text(names[2])
    page.get_by_role("button", name="Đóng").focus()
    page.keyboard.press("Escape")
    expect(page.locator(":focus")).to_have_text(names[2])
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("/sources"))
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thực thể")


def test_an_entity_that_is_not_there_is_said_to_be_missing(page: Page) -> None:
    page.goto("/entities?sel=urn:ngsi-ld:Nothing:1")
    expect(page.get_by_test_id("entity-detail")).to_contain_text("Không có thực thể")
    go_to(page, "/entities?q=nothingHasThis")
    expect(page.locator(".list .notice")).to_contain_text("Không có thực thể nào khớp")


def test_an_empty_store_tells_how_to_begin(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Program(tmp_path_factory.mktemp("empty") / "data") as hub:
        client = hub.signed_in()
        context = browser.new_context(base_url=hub.url)
        context.add_cookies(
            [{"name": c.name, "value": c.value or "", "url": hub.url} for c in client.cookies.jar]
        )
        page = context.new_page()
        page.goto("/entities")
        expect(page.locator("pre")).to_contain_text("curl -i", timeout=SLOW_MS)
        body = re.search(r"-d '(.*)'$", page.locator("pre").inner_text(), re.DOTALL)
        assert body is not None
        made = client.post("/ngsi-ld/v1/entities", json=json.loads(body.group(1)))
        assert made.status_code == 201, made.text
        page.get_by_role("button", name="Tải lại").click()
        expect(page.locator(ENTITY_LINK)).to_contain_text("Hành chính công")
        expect(page.get_by_role("row").last).to_contain_text("3")
        context.close()


def test_a_broken_line_keeps_the_list_and_greys_its_values(page: Page) -> None:
    open_entities(page)
    expect(page.locator("html")).to_have_attribute("data-link", "open", timeout=SLOW_MS)
    page.route("**/ngsi-ld/**", lambda route: route.abort())
    before = shown(page)
    page.get_by_role("button", name="Tải lại").first.click()
    page.wait_for_timeout(500)
    assert shown(page) == before
    go_to(page, "/entities?q=pm25")
    expect(page.locator(".list")).to_be_visible()
    page.unroute("**/ngsi-ld/**")


@pytest.mark.parametrize(
    "question",
    [
        "type=AirQualityObserved",
        "idPattern=air-hcm",
        "id=" + AIR,
    ],
)
def test_other_filters_of_the_url(page: Page, question: str) -> None:
    open_entities(page, f"?{question}")
    answer = page.request.get(f"/ngsi-ld/v1/entities?local=true&limit=0&count=true&{question}")
    assert total(page) == int(answer.headers["ngsild-results-count"])
    assert 1 <= total(page) <= 20
