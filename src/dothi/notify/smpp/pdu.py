"""Packets of SMPP 3.4 (Short Message Peer to Peer Protocol Specification v3.4, issue 1.2).

Only what an entity that sends short messages needs: bind_transceiver, submit_sm, deliver_sm,
enquire_link, unbind, generic_nack and their answers.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum

from msgspec import Struct, field

HEADER_BYTES = 16
MOST_BYTES = 64 * 1024
"""A longer packet is no packet of ours: the largest field of one is 64 kB in other operations."""
VERSION = 0x34
RESPONSE = 0x80000000


class MalformedPdu(ValueError):
    """Bytes that are no packet; the connection cannot go on."""


class Command(IntEnum):
    """Section 5.1.2.1."""

    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    UNBIND = 0x00000006
    BIND_TRANSCEIVER = 0x00000009
    ENQUIRE_LINK = 0x00000015
    GENERIC_NACK = 0x80000000


class Status(IntEnum):
    """Section 5.1.3; those that mean something to us."""

    OK = 0x00000000
    SYSTEM_ERROR = 0x00000008
    INVALID_COMMAND = 0x00000003
    QUEUE_FULL = 0x00000014
    THROTTLED = 0x00000058
    TEMPORARY_APP_ERROR = 0x00000064


class Tag(IntEnum):
    """Optional parameters, section 5.3.2."""

    RECEIPTED_MESSAGE_ID = 0x001E
    MESSAGE_STATE = 0x0427


class Pdu(Struct, frozen=True):
    """One packet with its body still in bytes."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    @property
    def is_response(self) -> bool:
        return bool(self.command & RESPONSE)

    def encode(self) -> bytes:
        length = HEADER_BYTES + len(self.body)
        return struct.pack(">IIII", length, self.command, self.status, self.sequence) + self.body

    def answer(self, status: int = Status.OK, body: bytes = b"") -> "Pdu":
        """The response to it."""
        return Pdu(self.command | RESPONSE, status, self.sequence, body)


def length_of(head: bytes) -> int:
    """Of the whole packet, from its first four bytes. Raises MalformedPdu."""
    (length,) = struct.unpack(">I", head[:4])
    if not HEADER_BYTES <= length <= MOST_BYTES:
        raise MalformedPdu(f"a packet of {length} bytes")
    return int(length)


def decode(data: bytes) -> Pdu:
    """One whole packet. Raises MalformedPdu."""
    if len(data) < HEADER_BYTES or length_of(data) != len(data):
        raise MalformedPdu("the length does not fit")
    _, command, status, sequence = struct.unpack(">IIII", data[:HEADER_BYTES])
    return Pdu(command, status, sequence, data[HEADER_BYTES:])


class Bind(Struct, frozen=True):
    """Body of bind_transceiver (section 4.1.5)."""

    system_id: str
    password: str
    system_type: str = ""
    version: int = VERSION

    def encode(self) -> bytes:
        """Raises ValueError: a text is too long or not ASCII."""
        return (
            c_string(self.system_id, 16)
            + c_string(self.password, 9)
            + c_string(self.system_type, 13)
            + bytes((self.version, 0, 0))
            + c_string("", 41)
        )

    @classmethod
    def decode(cls, body: bytes) -> "Bind":
        reader = _Reader(body)
        texts = reader.text(16), reader.text(9), reader.text(13)
        return cls(*texts, reader.octet())


class ShortMessage(Struct, frozen=True):
    """Body of submit_sm and of deliver_sm (sections 4.4.1 and 4.6.1)."""

    source: str
    destination: str
    content: bytes
    source_ton: int = 0
    source_npi: int = 0
    destination_ton: int = 0
    destination_npi: int = 0
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    validity: str = ""
    """As `000001000000000R`: years, months, days, hours, ... from now; empty: the centre's own."""
    options: Mapping[int, bytes] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Raises ValueError: something is too long."""
        if len(self.content) > 254:
            raise ValueError(f"{len(self.content)} bytes; a part takes 254")
        options = b"".join(
            struct.pack(">HH", tag, len(value)) + value for tag, value in self.options.items()
        )
        return (
            c_string("", 6)
            + bytes((self.source_ton, self.source_npi))
            + c_string(self.source, 21)
            + bytes((self.destination_ton, self.destination_npi))
            + c_string(self.destination, 21)
            + bytes((self.esm_class, 0, 0))
            + c_string("", 17)
            + c_string(self.validity, 17)
            + bytes((self.registered_delivery, 0, self.data_coding, 0, len(self.content)))
            + self.content
            + options
        )

    @classmethod
    def decode(cls, body: bytes) -> "ShortMessage":
        """Raises MalformedPdu."""
        reader = _Reader(body)
        reader.text(6)
        source_ton, source_npi, source = reader.octet(), reader.octet(), reader.text(21)
        ton, npi, destination = reader.octet(), reader.octet(), reader.text(21)
        esm_class, _, _ = reader.octet(), reader.octet(), reader.octet()
        reader.text(17)
        validity = reader.text(17)
        registered, _, coding, _ = (reader.octet() for _ in range(4))
        content = reader.octets(reader.octet())
        return cls(
            source,
            destination,
            content,
            source_ton,
            source_npi,
            ton,
            npi,
            esm_class,
            registered,
            coding,
            validity,
            reader.options(),
        )


def message_id(body: bytes) -> str:
    """Of submit_sm_resp (section 4.4.2); the body is missing when the status says an error."""
    return _Reader(body).text(65) if body else ""


def c_string(text: str, most: int) -> bytes:
    """Text with its closing zero, `most` bytes in all. Raises ValueError."""
    data = text.encode("ascii", "replace")
    if b"\x00" in data or len(data) >= most:
        # Without the text itself: it may be the password.
        raise ValueError(f"a text is longer than {most - 1} characters, or holds a zero")
    return data + b"\x00"


class _Reader:
    """Fields one after the other; MalformedPdu where they end too soon."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def octets(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise MalformedPdu("the packet ends within a field")
        self._at += count
        return taken

    def octet(self) -> int:
        return self.octets(1)[0]

    def text(self, most: int) -> str:
        end = self._data.find(b"\x00", self._at, self._at + most)
        if end < 0:
            raise MalformedPdu(f"a text of at most {most} bytes has no end")
        return self.octets(end + 1 - self._at)[:-1].decode("latin-1")

    def options(self) -> dict[int, bytes]:
        found = {}
        while self._at < len(self._data):
            tag, length = struct.unpack(">HH", self.octets(4))
            found[int(tag)] = self.octets(length)
        return found
