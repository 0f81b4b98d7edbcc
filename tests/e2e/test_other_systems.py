"""What other systems are told and asked, in a real Chromium: subscriptions and other brokers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from answering import Reply, Service, answering
from support.browser import Cookies, go_to
from support.program import Program

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]

ROOM = "urn:ngsi-ld:Room:1"
DEAD = "http://127.0.0.1:9"
"""Nobody listens at the discard port."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Empty; everybody on this machine may use it, so it may call this machine too."""
    quick = {"RETRY_S": "0.1", "MAX_RETRY_S": "0.5"}
    environ = {f"DOTHI_NGSI_LD__NOTIFY__{name}": value for name, value in quick.items()}
    data: Path = tmp_path_factory.mktemp("others") / "data"
    with Program(data, environ={"DOTHI_ACCESS__MODE": "open", **environ}) as dothi:
        yield dothi


@pytest.fixture
def cookies() -> Cookies:
    """Nobody signs in here."""
    return []


@pytest.fixture
def other() -> Iterator[Service]:
    """Another system that works."""
    with answering() as service:
        yield service


def send(hub: Program, method: str, path: str, document: Any = None) -> httpx.Response:
    """As another system does, over the public API."""
    answer = httpx.request(method, f"{hub.url}/ngsi-ld/v1{path}", json=document)
    assert answer.is_success, answer.text
    return answer


def subscribe(hub: Program, name: str, uri: str) -> str:
    document = {
        "type": "Subscription",
        "subscriptionName": name,
        "entities": [{"type": "Room"}],
        "notification": {"endpoint": {"uri": uri}},
    }
    location = send(hub, "POST", "/subscriptions", document).headers["location"]
    return location.rpartition("/")[2]


def cells(page: Page, name: str) -> Locator:
    """What stands in the row of that name."""
    return page.locator("#main tbody tr", has_text=name).locator("td")


def test_how_the_delivery_of_subscriptions_goes(page: Page, hub: Program, other: Service) -> None:
    other.reply("/notify", Reply())
    subscribe(hub, "Phòng trực", f"{other.url}/notify")
    page.goto("/sources")
    outgoing = page.get_by_test_id("outgoing")
    expect(outgoing).to_contain_text("1 đăng ký")
    expect(outgoing.locator(".bad")).to_have_count(0)
    dead = subscribe(hub, "Máy hỏng", f"{DEAD}/x")
    room = {"id": ROOM, "type": "Room", "a": {"type": "Property", "value": 0}}
    send(hub, "POST", "/entities", room)
    for value in (1, 2):
        attribute = {"a": {"type": "Property", "value": value}}
        send(hub, "PATCH", f"/entities/{ROOM}/attrs", attribute)
    # Data sources say at a glance that somebody is not told, and how much waits for it.
    expect(outgoing.locator(".bad")).to_have_text("1 nơi không nhận được")
    expect(outgoing).to_contain_text("2 đăng ký")
    expect(outgoing).to_contain_text("3 thông báo chờ gửi")
    outgoing.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/subscriptions$"))
    bad, good = cells(page, "Máy hỏng"), cells(page, "Phòng trực")
    expect(page.locator("#main tbody tr").first).to_contain_text("Máy hỏng")
    expect(bad.nth(0)).to_have_text("nơi nhận không trả lời")
    expect(bad.nth(1)).to_have_text(f"{DEAD}/x")
    expect(bad.nth(2)).to_have_text("3")
    expect(bad.nth(4)).to_have_text("1")
    expect(bad.nth(6)).to_contain_text("Connection refused")
    expect(bad.nth(5)).to_have_text("chưa có")
    expect(bad.nth(6)).to_contain_text("refused")
    expect(good.nth(0)).to_have_text("gửi tốt")
    expect(good.nth(2)).to_have_text("0")
    expect(good.nth(3)).to_have_text("3")
    expect(good.nth(4)).to_have_text("0")
    expect(good.nth(6)).to_have_text("chưa có")
    page.get_by_role("button", name="Tạm dừng Máy hỏng").click()
    expect(bad.nth(0)).to_have_text("tạm dừng")
    assert send(hub, "GET", f"/subscriptions/{dead}").json()["status"] == "paused"
    go_to(page, "/sources")
    expect(outgoing).to_contain_text("2 đăng ký")
    expect(outgoing.locator(".bad")).to_have_count(0)


def register(hub: Program, name: str, endpoint: str, mode: str, type_name: str) -> str:
    document = {
        "type": "ContextSourceRegistration",
        "registrationName": name,
        "information": [{"entities": [{"type": type_name}], "propertyNames": ["speed"]}],
        "endpoint": endpoint,
        "mode": mode,
        "operations": ["queryEntity"],
    }
    location = send(hub, "POST", "/csourceRegistrations", document).headers["location"]
    return location.rpartition("/")[2]


def test_other_brokers_with_their_mode_and_how_they_answer(
    page: Page, hub: Program, other: Service
) -> None:
    other.reply("/ngsi-ld/v1/entities", Reply(b"[]", headers={"content-type": "application/json"}))
    register(hub, "Xe điện", other.url, "inclusive", "Tram")
    gone = register(hub, "Máy hỏng", DEAD, "redirect", "Bus")
    register(hub, "Đèn đường", other.url, "auxiliary", "Lamp")
    page.goto("/sources")
    page.get_by_role("link", name="Broker khác").click()
    expect(page.locator("#main tbody tr")).to_have_count(3)
    for name in ("Xe điện", "Máy hỏng", "Đèn đường"):
        expect(cells(page, name).nth(0)).to_have_text("Chưa hỏi")
    for type_name in ("Tram", "Bus"):
        httpx.get(f"{hub.url}/ngsi-ld/v1/entities", params={"type": type_name})
    trams, bad, lamps = cells(page, "Xe điện"), cells(page, "Máy hỏng"), cells(page, "Đèn đường")
    expect(bad.nth(0)).to_have_text("Đang lỗi")
    expect(page.locator("#main tbody tr").first).to_contain_text("Máy hỏng")
    expect(bad.nth(1)).to_have_text("chuyển tiếp")
    expect(bad.nth(2)).to_contain_text(DEAD)
    expect(bad.nth(3)).to_have_text("1")
    expect(bad.nth(4)).to_have_text("1")
    expect(trams.nth(0)).to_have_text("Trả lời")
    expect(trams.nth(1)).to_have_text("cùng giữ")
    expect(trams.nth(3)).to_have_text("1")
    expect(trams.nth(4)).to_have_text("0")
    expect(lamps.nth(0)).to_have_text("Chưa hỏi")
    expect(lamps.nth(1)).to_have_text("bổ sung")
    page.goto("/sources")
    brokers = page.get_by_test_id("brokers")
    expect(brokers).to_contain_text("3 đã đăng ký")
    expect(brokers).to_contain_text("1 nơi không hỏi được")
    brokers.get_by_role("link", name="Broker khác").click()
    page.get_by_role("button", name="Xoá Máy hỏng").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(DEAD)
    dialog.get_by_role("button", name="Hủy").click()
    expect(page.locator("#main tbody tr")).to_have_count(3)
    page.get_by_role("button", name="Xoá Máy hỏng").click()
    dialog.locator("button.primary").click()
    expect(page.locator("#main tbody tr")).to_have_count(2)
    path = f"{hub.url}/ngsi-ld/v1/csourceRegistrations/{gone}"
    assert httpx.get(path).status_code == 404
