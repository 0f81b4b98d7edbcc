"""From a text to the contents of short messages: GSM 7-bit or UCS-2, in parts where it is long."""

import zlib
from collections.abc import Iterator

from msgspec import Struct

from dothi.notify.wording.sms import (
    GSM_BASIC,
    GSM_ESCAPE,
    GSM_EXTENSION,
    GSM_ONE,
    GSM_PART,
    UCS_ONE,
    UCS_PART,
    is_gsm,
)

DEFAULT, UCS2 = 0, 8
"""data_coding: the alphabet of the message centre (GSM 7-bit, one character an octet), or UCS-2
big-endian (section 5.2.19)."""
WITH_HEADER = 0x40
"""esm_class: the content begins with a user data header (section 5.2.12)."""
_MOST_PARTS = 255
_BASIC_OF = {code: character for character, code in GSM_BASIC.items()}
_EXTENSION_OF = {code: character for character, code in GSM_EXTENSION.items()}


class Part(Struct, frozen=True):
    """What one short message holds."""

    content: bytes
    data_coding: int
    esm_class: int = 0


def parts(text: str, key: str) -> list[Part]:
    """The contents of the messages.

    `key`: what is sent again with the same one gets the same reference number, so that a telephone
    puts parts of both attempts together. Raises ValueError: more than 255 parts.
    """
    if is_gsm(text):
        coding, pieces, one, part = DEFAULT, [_septets(c) for c in text], GSM_ONE, GSM_PART
    else:
        coding, one, part = UCS2, 2 * UCS_ONE, 2 * UCS_PART
        pieces = [character.encode("utf-16-be") for character in text]
    whole = b"".join(pieces)
    if len(whole) <= one:
        return [Part(whole, coding)]
    contents = list(_filled(pieces, part))
    if len(contents) > _MOST_PARTS:
        raise ValueError(f"{len(contents)} parts; at most {_MOST_PARTS} are possible")
    reference = zlib.crc32(key.encode()) & 0xFF
    head = bytes((5, 0, 3, reference, len(contents)))
    return [
        Part(head + bytes((number,)) + content, coding, WITH_HEADER)
        for number, content in enumerate(contents, 1)
    ]


def text_of(content: bytes, data_coding: int) -> str:
    """The text of a content without header. Unknown octets become `?`."""
    if data_coding == UCS2:
        return content.decode("utf-16-be", "replace")
    if data_coding != DEFAULT:
        return content.decode("latin-1")
    found, is_extended = [], False
    for octet in content:
        if octet == GSM_ESCAPE and not is_extended:
            is_extended = True
            continue
        found.append((_EXTENSION_OF if is_extended else _BASIC_OF).get(octet, "?"))
        is_extended = False
    return "".join(found)


def _septets(character: str) -> bytes:
    if character in GSM_EXTENSION:
        return bytes((GSM_ESCAPE, GSM_EXTENSION[character]))
    return bytes((GSM_BASIC[character],))


def _filled(pieces: list[bytes], most: int) -> Iterator[bytes]:
    """Characters stay whole."""
    gathered = b""
    for piece in pieces:
        if len(gathered) + len(piece) > most:
            yield gathered
            gathered = b""
        gathered += piece
    yield gathered
