"""The screen of notices: choosing how one is told, a test message, its record, the answer."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from playwright.sync_api import Browser, Page, expect

from mqtt_peers import free_port
from support.browser import SLOW_MS, signed_page
from support.node import installed_packages
from support.program import Program, run_here

pytestmark = [pytest.mark.needs("chromium", "node"), pytest.mark.thorough]
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AUDIT = """([within, tags]) => axe.run(within, {
    runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'],
}).then(found => found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html}: ${node.failureSummary}`)
))"""
SHOTS = os.environ.get("DOTHI_SHOTS", "")


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(envelope.original_content or b"")
        return "250 2.0.0 queued as 1"


@dataclass
class Hub:
    program: Program
    box: Mailbox


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    data = tmp_path_factory.mktemp("notices") / "data"
    data.mkdir()
    mail, nobody = free_port(), free_port()
    (data / "dothi.toml").write_text(
        f"""
[notices]
allow = ["127.0.0.0/8"]
retry_s = 0.2
[notices.email]
host = "127.0.0.1"
port = {mail}
security = "none"
sender = "truc@example.vn"
[notices.smpp]
host = "127.0.0.1"
port = {nobody}
timeout_s = 0.5
[notices.web_push]
subject = "mailto:truc@example.vn"
""",
        encoding="utf-8",
    )
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=mail)
    controller.start()
    try:
        with Program(data) as program:
            yield Hub(program, box)
    finally:
        controller.stop()


@pytest.fixture
def page(hub: Hub, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Signed in as somebody who can be told of things."""
    who = getattr(request, "param", "lan")
    details = ("--name", "Lan (thử)", "--position", "operator")
    contacts = ("--contact", "email=lan@example.org", "--contact", "sms=+84900000001")
    where = ("--data-dir", str(hub.program.data_dir))
    added = run_here("person", "add", who, *details, *contacts, *where)
    token = added.stdout.strip().partition("token=")[2]
    assert token, added.stderr
    with signed_page(browser, hub.program.url, f"/login?token={token}") as opened:
        yield opened


def shot(page: Page, name: str) -> None:
    """For the eyes of whoever sets DOTHI_SHOTS to a folder."""
    if not SHOTS:
        return
    for language, theme in (("vi", "light"), ("en", "dark")):
        page.evaluate(
            """([lang, theme]) => {
                    const kept = JSON.parse(localStorage.getItem('dothi.settings') ?? '{}');
                    localStorage.setItem('dothi.settings',
                        JSON.stringify({ ...kept, lang, theme }));
                }""",
            [language, theme],
        )
        page.reload()
        page.wait_for_selector("main#main .bar", timeout=SLOW_MS)
        time.sleep(1.0)
        page.screenshot(path=Path(SHOTS) / f"{name}-{language}-{theme}.png")
    page.evaluate("localStorage.removeItem('dothi.settings')")
    page.reload()


def audit(page: Page) -> None:
    """WCAG 2.2 AA, as far as axe sees it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((installed_packages() / "axe-core" / "axe.min.js").read_text())
    assert page.evaluate(AUDIT, [":root", LEVELS]) == []


ENDPOINT = "https://push.example.org/abc"
PUSH_ON, PUSH_OFF = "Nhận thông báo trên trình duyệt này", "Thôi nhận trên trình duyệt này"
PUSH_SERVICE = """endpoint => {
    const bytes = [4, ...Array(64).keys()];
    const text = (part) => btoa(String.fromCharCode(...part))
        .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const keys = { p256dh: text(bytes), auth: text(bytes.slice(0, 16)) };
    let kept = null;
    window.asked = [];
    PushManager.prototype.subscribe = async (options) => {
        window.asked.push(options);
        const unsubscribe = async () => { kept = null; return true; };
        kept = { endpoint, unsubscribe, toJSON: () => ({ endpoint, keys }) };
        return kept;
    };
    PushManager.prototype.getSubscription = async () => kept;
}"""
"""The push service of the browser's maker is outside; what the console does with it is not."""


@pytest.mark.parametrize("page", ["hoa"], indirect=True)
def test_a_browser_is_registered_for_push_and_taken_off_again(page: Page) -> None:
    page.context.grant_permissions(["notifications"])
    page.add_init_script(f"({PUSH_SERVICE})('{ENDPOINT}')")
    page.goto("/notices")
    page.get_by_role("radio", name="Tùy chọn của tôi").check()
    with page.expect_response(lambda one: one.request.method == "POST") as added:
        page.get_by_role("button", name=PUSH_ON).click()
    assert added.value.url.endswith("/api/v1/notices/push")
    assert added.value.status == 201, added.value.text()
    body = added.value.request.post_data_json
    assert body["endpoint"] == ENDPOINT
    assert body["name"].startswith("Chrome")
    assert set(body["keys"]) == {"p256dh", "auth"}
    key = page.evaluate("[asked[0].userVisibleOnly, asked[0].applicationServerKey]")
    assert key == [True, added.value.json()["public_key"]]
    scope = page.evaluate("navigator.serviceWorker.ready.then(one => one.active.scriptURL)")
    assert scope.endswith("/push-worker.js")
    page.get_by_role("button", name=PUSH_OFF).click()
    expect(page.get_by_role("button", name=PUSH_ON)).to_be_visible()
    answer = page.evaluate("fetch('/api/v1/notices/push').then(a => a.json())")
    assert answer["browsers"] == []


def test_from_preferences_to_the_answer(hub: Hub, page: Page) -> None:
    page.goto("/notices")
    expect(page.get_by_text("Chưa có thông báo nào.")).to_be_visible()
    shot(page, "empty")

    page.get_by_role("radio", name="Tùy chọn của tôi").check()
    form = page.get_by_test_id("preferences")
    expect(form.get_by_text("l…@example.org")).to_be_visible()
    form.get_by_role("radio", name="mức 1 và 2").check()
    form.get_by_label("Đưa Thư điện tử lên").click()
    form.get_by_role("button", name="Thêm giờ yên lặng").click()
    form.get_by_role("button", name="Lưu tùy chọn").click()
    expect(form.get_by_text("Đã lưu.")).to_be_visible()
    page.reload()
    expect(form.locator("input.clock").first).to_have_value("22:00")
    expect(form.locator("input[type=radio][value='2']")).to_be_checked()
    shot(page, "preferences")
    audit(page)

    form.get_by_role("button", name="Gửi thử cho tôi").click()
    form.get_by_role("link", name="Xem kết quả").click()
    detail = page.get_by_test_id("notice-detail")
    expect(detail.get_by_text("máy chủ đã nhận").first).to_be_visible(timeout=SLOW_MS)
    expect(detail.get_by_text("250 2.0.0 queued as 1").first).to_be_visible()
    expect(detail.get_by_text("Đây là thông báo thử của dothi")).to_be_visible()
    assert len(hub.box.mails) == 1
    shot(page, "list")
    audit(page)

    detail.get_by_label("Nội dung trả lời (có thể để trống)").fill("đã nhận")
    detail.get_by_role("button", name="Trả lời").click()
    expect(detail.get_by_text(re.compile("lan trả lời .* “đã nhận”"))).to_be_visible()
    expect(page.locator("#main tbody tr").first).to_contain_text("đã trả lời")

    page.get_by_role("radio", name="Kênh gửi").check()
    row = page.locator("#main tbody tr", has_text="SMS")
    expect(row).to_contain_text(re.compile("không liên lạc được|lần cuối bị lỗi"))
    expect(page.locator("#main tbody tr", has_text="Thư điện tử")).to_contain_text("gửi tốt")
    assert "view=channels" in page.url
    shot(page, "channels")
    audit(page)
