"""Every screen of the console in turn, by marks that do not depend on the language."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from support.alarm_screens import alarm_screens, rule_screens
from support.browser import SLOW_MS, expect_things_on_map, first_station, go_to
from support.procedure_screens import procedure_screens
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
_STAFF = """async () => {
    const post = (path, body) => fetch('/api/v1/' + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
    });
    await post('people', {
        id: 'test',
        name: 'Người mẫu (test)',
        positions: ['operator', 'it'],
        contacts: { email: 'test@example.vn' },
    });
    await post('shifts', {
        position: 'operator',
        pattern: 'office',
        people: ['test'],
        first_day: '2026-11-30',
        days: 5,
    });
}"""
"""Somebody with shifts; the second time both are there already."""


_OPEN_INCIDENT = """() => fetch('/api/v1/incidents', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
        title: 'Ngập đường ven sông',
        severity: 2,
        procedure: 'flood-evening',
        points: [{ lon: 106.6577, lat: 10.9923, label: 'Bờ kè' }],
    }),
})"""


def all_screens(page: Page) -> Iterator[str]:
    """Name of each screen, while `page` shows it: the hub runs the example, the page is signed in.

    Leaves a new source behind, named after the language.
    """
    yield from map_screens(page)
    yield from entity_browser(page)
    yield from entity_and_trends(page)
    yield from registration_screens(page)
    yield from incident_screens(page)
    yield from procedure_screens(page)
    yield from source_screens(page)
    yield from people_screens(page)
    yield from warning_screens(page)
    yield from alarm_screens(page)
    yield from rule_screens(page)
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
    yield from incident_screens(page)
    yield from source_screens(page)
    yield from people_screens(page)
    yield from warning_screens(page)
    yield from alarm_screens(page)
    yield from rule_screens(page)


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


def people_screens(page: Page) -> Iterator[str]:
    page.evaluate(_STAFF)
    go_to(page, "/people")
    expect(page.locator("[data-person=test]")).to_be_visible(timeout=SLOW_MS)
    yield "people"
    page.locator("[data-person=test] button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "a person"
    page.keyboard.press("Escape")
    go_to(page, "/audit")
    expect(page.locator("#main tbody tr").first).to_be_visible()
    page.locator("#main .at-end").click()
    expect(page.locator("#main .verdict svg")).to_be_visible()
    page.locator("[data-entry]").first.click()
    expect(page.get_by_test_id("audit-detail")).to_be_visible()
    yield "audit record"
    go_to(page, "/audit?text=nowhere")
    expect(page.locator("#main .notice")).to_be_visible()
    yield "no entries of the audit record"
    go_to(page, "/shift")
    expect(page.locator("[data-position=operator]")).to_be_visible(timeout=SLOW_MS)
    yield "shift"
    go_to(page, "/shift?view=roster&week=2026-11-30")
    expect(page.locator("[data-shift]").first).to_be_visible()
    yield "roster"
    page.locator(".tools .primary").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "plan of a roster"
    page.keyboard.press("Escape")
    page.goto("/duty")
    expect(page.locator(".duty .notice")).to_be_visible(timeout=SLOW_MS)
    yield "mobile duty page"
    page.goto("/shift?view=handovers")
    expect(page.locator("#main .notice")).to_be_visible(timeout=SLOW_MS)
    yield "no handovers"


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


def incident_screens(page: Page) -> Iterator[str]:
    page.evaluate(_OPEN_INCIDENT)
    go_to(page, "/incidents")
    expect(page.locator("[data-incident]").first).to_be_visible(timeout=SLOW_MS)
    yield "incident desk"
    go_to(page, "/incidents?new=hand")
    expect(page.get_by_role("dialog")).to_be_visible(timeout=SLOW_MS)
    yield "new incident"
    page.keyboard.press("Escape")
    go_to(page, "/incident/1")
    expect(page.locator("[data-step=confirm]")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_test_id("incident-map").locator("canvas")).to_be_visible(timeout=SLOW_MS)
    yield "incident room"
    go_to(page, "/incident/1?do=state")
    expect(page.get_by_role("dialog")).to_be_visible(timeout=SLOW_MS)
    yield "state of an incident"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def dialogs(page: Page) -> Iterator[str]:
    go_to(page, "/sources")
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
