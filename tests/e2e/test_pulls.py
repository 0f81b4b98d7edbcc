"""The screen Sources and data health tells why a pull connector failed and when it tries again."""

import socket
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.browser import SLOW_MS, WINDOW, sign_in
from support.program import Program

pytestmark = pytest.mark.needs("chromium")


@pytest.mark.thorough
def test_a_failed_pull_is_on_the_screen(browser: Browser, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    data = tmp_path / "data"
    data.mkdir()
    (data / "dothi.toml").write_text(
        f"""[pull.connectors.weather]
        kind = "open_meteo"
        base_url = "http://127.0.0.1:{port}/v1/forecast"
        retries = 0
        source = "open-meteo"
        places = [{{ id = "a", lon = 106.65, lat = 10.98 }}]
        """
    )
    with Program(data) as hub:
        context = browser.new_context(base_url=hub.url, **WINDOW)
        sign_in(context, hub.url, hub.login_url)
        page = context.new_page()
        page.set_default_timeout(SLOW_MS)
        page.goto("/sources")
        row = page.get_by_role("row").nth(1)
        expect(row).to_contain_text("Open-Meteo", timeout=SLOW_MS)
        expect(row).to_contain_text("lỗi lấy dữ liệu", timeout=SLOW_MS)
        row.get_by_role("link").click()
        pull = page.get_by_test_id("pull")
        expect(pull).to_contain_text("weather")
        expect(pull).to_contain_text("Lần lấy gần nhất bị lỗi (1 lần liên tiếp)")
        expect(pull.locator(".error")).to_contain_text("127.0.0.1 did not answer")
        expect(pull).to_contain_text("sau ")
        context.close()
