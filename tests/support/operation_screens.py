"""The screens of alarms, rules, notices and the wall in turn, see support.screens; over alarms,
a rule, a notice and warnings of others that are there."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from support.browser import SLOW_MS, go_to

ALARM = "[data-alarm-row]"


def operation_screens(page: Page) -> Iterator[str]:
    yield from alarm_screens(page)
    yield from rule_screens(page)
    yield from notice_screens(page)
    yield from answer_screens(page)
    page.goto("/wall")
    expect(page.locator("main h2, main h3, main section").first).to_be_visible(timeout=SLOW_MS)
    yield "wall"


def alarm_screens(page: Page) -> Iterator[str]:
    page.goto("/alarms")
    expect(page.locator(ALARM).nth(4)).to_be_visible(timeout=SLOW_MS)
    yield "alarms"
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "alarm to shelve"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator(f"{ALARM} a").first.click()
    expect(page.get_by_test_id("alarm-record")).to_be_visible(timeout=SLOW_MS)
    yield "alarm"
    go_to(page, "/alarm_performance")
    expect(page.locator("main h2, main h3, main section").first).to_be_visible(timeout=SLOW_MS)
    yield "performance of alarms"


def rule_screens(page: Page) -> Iterator[str]:
    go_to(page, "/rules")
    expect(page.get_by_test_id("rules")).to_be_visible(timeout=SLOW_MS)
    yield "rules"
    page.get_by_test_id("rules").locator("tbody a").first.click()
    expect(page.locator("main h2, main h3, main section").first).to_be_visible(timeout=SLOW_MS)
    yield "rule"
    go_to(page, "/rules?view=edit")
    expect(page.get_by_test_id("rule-editor")).to_be_visible(timeout=SLOW_MS)
    yield "new rule"
    go_to(page, "/rules?view=why")
    expect(page.locator("main form, main label").first).to_be_visible(timeout=SLOW_MS)
    yield "why not"


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
