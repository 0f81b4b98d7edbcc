"""The screens of alarms, suppressions and rules in turn, see support.screens."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from support.browser import SLOW_MS, go_to

_ROW = "[data-alarm-row]"
_PLAN = """async () => {
    const answer = await fetch('/api/v1/alarms/suppressions');
    if ((await answer.json()).length) return;
    await fetch('/api/v1/alarms/suppressions', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
            cause: 'permit',
            permit: 'GP-12',
            rule: 'no-data-air',
            reason: 'Đổi máy',
        }),
    });
}"""
"""A rule out of service; the second time it is so already."""


def alarm_screens(page: Page) -> Iterator[str]:
    """Of the example, whose first alarms come with its first values."""
    go_to(page, "/alarms")
    expect(page.locator(_ROW).first).to_be_visible(timeout=SLOW_MS)
    yield "alarms"
    page.locator(f"{_ROW} a").first.focus()
    page.keyboard.press("s")
    expect(page.locator("dialog [name=reason]")).to_be_visible(timeout=SLOW_MS)
    yield "alarm to shelve"
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    go_to(page, "/alarms?q=xyz-nothing")
    expect(page.locator("#main .notice")).to_be_visible(timeout=SLOW_MS)
    yield "no such alarms"
    go_to(page, "/alarms")
    page.locator(f"{_ROW} a").first.click()
    expect(page.get_by_test_id("alarm-record")).to_be_visible(timeout=SLOW_MS)
    yield "alarm"
    page.evaluate(_PLAN)
    go_to(page, "/suppressions")
    expect(page.locator("[data-suppression]").first).to_be_visible(timeout=SLOW_MS)
    yield "suppressions"
    page.locator("[data-suppression] button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "suppression to end"
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    for cause in ("permit", "flood"):
        go_to(page, f"/suppressions?new={cause}")
        expect(page.get_by_test_id("suppress")).to_be_visible(timeout=SLOW_MS)
        yield f"new suppression, {cause}"
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
    go_to(page, "/alarm_performance?span=day")
    expect(page.locator("#main table").first).to_be_visible(timeout=SLOW_MS)
    yield "alarm performance"


def rule_screens(page: Page) -> Iterator[str]:
    """Leaves nothing behind."""
    go_to(page, "/rules")
    expect(page.get_by_test_id("rules").locator("tbody tr").nth(3)).to_be_visible(timeout=SLOW_MS)
    yield "rules"
    go_to(page, "/rules/water-level-i")
    expect(page.locator("#main dl")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_test_id("back-test").locator(".figure").first).to_be_visible(timeout=SLOW_MS)
    yield "rule"
    go_to(page, "/rules?view=edit")
    form = page.get_by_test_id("rule-editor")
    form.locator("select").first.select_option("all_of")
    expect(form.locator(".parts select").first).to_be_visible()
    yield "rule editor"
    form.locator("select").first.select_option("geofence")
    fence = page.get_by_test_id("fence")
    fence.locator("[value=drawn]").check()
    expect(fence.locator("canvas")).to_be_visible(timeout=SLOW_MS)
    for _ in range(3):
        fence.locator("fieldset > button").click()
    yield "fence of a rule"
    go_to(page, "/rules?view=why")
    expect(page.locator("[data-search]")).to_be_visible()
    yield "why no alarm, nothing asked"
    station = "urn:ngsi-ld:WaterObserved:wl-phu-an"
    go_to(page, f"/rules?view=why&entity={station}")
    expect(page.get_by_test_id("why-not").locator("tbody tr").first).to_be_visible(timeout=SLOW_MS)
    yield "why no alarm"
    go_to(page, "/rules?view=limits&every=1")
    expect(page.locator("[data-limits] tbody tr").first).to_be_visible(timeout=SLOW_MS)
    yield "dated limits"
    page.locator("[data-limits=alarm-levels] .acts button").last.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "limit to end"
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.locator("#main button.primary").first.click()
    expect(page.get_by_test_id("add-limit")).to_be_visible()
    yield "new limit"
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    go_to(page, "/rules?view=limits&day=1990-01-01")
    expect(page.locator("#main .notice")).to_be_visible()
    yield "no limits on that day"
