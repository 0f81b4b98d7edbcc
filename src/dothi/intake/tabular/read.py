"""CSV and Parquet files as chunks of a fixed number of rows, with bounded memory."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from msgspec import Struct

from dothi.intake.tabular.mapping import Mapping
from dothi.intake.tabular.rows import Chunk
from dothi.model.batch import Rejection
from dothi.model.problem import Problem

_BLOCK_BYTES = 4 << 20
"""Also the longest row of a CSV file."""
_KEPT_MALFORMED = 1_000
_RATIO, _RATIO_FROM_BYTES = 200, 64 << 20
"""Measured series compress 5 to 30 times; what unpacks to 200 times its size is an attack."""
_ROW_GROUP_BYTES = 2 << 30
_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}


class Progress(Struct):
    """How far the reading is."""

    total_bytes: int
    read_bytes: int = 0


def digest(path: Path) -> str:
    """SHA-256 of the file, hex. Raises Problem: it cannot be opened."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_parquet(path: Path) -> bool:
    """Whether the first bytes say Parquet."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


@contextmanager
def open_chunks(
    path: Path, mapping: Mapping, rows_per_chunk: int
) -> Iterator[tuple[Iterator[Chunk], Progress]]:
    """Chunks of exactly `rows_per_chunk` rows (the last has fewer): the same file gives the same.

    Raises (also while reading):
        Problem: no such file, not a table, columns missing, a row longer than 4 MB, data that
            unpacks without end.
    """
    with _opened(path) as file, _readable(path):
        progress = Progress(path.stat().st_size)
        if is_parquet(path):
            yield _parquet(file, mapping, rows_per_chunk, progress), progress
        else:
            yield _csv(path, file, mapping, rows_per_chunk, progress), progress


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise Problem(
            "file_missing", "The file cannot be opened", str(error), 404, where=str(path)
        ) from error
    with file:
        yield file


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Arrow's errors as problems that say what to do."""
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError) as error:
        text = str(error)
        if "straddl" in text:
            raise Problem(
                "line_too_long",
                "A row is too long",
                f"a row has more than {_BLOCK_BYTES >> 20} MB, or a quote is never closed",
                where=str(path),
                remedy="mend the row; everything before it may already be stored",
            ) from error
        raise Problem(
            "file_malformed",
            "The file cannot be read as a table",
            text,
            where=str(path),
            remedy="CSV with a header (also .gz, .zst) and Parquet can be imported",
        ) from error
    except OSError as error:
        raise Problem(
            "file_malformed", "The file breaks off", str(error), where=str(path)
        ) from error


class _Counted:
    """A file that says how much was read, for Arrow."""

    closed = False

    def __init__(self, read: Callable[[int], bytes], note: Callable[[int], None]) -> None:
        self._read = read
        self._note = note

    def read(self, size: int = -1) -> bytes:
        data = self._read(size)
        self._note(len(data))
        return data

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


def _unpacked(path: Path, file: BufferedReader, progress: Progress) -> pa.NativeFile:
    """The bytes of the file, decompressed by its name, within bounds."""

    def count_in(size: int) -> None:
        progress.read_bytes += size

    packed = pa.PythonFile(_Counted(file.read, count_in), mode="r")
    codec = _COMPRESSION.get(path.suffix.lower())
    if codec is None:
        return packed
    stream = pa.CompressedInputStream(packed, codec)
    unpacked = 0

    def count_out(size: int) -> None:
        nonlocal unpacked
        unpacked += size
        if unpacked > max(_RATIO_FROM_BYTES, _RATIO * progress.read_bytes):
            raise Problem(
                "encoding_bomb",
                "The file unpacks without end",
                f"{progress.read_bytes} bytes became more than {unpacked}",
                where=str(path),
                remedy="unpack it yourself and look at it before you import it",
            )

    return pa.PythonFile(_Counted(stream.read, count_out), mode="r")


def _csv(
    path: Path, file: BufferedReader, mapping: Mapping, rows: int, progress: Progress
) -> Iterator[Chunk]:
    needed = mapping.needed_columns()
    malformed = _Malformed(mapping.source)
    with path.open("rb") as again, _readable(path):
        _require(path, _header(path, again, mapping), needed)
    with _readable(path):
        reader = pyarrow.csv.open_csv(
            _unpacked(path, file, progress),
            # Without threads the rows that do not fit are numbered.
            pyarrow.csv.ReadOptions(
                use_threads=False, block_size=_BLOCK_BYTES, encoding=mapping.encoding
            ),
            pyarrow.csv.ParseOptions(
                delimiter=mapping.delimiter,
                newlines_in_values=mapping.newlines_in_values,
                invalid_row_handler=malformed,
            ),
            # Cells stay bytes: one that is no UTF-8 must not spoil the others.
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(needed, pa.binary()),
                include_columns=needed,
            ),
        )
    done = 0
    with _readable(path):
        for table in _exact(reader, rows):
            lines = malformed.lines(done, table.num_rows)
            last = int(lines[-1]) if len(lines) == rows else None
            yield Chunk(table, lines, malformed.take(last))
            done += table.num_rows
    if left := malformed.take(None):
        yield Chunk(_empty(needed), np.empty(0, np.int64), left)


