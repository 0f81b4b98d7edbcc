"""The figures of NGSI-LD are those that are stored."""

from support.figures import with_tables
from support.reference import REFERENCE, check_page


def test_the_page_says_what_the_results_say() -> None:
    page = (REFERENCE / "figures.md").read_text(encoding="utf-8")
    check_page("figures.md", with_tables(page))
