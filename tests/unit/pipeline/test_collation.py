"""Texts in the order that people expect."""

import pytest

from dothi.model.order import Collation, Strength
from dothi.pipeline.collation import collation_key


def _sorted(words: str, collation: Collation) -> str:
    return " ".join(sorted(words.split(), key=lambda word: collation_key(word, collation)))


@pytest.mark.parametrize(
    ("collation", "expected"),
    [
        (Collation(), "1 10 2 a A à á b d đ e z"),
        (Collation("vi"), "a à ả ã á ạ ă ằ â b d đ e ê o ô ơ u ư"),
        (Collation(), "cote coté côte"),
        (Collation("de-phonebk"), "Ad Ärzte Af"),
        (Collation("de"), "Ad Af Ärzte"),
        (Collation("und", puts_upper_first=True), "A a B b"),
        (Collation(), "a A b B"),
        (Collation(), "- a"),
    ],
)
def test_orders(collation: Collation, expected: str) -> None:
    shuffled = " ".join(reversed(expected.split()))
    assert _sorted(shuffled, collation) == expected


def test_strengths() -> None:
    def same(strength: Strength) -> bool:
        collation = Collation("und", strength)
        return collation_key("a", collation) == collation_key("Á", collation)

    assert same(Strength.LETTERS)
    assert not any(map(same, (Strength.ACCENTS, Strength.CASE, Strength.IDENTICAL)))
