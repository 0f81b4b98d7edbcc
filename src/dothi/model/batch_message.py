"""A whole Batch as bytes: an Arrow IPC stream of its rows, the rest in the schema's metadata."""

from datetime import datetime

import msgspec
import pyarrow as pa

from dothi.model.batch import Batch, Rejection
from dothi.model.row import ROW_SCHEMA

_KEY = b"dothi.batch"


class _Head(msgspec.Struct):
    id: str
    received_at: datetime
    rejected: tuple[Rejection, ...] = ()
    is_whole: bool = False


def encode_batch(batch: Batch) -> bytes:
    """Guards are not carried, what is handed over this way has none; nor is `is_trusted`, which
    the door that takes the message decides."""
    head = _Head(batch.id, batch.received_at, batch.rejected, batch.is_whole)
    rows = batch.table
    schema = rows.schema.with_metadata({_KEY: msgspec.json.encode(head)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(rows.replace_schema_metadata(schema.metadata))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def decode_batch(content: bytes) -> Batch:
    """Raises ValueError (pyarrow.ArrowInvalid is one): not such a message."""
    with pa.ipc.open_stream(content) as reader:
        head = (reader.schema.metadata or {}).get(_KEY)
        if head is None:
            raise ValueError("the stream names no batch")
        rows = reader.read_all().replace_schema_metadata(None)
    if rows.schema != ROW_SCHEMA:
        raise ValueError(f"the columns are not {ROW_SCHEMA.names}")
    rows.validate(full=True)
    try:
        found = msgspec.json.decode(head, type=_Head)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    return Batch(found.id, rows, found.received_at, found.rejected, is_whole=found.is_whole)
