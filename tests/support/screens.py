"""Every screen of the console in turn, by marks that do not depend on the language."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from support.browser import SLOW_MS, expect_things_on_map, first_station, go_to
from support.warning_screens import warning_screens

ROW = "[role=grid] [data-row]"
ENTITY_LINK = "[data-entity]"
"""Names in the list of the entity browser."""
_REGISTER = """() => fetch('/ngsi-ld/v1/csourceRegistrations', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
        id: 'urn:ngsi-ld:ContextSourceRegistration:trams',
        type: 'ContextSourceRegistration',
        registrationName: 'trams',
        information: [{ entities: [{ type: 'Tram' }] }],
        endpoint: 'https://trams.example.org',
    }),
})"""
"""A broker of things that the example does not have; the second time it is there already."""


def all_screens(page: Page) -> Iterator[str]:
    """Name of each screen, while `page` shows it: the hub runs the example, the page is signed in.

    Leaves a new source behind, named after the language.
    """
    yield from map_screens(page)
    yield from entity_browser(page)
    yield from entity_and_trends(page)
    yield from registration_screens(page)
    yield from source_screens(page)
    yield from warning_screens(page)
    yield from dialogs(page)
    go_to(page, "/nowhere")
    expect(page.locator("#main a[href='/map']")).to_be_visible()
    yield "unknown screen"


def main_screens(page: Page) -> Iterator[str]:
    """The screens whose layout the size of the window changes."""
    yield from map_screens(page)
    yield from entity_browser(page)
    yield from entity_and_trends(page)
    yield from registration_screens(page)
    yield from source_screens(page)
    yield from warning_screens(page)


def map_screens(page: Page) -> Iterator[str]:
    page.goto("/map")
    expect_things_on_map(page)
    yield "map"
    page.locator("[data-search]").fill("thu dau mot")
    expect(page.locator("[role=option]").nth(1)).to_be_visible()
    yield "search"
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("selection").locator("figcaption").first).to_be_visible()
    yield "map with selection"


def entity_browser(page: Page) -> Iterator[str]:
    go_to(page, "/entities")
    expect(page.locator(ENTITY_LINK).nth(3)).to_be_visible(timeout=SLOW_MS)
    yield "entities"
    page.locator("[aria-controls=q-help]").click()
    page.locator("[aria-controls=q-more]").click()
    page.locator("[aria-controls$=-list]").fill("pm25>>3")
    expect(page.locator("#q-problem.bad")).to_be_visible(timeout=SLOW_MS)
    yield "entities, filter refused"
    go_to(page, "/entities?q=pm25")
    page.locator(ENTITY_LINK).first.click()
    expect(page.get_by_test_id("json")).to_be_visible(timeout=SLOW_MS)
    yield "entity as JSON"
    page.get_by_test_id("entity-detail").locator(".tabs button").nth(1).click()
    expect(page.get_by_test_id("history")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_test_id("entity-detail").locator("canvas")).to_be_visible(timeout=SLOW_MS)
    yield "history of an attribute"


def entity_and_trends(page: Page) -> Iterator[str]:
    station = first_station(page)
    go_to(page, f"/entity/{station}")
    expect(page.get_by_test_id("entity-trend").locator("canvas")).to_be_visible()
    yield "entity"
    go_to(page, "/trends")
    expect(page.locator("[data-search]")).to_be_visible()
    yield "trends without series"
    page.locator("[data-search]").fill("593")
    page.keyboard.press("Enter")
    expect(page.locator(".picker button").first).to_be_visible()
    yield "choice of an attribute"
    page.locator("aside .picker button").first.click()
    expect(page.locator(".charts canvas")).to_be_visible()
    yield "trends"


def source_screens(page: Page) -> Iterator[str]:
    go_to(page, "/sources")
    expect(page.locator(ROW).nth(3)).to_be_visible()
    yield "sources"
    page.locator(ROW).nth(1).get_by_role("link").click()
    expect(page.get_by_test_id("source-detail").locator("svg rect.stored").first).to_be_attached()
    yield "source"


def registration_screens(page: Page) -> Iterator[str]:
    page.evaluate(_REGISTER)
    go_to(page, "/registrations")
    expect(page.locator("#main tbody tr").first).to_be_visible()
    yield "registrations"
    page.locator("#main tbody button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "registration to delete"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def dialogs(page: Page) -> Iterator[str]:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "keys"
    page.keyboard.press("Escape")
    page.locator(".add").click()
    page.locator("#source-id").fill("no source!")
    yield "new source, refused"
    page.locator("#source-id").fill(f"gauge-{page.locator('html').get_attribute('lang')}")
    page.locator("dialog button.primary").click()
    expect(page.get_by_role("dialog").locator("pre").first).to_be_visible()
    yield "new token"
    page.keyboard.press("Escape")
    page.locator(".menu > button").click()
    expect(page.locator("#settings")).to_be_visible()
    yield "settings"
    page.keyboard.press("Escape")
    expect(page.locator("#settings")).to_be_hidden()
