"""What fits into an SMS: the GSM 7-bit alphabet (3GPP TS 23.038, section 6.2.1) or UCS-2."""

import unicodedata

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_BASIC = {character: code for code, character in enumerate(_BASIC)}
"""Character -> septet; 0x1B announces one of the extension."""
GSM_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
GSM_ESCAPE = 0x1B

GSM_ONE, GSM_PART = 160, 153
UCS_ONE, UCS_PART = 70, 67
"""Units of a single SMS, and of each part of a longer one (its header takes the rest)."""

_PLAIN = str.maketrans(
    {"đ": "d", "Đ": "D", "–": "-", "—": "-", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'"}
    | {"≥": ">=", "≤": "<=", "µ": "u", "³": "3", "²": "2", "°": " do ", "×": "x", "\t": " "}
)


def is_gsm(text: str) -> bool:
    """Whether every character is of the 7-bit alphabet or its extension."""
    return all((c in GSM_BASIC and c != "\x1b") or c in GSM_EXTENSION for c in text)


def plain(text: str) -> str:
    """The text in the 7-bit alphabet: without diacritics, what has no letter there as `?`."""
    folded = unicodedata.normalize("NFD", text.translate(_PLAIN))
    kept = (c for c in folded if not unicodedata.combining(c))
    return "".join(c if is_gsm(c) else "?" for c in kept)


def units(text: str) -> int:
    """Septets of a text of the 7-bit alphabet, else UTF-16 code units."""
    if is_gsm(text):
        return sum(2 if c in GSM_EXTENSION else 1 for c in text)
    return len(text.encode("utf-16-be")) // 2


def capacity(text: str, parts: int) -> int:
    """Units that so many parts take of a text in its alphabet."""
    one, part = (GSM_ONE, GSM_PART) if is_gsm(text) else (UCS_ONE, UCS_PART)
    return one if parts <= 1 else parts * part


def fits(text: str, parts: int = 1) -> bool:
    return units(text) <= capacity(text, parts)
