"""Reads the fields of a packet with every bound checked."""

from dothi.intake.mqtt.codec.reasons import malformed


class FieldReader:
    """A position in the body of one packet. Every method raises PacketError on missing bytes."""

    __slots__ = ("_data", "_end", "at")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._end = len(data)
        self.at = at

    @property
    def is_done(self) -> bool:
        return self.at >= self._end

    def take(self, count: int) -> bytes:
        at = self.at
        if at + count > self._end:
            raise malformed(f"packet ends {at + count - self._end} bytes early")
        self.at = at + count
        return self._data[at : at + count]

    def rest(self) -> bytes:
        return self.take(self._end - self.at)

    def byte(self) -> int:
        return self.take(1)[0]

    def two_bytes(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def four_bytes(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def binary(self) -> bytes:
        return self.take(self.two_bytes())

    def text(self) -> str:
        return decode_text(self.binary())

    def varint(self) -> int:
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise malformed("variable byte integer has more than four bytes")


def decode_text(raw: bytes) -> str:
    """A UTF-8 string of MQTT (clause 1.5.4): valid UTF-8 without U+0000."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise malformed(f"text is not UTF-8: {error.reason} at byte {error.start}") from None
    if "\0" in text:
        raise malformed("text holds U+0000")
    return text


def encode_varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    if value > 268_435_455:
        raise ValueError(f"{value} does not fit a variable byte integer")
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        if not value:
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def encode_binary(raw: bytes) -> bytes:
    if len(raw) > 65_535:
        raise ValueError(f"field of {len(raw)} bytes, MQTT allows 65535")
    return len(raw).to_bytes(2, "big") + raw


def encode_text(text: str) -> bytes:
    return encode_binary(text.encode())
