"""How large an Arrow IPC stream becomes, read from its headers before anything is unpacked.

Arrow may compress each buffer on its own (Message.fbs, Arrow columnar format 1.5): a small body can
claim gigabytes. The header of a record batch names its buffers; each compressed buffer starts with
its unpacked length (int64, -1: not compressed).
"""

import struct

import numpy as np
import pyarrow as pa
from msgspec import Struct

from dothi.intake.http.unreadable import Unreadable

_RECORD_BATCH = 3
_DICTIONARY_BATCH = 2
# Slots of the flatbuffer tables.
_MESSAGE_HEADER_TYPE, _MESSAGE_HEADER = 1, 2
_DICTIONARY_DATA = 1
_BATCH_LENGTH, _BATCH_BUFFERS, _BATCH_COMPRESSION = 0, 2, 3


def check_sizes(data: bytes, max_rows: int, max_bytes: int) -> None:
    """Go through the headers before memory is taken.

    Raises:
        Unreadable: too many rows or bytes (413).
        OSError, ValueError, struct.error: the stream is damaged.
    """
    rows = size = 0
    for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(data)):
        batch = _batch_of(message.metadata.to_pybytes())
        if batch is None:
            continue
        rows += batch.length
        size += _unpacked_bytes(batch, message.body)
        if rows > max_rows:
            raise _too_large("too_many_rows", f"more than {max_rows:,} observations")
        if size > max_bytes:
            raise _too_large("body_too_large", f"more than {max_bytes:,} unpacked bytes")


class _Batch(Struct, frozen=True):
    length: int
    buffers: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    """Rows of offset and length."""
    is_compressed: bool


def _batch_of(header: bytes) -> _Batch | None:
    message = _u32(header, 0)
    kind = header[_field(header, message, _MESSAGE_HEADER_TYPE)]
    if kind not in (_RECORD_BATCH, _DICTIONARY_BATCH):
        return None
    table = _follow(header, _field(header, message, _MESSAGE_HEADER))
    if kind == _DICTIONARY_BATCH:
        table = _follow(header, _field(header, table, _DICTIONARY_DATA))
    length_at = _field(header, table, _BATCH_LENGTH)
    buffers_at = _field(header, table, _BATCH_BUFFERS)
    buffers = np.empty((0, 2), np.int64)
    if buffers_at:
        vector = _follow(header, buffers_at)
        buffers = np.frombuffer(header, "<i8", 2 * _u32(header, vector), vector + 4).reshape(-1, 2)
    return _Batch(
        _i64(header, length_at) if length_at else 0,
        buffers,
        bool(_field(header, table, _BATCH_COMPRESSION)),
    )


def _unpacked_bytes(batch: _Batch, body: pa.Buffer) -> int:
    if not batch.is_compressed:
        return int(body.size)
    view = memoryview(body)
    size = 0
    for offset, length in batch.buffers.tolist():
        if length >= 8:
            unpacked = _i64(view, offset)
            size += length if unpacked < 0 else unpacked
    return size


def _too_large(reason: str, what: str) -> Unreadable:
    return Unreadable(reason, f"the message holds {what}", "split it into smaller messages", 413)


def _field(buffer: bytes, table: int, slot: int) -> int:
    """Position of a field of a flatbuffer table; 0: not there."""
    vtable = table - struct.unpack_from("<i", buffer, table)[0]
    entry = 4 + 2 * slot
    if entry >= _u16(buffer, vtable):
        return 0
    relative = _u16(buffer, vtable + entry)
    return table + relative if relative else 0


def _follow(buffer: bytes, at: int) -> int:
    return at + _u32(buffer, at)


def _u16(buffer: bytes, at: int) -> int:
    return int(struct.unpack_from("<H", buffer, at)[0])


def _u32(buffer: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", buffer, at)[0])


def _i64(buffer: bytes | memoryview, at: int) -> int:
    return int(struct.unpack_from("<q", buffer, at)[0])
