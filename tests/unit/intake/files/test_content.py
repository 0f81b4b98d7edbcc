"""Bytes of files, and files that cannot be read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.intake.files.content import quarantine, read, text_of
from dothi.intake.files.station import Unreadable

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_a_byte_order_mark_is_no_part_of_the_symbol() -> None:
    assert text_of(b"\xef\xbb\xbfpH\t7") == "pH\t7"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"pH\t7\xb3", "utf8_invalid"),
        ("pH\t7".encode("utf-16"), "utf8_invalid"),
        (b"", "file_empty"),
        (b"\xef\xbb\xbf \r\n\t\n", "file_empty"),
        (b"\x00" * 512, "file_empty"),
    ],
)
def test_content_that_holds_no_lines(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        text_of(data)
    assert caught.value.reason == reason


@given(st.binary(max_size=200))
def test_no_bytes_break_the_door(data: bytes) -> None:
    try:
        assert text_of(data)
    except Unreadable as why:
        assert why.detail


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(Unreadable) as caught:
        read(path, 1_000_000)
    assert caught.value.reason == "file_too_large"


def test_quarantine_keeps_earlier_files_and_tells_why(tmp_path: Path) -> None:
    why = Unreadable("utf8_invalid", "byte 7 is no UTF-8")
    for content in ("first", "second"):
        (tmp_path / "st").mkdir(exist_ok=True)
        (tmp_path / "st" / "x.txt").write_text(content)
        quarantine(tmp_path, "st/x.txt", why, AT)
    place = tmp_path / "rejected" / "st"
    assert (place / "x.txt").read_text() == "first"
    assert (place / "x.2.txt").read_text() == "second"
    assert "byte 7 is no UTF-8" in (place / "x.txt.reason.txt").read_text()
    assert not (tmp_path / "st" / "x.txt").exists()