def _header(path: Path, file: BufferedReader, mapping: Mapping) -> list[str]:
    stream = _unpacked(path, file, Progress(0, _RATIO_FROM_BYTES))
    reader = pyarrow.csv.open_csv(
        stream,
        pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES, encoding=mapping.encoding),
        pyarrow.csv.ParseOptions(
            delimiter=mapping.delimiter, invalid_row_handler=lambda _row: "skip"
        ),
        pyarrow.csv.ConvertOptions(check_utf8=False),
    )
    names: list[str] = reader.schema.names
    return names


def _require(path: Path, found: list[str], needed: list[str]) -> None:
    missing = [name for name in needed if name not in found]
    twice = [name for name in needed if found.count(name) > 1]
    if missing or twice:
        what = f"no column {missing}" if missing else f"more than one column {twice}"
        raise Problem(
            "columns_missing",
            "The columns do not fit the mapping",
            f"{what}; the file has {found[:50]}",
            where=str(path),
            remedy="correct the names in the mapping (case and spaces count)",
        )


class _Malformed:
    """Rows that Arrow left out because they have not as many cells as the header."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines: list[int] = []
        self._waiting: list[Rejection] = []

    def __call__(self, row: pyarrow.csv.InvalidRow) -> str:
        self._lines.append(row.number)
        detail = (
            f"line {row.number}: {row.actual_columns} cells, the header has {row.expected_columns}"
        )
        # Past the first thousand the text is not worth its memory.
        sample = row.text[:300] if len(self._lines) <= _KEPT_MALFORMED else ""
        self._waiting.append(Rejection(self._source, "field_count", detail, row.number - 2, sample))
        return "skip"

    def lines(self, first: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Line of each of `count` good rows from the `first`-th on; the header is line 1."""
        at = np.arange(first, first + count)
        bad = np.array(self._lines, np.int64)
        good_before = bad - 2 - np.arange(len(bad))
        lines: np.ndarray[tuple[int], np.dtype[np.int64]] = (
            at + 2 + np.searchsorted(good_before, at, side="right")
        )
        return lines

    def take(self, last_line: int | None) -> tuple[Rejection, ...]:
        """Those up to a line (None: all), once; beyond 20 only counted."""
        inside = [r for r in self._waiting if last_line is None or (r.row or 0) + 2 <= last_line]
        self._waiting = self._waiting[len(inside) :]
        shown = inside[:20]
        if left := len(inside) - len(shown):
            shown.append(
                Rejection(self._source, "field_count", f"{left} more such lines", count=left)
            )
        return tuple(shown)


def _parquet(
    file: BufferedReader, mapping: Mapping, rows: int, progress: Progress
) -> Iterator[Chunk]:
    table = pyarrow.parquet.ParquetFile(file, memory_map=False)
    needed = mapping.needed_columns()
    _require(Path(str(file.name)), table.schema_arrow.names, needed)
    meta = table.metadata
    for group in range(meta.num_row_groups):
        if meta.row_group(group).total_byte_size > _ROW_GROUP_BYTES:
            raise Problem(
                "encoding_bomb",
                "A row group is too large",
                f"row group {group} unpacks to {meta.row_group(group).total_byte_size} bytes",
                where=str(file.name),
                remedy="write the file with smaller row groups",
            )
    done = 0
    for part in _exact(table.iter_batches(rows, columns=needed), rows):
        lines = np.arange(done, done + part.num_rows) + 2
        done += part.num_rows
        progress.read_bytes = round(progress.total_bytes * done / max(meta.num_rows, 1))
        yield Chunk(part, lines)


def _exact(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Tables of exactly `rows` rows; the last has fewer."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count < rows:
            continue
        table = pa.Table.from_batches(waiting)
        while table.num_rows >= rows:
            yield table.slice(0, rows)
            table = table.slice(rows)
        waiting, count = table.to_batches(), table.num_rows
    if count:
        yield pa.Table.from_batches(waiting)


def _empty(names: list[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.binary()) for name in names})
