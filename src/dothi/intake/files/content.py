"""Bytes of a station file to text, and the place of files that cannot be read."""

import hashlib
from datetime import datetime
from pathlib import Path

from dothi.intake.files.station import Unreadable
from dothi.intake.files.watch import REJECTED

_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def read(path: Path, max_bytes: int) -> bytes:
    """The file, when it is not larger than allowed.

    Raises:
        Unreadable: too large.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise Unreadable(
            "file_too_large",
            f"larger than {max_bytes} bytes; a station file holds about 1 kB "
            "(raise max_file_bytes under [files] if yours are right)",
        )
    return data


def text_of(data: bytes) -> str:
    """Text of a file in UTF-8, with or without byte order mark.

    Raises:
        Unreadable: empty, or of another encoding.
    """
    if encoding := _BOMS.get(data[:2]):
        raise Unreadable("utf8_invalid", f"the file is {encoding}; set the logger to UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            "utf8_invalid",
            f"byte {error.start} is no UTF-8 ({error.reason}); set the logger to UTF-8",
        ) from error
    if not text.strip(" \t\r\n\x00"):
        raise Unreadable("file_empty", "the file holds no line; was the upload cut off?")
    return text


def digest_of(data: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()


def quarantine(folder: Path, path: str, why: Unreadable, at: datetime) -> Path:
    """Move a file to `rejected/`, under its own path, with the reason in a .txt beside it.

    An earlier file of the same path there is kept: the new one gets a number.
    """
    target = folder / REJECTED / path
    target.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while target.exists():
        number += 1
        target = (folder / REJECTED / path).with_suffix(f".{number}{Path(path).suffix}")
    (folder / path).replace(target)
    note = f"{printable(path)}\n{at.isoformat()}\n{why.reason}\n{why.detail}\n"
    target.with_name(target.name + ".reason.txt").write_text(note, encoding="utf-8")
    return target


def printable(path: str) -> str:
    """The path with what is no UTF-8 in a file name replaced."""
    return path.encode("utf-8", "replace").decode()
