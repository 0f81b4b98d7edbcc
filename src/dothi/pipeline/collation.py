"""Keys that order texts as people expect, without any locale installed.

A short form of the Unicode Collation Algorithm: letters decide first, then accents, then case.
Vietnamese has the letters ă â đ ê ô ơ ư of its own, and its tones in their usual order.
"""

import unicodedata
from functools import lru_cache

from dothi.model.order import Collation, Strength

_LETTER_MARKS = {"vi": {"\u0306": "1", "\u0302": "2", "\u031b": "3"}}
"""Combining marks that make another letter in that language, and where it stands: a ă â, o ô ơ."""
_TONES = {mark: at for at, mark in enumerate("\u0300\u0309\u0303\u0301\u0323", 1)}
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
_SINGLE_LETTERS = {"đ": "d", "ø": "o", "ł": "l", "ħ": "h", "ŧ": "t"}
"""Letters with a stroke do not decompose; they follow the plain one."""
_EXPANSIONS = {"ß": "ss", "æ": "ae", "œ": "oe"}
_LEVELS = {Strength.LETTERS: 1, Strength.ACCENTS: 2, Strength.CASE: 3, Strength.IDENTICAL: 4}

Key = tuple[tuple[object, ...], ...]


@lru_cache(maxsize=65_536)
def collation_key(text: str, collation: Collation) -> Key:
    """Keys of two texts compare as the texts do under the collation."""
    letters: list[tuple[int, str, str]] = []
    accents: list[tuple[int, ...]] = []
    cases: list[bool] = []
    own_marks = _LETTER_MARKS.get(collation.language, {})
    for char in _decomposed(text, collation.language):
        if unicodedata.combining(char):
            if not letters:
                continue
            if char in own_marks:
                group, base, marks = letters[-1]
                letters[-1] = (group, base, marks + own_marks[char])
            else:
                accents[-1] = (*accents[-1], _TONES.get(char, ord(char)))
            continue
        lowered = char.lower()
        base = _SINGLE_LETTERS.get(lowered, lowered)
        letters.append((_group(char), base, "" if base == lowered else lowered))
        accents.append(())
        cases.append((char != lowered) is not collation.puts_upper_first)
    levels = (tuple(letters), tuple(accents), tuple(cases), (text,))
    return levels[: _LEVELS[collation.strength]]


def _decomposed(text: str, language: str) -> str:
    if language.endswith("-phonebk"):
        text = "".join(_UMLAUTS.get(char, char) for char in unicodedata.normalize("NFC", text))
    text = "".join(_EXPANSIONS.get(char, char) for char in text)
    return unicodedata.normalize("NFD", text)


def _group(char: str) -> int:
    """White space, punctuation, symbols, digits, letters: in this order."""
    category = unicodedata.category(char)
    if category.startswith(("Z", "C")):
        return 0
    return {"P": 1, "S": 2, "N": 3}.get(category[0], 4)
