"""Pictures of the guide: one for each language, made anew where DOTHI_WRITE_DOCS asks for it."""

import os
from pathlib import Path

from playwright.sync_api import Page, expect

PICTURES = Path(__file__).parents[2] / "docs" / "guide" / "pictures"
ARE_WANTED = bool(os.environ.get("DOTHI_WRITE_DOCS"))
_NAMES = {"vi": "Tiếng Việt", "en": "English"}
_SPEAK = """lang => {
    const found = JSON.parse(localStorage.getItem('dothi.settings') ?? '{}');
    localStorage.setItem('dothi.settings', JSON.stringify({ ...found, lang }));
}"""


def picture(page: Page, name: str, *, by_loading: bool = False, settle_ms: int = 400) -> None:
    """Of the page as it is, in both languages; afterwards it is in Vietnamese again.

    `by_loading`: where the settings cannot be reached, and the URL holds all there is.
    `settle_ms`: so long charts and maps take to draw.
    """
    if not ARE_WANTED:
        return
    for language in ("en", "vi"):
        speak(page, language, by_loading=by_loading)
        page.evaluate("document.activeElement?.blur()")
        page.wait_for_timeout(settle_ms)
        folder = PICTURES / language
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png")


def speak(page: Page, language: str, *, by_loading: bool = False) -> None:
    """Through the settings, which lose nothing that is being written; where a page has none, by
    loading it anew."""
    menu = page.locator("[aria-controls=settings]")
    if menu.count() and not by_loading:
        menu.click()
        page.locator("#settings").get_by_role("radio", name=_NAMES[language]).click()
        page.keyboard.press("Escape")
    else:
        page.evaluate(_SPEAK, language)
        page.reload()
        page.wait_for_timeout(1500)  # what the URL holds is read anew
    expect(page.locator("html")).to_have_attribute("lang", language)
