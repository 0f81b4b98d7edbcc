"""Short texts for phones: counted as networks count, and folded where they must be.

GSM 7-bit default alphabet and its extension: 3GPP TS 23.038, 6.2.1. Parts of a short message: 160
septets or 70 UTF-16 units alone, 153 or 67 each when joined (3GPP TS 23.040, 9.2.3.24.1). Cell
broadcast: up to 15 pages of 93 septets, or of 40 UTF-16 units (3GPP TS 23.041, 9.4.2.2.5).
"""

import unicodedata
from collections.abc import Iterable

from dothi.model.warning import TextCount

GSM_7 = "GSM-7"
UCS_2 = "UCS-2"
SMS_SEPTETS, SMS_JOINED_SEPTETS = 160, 153
SMS_UNITS, SMS_JOINED_UNITS = 70, 67
PAGE_SEPTETS, PAGE_UNITS, MOST_PAGES = 93, 40, 15

_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "^{}\\[~]|€\f"
_SEPTETS = dict.fromkeys(_DEFAULT, 1) | dict.fromkeys(_EXTENSION, 2)
_PLAIN = str.maketrans("đĐ–—‘’“”…•\u00a0", "dD--''\"\".- ")


def without_marks(text: str) -> str:
    """Vietnamese without diacritics: `Nước lũ đang lên` -> `Nuoc lu dang len`."""
    folded = unicodedata.normalize("NFD", text.translate(_PLAIN))
    return "".join(c for c in folded if not unicodedata.combining(c))


def sms_text(headline: str, instruction: str) -> str:
    """One short message of 160 septets, without diacritics: the headline whole as far as it fits,
    then as much of the instruction."""
    return _cut(without_marks(_joined(headline, instruction)), SMS_SEPTETS)


def broadcast_text(headline: str, instruction: str) -> str:
    """A cell broadcast with diacritics: at most 600 characters."""
    text = unicodedata.normalize("NFC", _joined(headline, instruction))
    most = PAGE_UNITS * MOST_PAGES
    return text if _units(text) <= most else _cut_units(text, most)


def count_sms(text: str, most_parts: int = 1) -> TextCount:
    """As a network would send it: with one character outside GSM-7 the whole text is UCS-2.

    Too long: more than `most_parts` parts.
    """
    if (septets := _septets(text)) is not None:
        single, joined, units, encoding = SMS_SEPTETS, SMS_JOINED_SEPTETS, septets, GSM_7
    else:
        single, joined, units, encoding = SMS_UNITS, SMS_JOINED_UNITS, _units(text), UCS_2
    parts = (1 if text else 0) if units <= single else -(-units // joined)
    most = single if most_parts == 1 else joined * most_parts
    return TextCount(
        text,
        encoding,
        units,
        parts,
        single if parts <= 1 else joined,
        most,
        parts > most_parts,
        tuple(sorted(set(text) - _SEPTETS.keys())),
    )


def count_broadcast(text: str) -> TextCount:
    """In pages of a cell broadcast message."""
    if (septets := _septets(text)) is not None:
        page, units, encoding = PAGE_SEPTETS, septets, GSM_7
    else:
        page, units, encoding = PAGE_UNITS, _units(text), UCS_2
    pages = -(-units // page)
    return TextCount(text, encoding, units, pages, page, page * MOST_PAGES, pages > MOST_PAGES)


def _joined(headline: str, instruction: str) -> str:
    texts: Iterable[str] = (" ".join(text.split()) for text in (headline, instruction))
    return ". ".join(text.rstrip(".") if n == 0 else text for n, text in enumerate(texts) if text)


def _septets(text: str) -> int | None:
    """None: a character is not in GSM-7."""
    sizes = [_SEPTETS.get(c) for c in text]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, most: int) -> str:
    """Of a text in plain letters; what GSM-7 lacks becomes `?`."""
    text = "".join(c if c in _SEPTETS else "?" for c in text)
    if (_septets(text) or 0) <= most:
        return text
    kept, size = [], len("...")
    for c in text:
        size += _SEPTETS[c]
        if size > most:
            break
        kept.append(c)
    return _at_word("".join(kept)) + "..."


def _cut_units(text: str, most: int) -> str:
    kept, size = [], 1
    for c in text:
        size += _units(c)
        if size > most:
            break
        kept.append(c)
    return _at_word("".join(kept)) + "…"


def _at_word(text: str) -> str:
    """Not in the middle of a word, unless that loses much."""
    end = text.rfind(" ")
    return text[:end].rstrip(" .,;") if end > len(text) * 0.7 else text
