"""The screens of public warnings in turn, see support.screens."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from support.browser import SLOW_MS, go_to


def warning_screens(page: Page) -> Iterator[str]:
    """Leaves a draft behind."""
    go_to(page, "/warnings")
    expect(page.locator("#main .bar .feed")).to_be_visible()
    yield "warnings"
    page.locator("#main button.primary").click()
    expect(page.locator("[data-fit=false]")).to_be_visible(timeout=SLOW_MS)
    page.locator("[name=event]").select_option("flood")
    page.locator("[name=risk_level]").select_option("5")
    page.locator("[name=vi-headline]").fill("Lũ lên nhanh trên sông Đồng Nai")
    page.locator("[name=sms]").fill("Lũ lên nhanh " * 8)
    expect(page.locator("[data-count=sms].bad")).to_be_visible(timeout=SLOW_MS)
    page.locator(".side > button").click()
    yield "warning with errors"
    page.locator("[name=expires_at] + button").click()
    expect(page.locator("[data-day]:focus")).to_be_visible()
    yield "calendar of a field"
    page.keyboard.press("Escape")
    expect(page.locator("[data-day]")).to_have_count(0)
    page.locator("#main .actions button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "warning to discard"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.once("dialog", lambda dialog: dialog.accept())
    go_to(page, "/warnings?tab=foreign")
    expect(page.locator("#main .notice")).to_be_visible()
    yield "warnings of others"
