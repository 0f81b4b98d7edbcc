"""Cuts a byte stream into packets, many per read, with bounded memory."""

from typing import NamedTuple

from dothi.intake.mqtt.codec.reasons import PacketError, Reason, malformed

PUBLISH = 3
HEAD_BYTES = 2 + 65_535 + 2
"""Topic and packet id of the largest PUBLISH: what is kept of one that is too large."""


class Frame(NamedTuple):
    first: int
    """First byte: packet type in the high half, flags in the low half."""
    body: bytes
    """What follows the remaining length; only its head when `cut` is not 0."""
    cut: int = 0
    """Size of the body in bytes when it exceeded the limit and was thrown away, else 0."""


class Framer:
    """Bytes in, frames out.

    A PUBLISH above `max_body` bytes is read past without being kept, and comes out cut, so that
    it can be rejected and acknowledged. Any other packet above it raises PacketError.
    """

    def __init__(self, max_body: int) -> None:
        self.max_body = max_body
        self._buffer = b""
        self._to_skip = 0
        self._skipped: Frame | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """All packets that are complete now."""
        frames: list[Frame] = []
        if self._skipped is not None:
            data = self._skip(data, frames)
        buffer = self._buffer + data if self._buffer else data
        position, end = 0, len(buffer)
        while end - position >= 2:
            start, length = _remaining_length(buffer, position, end)
            if start == 0:
                break
            if length > self.max_body:
                kept = self._kept(buffer[position], length)
                if end - start < kept:
                    break
                self._skipped = Frame(buffer[position], buffer[start : start + kept], length)
                self._to_skip = length - kept
                buffer = self._skip(buffer[start + kept :], frames)
                position, end = 0, len(buffer)
                continue
            if end - start < length:
                break
            frames.append(Frame(buffer[position], buffer[start : start + length]))
            position = start + length
        self._buffer = buffer[position:] if position else buffer
        return frames

    def _kept(self, first: int, length: int) -> int:
        if first >> 4 != PUBLISH:
            raise PacketError(
                Reason.PACKET_TOO_LARGE, f"packet of {length} bytes, limit {self.max_body}"
            )
        return min(length, HEAD_BYTES)

    def _skip(self, data: bytes, frames: list[Frame]) -> bytes:
        if len(data) < self._to_skip:
            self._to_skip -= len(data)
            return b""
        assert self._skipped is not None
        frames.append(self._skipped)
        rest = data[self._to_skip :]
        self._skipped, self._to_skip = None, 0
        return rest


def _remaining_length(buffer: bytes, position: int, end: int) -> tuple[int, int]:
    """(start of the body, its length); (0, 0) when the length is not all there yet."""
    byte = buffer[position + 1]
    if byte < 0x80:
        return position + 2, byte
    length, shift, at = byte & 0x7F, 7, position + 2
    while True:
        if at >= end:
            return 0, 0
        byte = buffer[at]
        at += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            return at, length
        shift += 7
        if shift > 21:
            raise malformed("remaining length has more than four bytes")
