"""WCAG 2.2 AA of alarms, rules, notices, answers and the wall, and a walk by keyboard."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from cap_samples import DATA
from dothi.app.data_folder import DataFolder
from dothi.app.stores import open_registers
from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.ports.clock import SystemClock
from e2e.test_accessibility import audit, axe, opened, walk_by_tab
from e2e.test_alarms_screen import fill
from e2e.test_warnings import foreign_of
from support.browser import SLOW_MS
from support.operation_screens import operation_screens
from support.program import Program
from unit.app.http.test_recorder import RULE

pytestmark = [pytest.mark.needs("chromium", "node"), pytest.mark.thorough]

__all__ = ["axe"]
INCIDENT = {"title": "Ngập đường ven sông", "severity": 2}


Filled = tuple[Program, list[Any]]
"""And the cookies of the administrator."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Alarms, a rule, somebody with a notice, an incident, a warning of others."""
    data = tmp_path_factory.mktemp("operations") / "data"
    fill(data)
    environ = {"DOTHI_WARNINGS__SENDER": "pctt@example.gov.vn"}
    with Program(data, environ=environ) as dothi, closing(dothi.signed_in()) as admin:
        for path, body in (
            ("people", {"id": "an", "name": "An (test)", "positions": ["operator"]}),
            ("rules", RULE),
            ("incidents", INCIDENT),
        ):
            assert admin.post(f"/api/v1/{path}", json=body).status_code == 201, path
        with open_registers(DataFolder(data), SystemClock()) as registers:
            registers.foreign_warnings.put([foreign_of(DATA / "canada.cap")])
            now, told = SystemClock().now(), {"text": "Mực nước cao"}
            registers.notices.put(
                [Notice("n1", "alarm.raised", now, Priority.HIGH, "alarm:1", told, people=("an",))]
            )
        cookies = [
            {"name": one.name, "value": one.value, "url": dothi.url} for one in admin.cookies.jar
        ]
        yield dothi, cookies


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_axe_finds_nothing(browser: Browser, filled: Filled, axe: str, lang: str) -> None:
    with opened(browser, *filled, {"lang": lang, "theme": "light"}) as page:
        found = [
            f"{screen}: {one}"
            for screen in operation_screens(page)
            for one in audit(page, axe, screen, in_dark=True)
        ]
    assert found == []


def test_incident_and_warning_are_walked_by_keyboard(browser: Browser, filled: Filled) -> None:
    with opened(browser, *filled) as page:
        page.goto("/incident/1")
        expect(page.get_by_test_id("incident-timeline")).to_be_visible(timeout=SLOW_MS)
        assert len(walk_by_tab(page, 45)) > 30
        _press_button(page, "Đổi trạng thái")
        walk_by_tab(page, 8)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.goto("/warnings")
        _press_button(page, "Soạn cảnh báo")
        expect(page.locator("[data-fit=false]")).to_be_visible(timeout=SLOW_MS)
        assert len(walk_by_tab(page, 60)) > 25
        page.goto("/warnings?tab=foreign")
        page.locator("#main tbody button").first.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog").locator("pre").first).to_be_visible()
        walk_by_tab(page, 8)


def _press_button(page: Page, name: str) -> None:
    button = page.get_by_role("button", name=name)
    button.focus()
    page.keyboard.press("Enter")
