"""Text as people search it: no diacritics, đ as d, lower case."""

import unicodedata

_D = str.maketrans("đĐ", "dd")


def fold(text: str) -> str:
    """`Thủ Dầu Một` -> `thu dau mot`."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text.translate(_D).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
