"""Receive a request body within limits: what is sent, what it unpacks to, and all of it at once."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pyarrow as pa

from dothi.intake.http.unreadable import Unreadable
from dothi.model.problem import Overloaded

_STEP_BYTES = 1024 * 1024
_SPLIT = "split it into smaller messages"
RETRY_AFTER_S = 1.0


class InFlight:
    """Bytes of messages that are being received or decoded now, in one event loop."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.held_bytes = 0

    @contextmanager
    def message(self) -> Iterator["Held"]:
        """Account for one message; everything is given back at the end."""
        held = Held(self)
        try:
            yield held
        finally:
            self.held_bytes -= held.size_bytes

    def take(self, size_bytes: int) -> None:
        """Raise Overloaded when the door already holds as much as it may."""
        if self.held_bytes + size_bytes > self._limit_bytes:
            raise Overloaded(RETRY_AFTER_S)
        self.held_bytes += size_bytes


class Held:
    """The share of one message."""

    def __init__(self, in_flight: InFlight) -> None:
        self._in_flight = in_flight
        self.size_bytes = 0

    def grow(self, size_bytes: int) -> None:
        self._in_flight.take(size_bytes)
        self.size_bytes += size_bytes


async def receive(
    stream: AsyncIterator[bytes], declared_bytes: int | None, limit_bytes: int, held: Held
) -> bytes:
    """The body as sent; stops reading at the limit.

    Raises:
        Unreadable: longer than the limit (413).
        Overloaded: too much is being received at once.
    """
    if declared_bytes is not None and declared_bytes > limit_bytes:
        raise _too_large(f"the message has {declared_bytes:,} bytes", limit_bytes)
    parts: list[bytes] = []
    size = 0
    async for part in stream:
        size += len(part)
        if size > limit_bytes:
            raise _too_large("the message goes on", limit_bytes)
        held.grow(len(part))
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def unpack(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """Undo Content-Encoding, in steps, never beyond the limit.

    Raises:
        Unreadable: unknown encoding (415), broken or truncated data (400), too large (413).
    """
    if encoding in ("", "identity"):
        if len(body) > limit_bytes:
            raise _too_large(f"the message has {len(body):,} bytes", limit_bytes)
        return body
    if encoding not in ("gzip", "zstd"):
        raise Unreadable(
            "encoding_unknown",
            f"Content-Encoding {encoding!r} is not known",
            "send gzip, zstd or identity",
            415,
        )
    parts: list[bytes] = []
    size = 0
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), encoding) as unpacked:
            while part := unpacked.read(_STEP_BYTES):
                size += len(part)
                if size > limit_bytes:
                    raise _too_large("the message unpacks to more", limit_bytes)
                parts.append(part)
    except OSError as error:
        raise Unreadable(
            "encoding_broken",
            f"the body is not whole, valid {encoding} data: {error}",
            "send it again; check that nothing cut it short",
        ) from error
    return b"".join(parts)


def _too_large(what: str, limit_bytes: int) -> Unreadable:
    detail = f"{what}; at most {limit_bytes:,} bytes are taken"
    return Unreadable("body_too_large", detail, _SPLIT, 413)
