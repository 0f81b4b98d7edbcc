"""The wall overview: it shows every station whatever its size, and says what its figures are."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.browser import SLOW_MS

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.thorough]

_PLACES = """() => fetch('/api/v1/entities?limit=500').then((r) => r.json()).then((a) =>
    a.items.filter((e) => e.lat !== null).map((e) => [e.lon, e.lat]))"""
_IS_SEEN = """south =>
    Number(document.querySelector('[data-seen]')?.dataset.seen.split(' ')[1]) < south"""
_TIME = re.compile(r"Trung vị, lúc ([01]\d|2[0-3]):[0-5]\d")


def seen_box(page: Page) -> list[float]:
    text = page.locator("[data-seen]").get_attribute("data-seen") or ""
    return [float(part) for part in text.split()]


def expect_all_in_sight(page: Page) -> None:
    places: list[Any] = page.evaluate(_PLACES)
    south = min(lat for _, lat in places)
    page.wait_for_function(
        _IS_SEEN,
        arg=south,
        timeout=SLOW_MS,
    )
    west, low, east, high = seen_box(page)
    assert [p for p in places if not (west < p[0] < east and low < p[1] < high)] == []


def test_no_station_is_cut_off_and_every_figure_says_what_it_is(page: Page) -> None:
    page.goto("/wall")
    for width, height in ((1366, 768), (1920, 1080), (3840, 2160)):
        page.set_viewport_size({"width": width, "height": height})
        expect_all_in_sight(page)
    tile = page.locator("[data-tile]")
    expect(tile.first).to_be_visible()
    for at in range(tile.count()):
        expect(tile.nth(at).locator("h3")).not_to_be_empty()
        expect(tile.nth(at)).to_contain_text(_TIME)
        expect(tile.nth(at).locator(".value")).to_contain_text(re.compile(r"\d"))
    level = page.locator("[data-tile]", has_text="Mực nước").locator(".value")
    expect(level).to_contain_text(re.compile(r"\d\s+m$"))
