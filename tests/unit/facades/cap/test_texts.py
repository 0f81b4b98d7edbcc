"""Short texts: folded, cut and counted as networks do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.facades.cap.texts import (
    GSM_7,
    UCS_2,
    broadcast_text,
    count_broadcast,
    count_sms,
    sms_text,
    without_marks,
)

_VIETNAMESE = "Nước lũ đang lên, đề phòng ngập Ế Ẵ Ộ ở Bình Dương"


def test_diacritics_fall_away() -> None:
    assert without_marks(_VIETNAMESE) == "Nuoc lu dang len, de phong ngap E A O o Binh Duong"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", GSM_7, 0, 0),
        ("a" * 160, GSM_7, 160, 1),
        ("a" * 161, GSM_7, 161, 2),
        ("a" * 306, GSM_7, 306, 2),
        ("a" * 307, GSM_7, 307, 3),
        ("€" * 80, GSM_7, 160, 1),
        ("ế" * 70, UCS_2, 70, 1),
        ("ế" * 71, UCS_2, 71, 2),
        ("ế" + "a" * 134, UCS_2, 135, 3),
        ("🌊" * 35, UCS_2, 70, 1),
    ],
)
def test_short_messages_are_counted(text: str, encoding: str, units: int, parts: int) -> None:
    found = count_sms(text)
    assert (found.encoding, found.units, found.parts) == (encoding, units, parts)
    assert found.is_too_long is (parts > 1)


def test_what_makes_it_long_is_named() -> None:
    assert count_sms("lũ ở đây").missing == ("â", "đ", "ũ", "ở")


@pytest.mark.parametrize(
    ("text", "pages", "is_too_long"),
    [("a" * 93, 1, False), ("a" * 94, 2, False), ("a" * 1395, 15, False), ("a" * 1396, 16, True),
     ("ế" * 40, 1, False), ("ế" * 600, 15, False), ("ế" * 601, 16, True)],
)  # fmt: skip
def test_pages_of_a_cell_broadcast_are_counted(text: str, pages: int, is_too_long: bool) -> None:
    found = count_broadcast(text)
    assert (found.parts, found.is_too_long) == (pages, is_too_long)


@given(st.text(max_size=300), st.text(max_size=900))
def test_texts_that_are_made_always_fit(headline: str, instruction: str) -> None:
    sms = count_sms(sms_text(headline, instruction))
    assert sms.encoding == GSM_7
    assert not sms.is_too_long
    assert not count_broadcast(broadcast_text(headline, instruction)).is_too_long


def test_the_headline_comes_first_and_words_stay_whole() -> None:
    text = sms_text("Triều cường vượt báo động III.", "Kê cao đồ đạc " * 20)
    assert text.startswith("Trieu cuong vuot bao dong III. Ke cao do dac")
    assert text.endswith("...")
    assert text.removesuffix("...").split()[-1] in {"Ke", "cao", "do", "dac"}
