"""Text as people search it: no diacritics, đ as d, lower case."""

import unicodedata

_D = str.maketrans("đĐ", "dd")


class _Marks(dict[int, int | None]):
    """Code points -> themselves, None for combining marks; asked once for each."""

    def __missing__(self, code: int) -> int | None:
        found = self[code] = None if unicodedata.combining(chr(code)) else code
        return found


_MARKS = _Marks()


def fold(text: str) -> str:
    """`Thủ Dầu Một` -> `thu dau mot`."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFD", text.translate(_D).casefold()).translate(_MARKS)
