"""The screens of procedures in turn, see support.screens."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from support.browser import SLOW_MS, go_to


def procedure_screens(page: Page) -> Iterator[str]:
    """Stores nothing."""
    go_to(page, "/procedures")
    expect(page.get_by_test_id("procedures")).to_be_visible(timeout=SLOW_MS)
    yield "procedures"
    go_to(page, "/procedures/flood-evening")
    expect(page.get_by_test_id("sop-versions")).to_be_visible()
    yield "a procedure"
    go_to(page, "/procedures/flood-evening?view=edit")
    expect(page.get_by_test_id("sop-clocks")).to_be_visible(timeout=SLOW_MS)
    yield "editor of a procedure"
    page.locator("[aria-pressed=false]").first.click()
    text = page.locator("#sop-toml")
    text.fill(text.input_value().replace("15 min", "soon"))
    expect(page.get_by_test_id("sop-finding").locator("button")).to_be_visible()
    yield "procedure with an error"
