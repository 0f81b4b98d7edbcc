"""The screens of many alarms, notices and the wall in turn; what the example shows as well stands
in support.screens. Over alarms, a notice and warnings of others that are there."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from support.browser import SLOW_MS, go_to

ALARM = "[data-alarm-row]"


def operation_screens(page: Page) -> Iterator[str]:
    yield from alarm_screens(page)
    yield from notice_screens(page)
    yield from answer_screens(page)
    page.goto("/wall")
    expect(page.locator("main h2, main h3, main section").first).to_be_visible(timeout=SLOW_MS)
    yield "wall"


def alarm_screens(page: Page) -> Iterator[str]:
    page.goto("/alarms")
    expect(page.locator(ALARM).nth(4)).to_be_visible(timeout=SLOW_MS)
    yield "alarms"
    page.locator(f"{ALARM} a").first.click()
    expect(page.get_by_test_id("alarm-record")).to_be_visible(timeout=SLOW_MS)
    yield "alarm"


def notice_screens(page: Page) -> Iterator[str]:
    go_to(page, "/notices")
    page.locator("[data-notice]").first.click()
    expect(page.get_by_test_id("notice-detail").locator("ol li").first).to_be_visible()
    yield "notice"
    go_to(page, "/notices?view=channels")
    expect(page.locator("#main table, #main .notice").first).to_be_visible()
    yield "channels"
    go_to(page, "/notices?view=mine")
    expect(page.locator("#main form, #main .notice").first).to_be_visible()
    yield "preferences"


def answer_screens(page: Page) -> Iterator[str]:
    go_to(page, "/warnings?tab=foreign")
    page.locator("#main tbody button").first.click()
    expect(page.get_by_role("dialog").locator("pre").first).to_be_visible()
    page.get_by_role("dialog").locator("[aria-expanded]").click()
    yield "warning of others, to be answered"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
