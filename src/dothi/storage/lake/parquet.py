"""Writes data files: small, sorted, durable, with the statistics that Delta readers prune by."""

import json
import os
import time
import uuid
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction
from msgspec import Struct

from dothi.storage.lake.layout import FOLDED_PREFIX, LAKE_SCHEMA, PARTITION, STATISTICS
from dothi.storage.lake.series_index import FOLDER, IndexBuilder

ROW_GROUP_ROWS = 24_576
"""The unit that a query reads or skips; the engine works best with multiples of 2,048."""

_SAMPLE_ROWS = ROW_GROUP_ROWS
_DICTIONARY = "dictionary"
_ENCODINGS = {
    "number": (_DICTIONARY, "BYTE_STREAM_SPLIT"),
    "committed_at": (_DICTIONARY, "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"),
    "seq": ("DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"),
}
"""Columns whose best encoding depends on the data; the smallest on a sample is taken. (Times of a
series are regular, so their differences take next to nothing; everything else repeats.)"""


class FileShape(Struct, frozen=True):
    """How rows are divided among data files."""

    rows: int
    """A file is closed once it holds so many rows; 1: each part is a file of its own."""
    prefix: str = "part-"
    """How the names begin."""


FOLDED = FileShape(1, FOLDED_PREFIX)


def write_day(
    root: Path, day: date, parts: Iterable[pa.Table], shape: FileShape
) -> list[AddAction]:
    """Write rows of one UTC day, or of several that begin with it, as data files, each fsynced.

    Args:
        root: folder of the table.
        parts: LAKE_SCHEMA rows in file order; streamed, one part in memory at a time. Parts of a
            multiple of ROW_GROUP_ROWS make full row groups.
    Returns:
        What has to be committed to the Delta log; until then no reader sees the files.
    """
    folder = root / f"{PARTITION}={day.isoformat()}"
    folder.mkdir(parents=True, exist_ok=True)
    actions = []
    file: _DataFile | None = None
    for part in parts:
        if part.num_rows == 0:
            continue
        rows = part.select(LAKE_SCHEMA.names).cast(LAKE_SCHEMA)
        file = file or _DataFile(folder, shape.prefix, rows)
        file.write(rows)
        if file.rows >= shape.rows:
            actions.append(file.close(day))
            file = None
    if file is not None:
        actions.append(file.close(day))
    sync_folder(folder)
    sync_folder(root)
    return actions


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Make the content of a file durable."""
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


class _DataFile:
    """One Parquet file while it is written."""

    def __init__(self, folder: Path, prefix: str, first: pa.Table) -> None:
        self.rows = 0
        self._path = folder / f"{prefix}{uuid.uuid4().hex}.parquet"
        self._least: dict[str, object] = {}
        self._greatest: dict[str, object] = {}
        self._index = IndexBuilder()
        self._nulls = dict.fromkeys(LAKE_SCHEMA.names, 0)
        plain = _plain_columns(first)
        self._writer = pq.ParquetWriter(
            self._path,
            LAKE_SCHEMA,
            compression="zstd",
            compression_level=3,
            use_dictionary=[name for name in LAKE_SCHEMA.names if name not in plain],
            column_encoding=plain,
            store_schema=False,
        )

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
        self._index.add(rows)
        self.rows += rows.num_rows
        for name in LAKE_SCHEMA.names:
            self._nulls[name] += rows[name].null_count
        for name in STATISTICS:
            ends = pc.min_max(rows[name]).as_py()
            if ends["min"] is not None:
                least, greatest = ends["min"], ends["max"]
                self._least[name] = min(self._least.get(name, least), least)
                self._greatest[name] = max(self._greatest.get(name, greatest), greatest)

    def close(self, day: date) -> AddAction:
        self._writer.close()
        sync_file(self._path)
        path = f"{self._path.parent.name}/{self._path.name}"
        self._index.write(self._path.parents[1] / FOLDER / f"{path}.npy")
        stats = {
            "numRecords": self.rows,
            "minValues": {name: _plain_value(v) for name, v in self._least.items()},
            "maxValues": {name: _plain_value(v) for name, v in self._greatest.items()},
            "nullCount": self._nulls,
        }
        return AddAction(
            path=path,
            size=self._path.stat().st_size,
            partition_values={PARTITION: day.isoformat()},
            modification_time=time.time_ns() // 1_000_000,
            data_change=True,
            stats=json.dumps(stats),
        )


def _plain_columns(sample: pa.Table) -> dict[str, str]:
    """Encodings of the columns for which a dictionary does not pay."""
    plain = {"observed_at": "DELTA_BINARY_PACKED"}
    head = sample.slice(0, _SAMPLE_ROWS)
    for name, choice in _ENCODINGS.items():
        best = min(choice, key=lambda encoding: _encoded_bytes(head.select([name]), encoding))
        if best != _DICTIONARY:
            plain[name] = best
    return plain


def _encoded_bytes(column: pa.Table, encoding: str) -> int:
    sink = pa.BufferOutputStream()
    is_plain = encoding != _DICTIONARY
    pq.write_table(
        column,
        sink,
        compression="zstd",
        compression_level=3,
        use_dictionary=not is_plain,
        column_encoding=dict.fromkeys(column.column_names, encoding) if is_plain else None,
        store_schema=False,
    )
    return int(sink.tell())


def _plain_value(value: object) -> object:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value
