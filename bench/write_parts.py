"""Where the processor time of an NGSI-LD write goes, and what SQLite alone takes of it.

Entities of bench/ngsi_ld.py, written in one thread without HTTP: JSON decoded, read into rows,
admitted and committed, 400 to a commit as batches come, and 16 as creates of 32 clients come; then
the first without the indexes by which values are searched: what is left is the least that a log row
and a state row for every attribute cost. `sqlite_alone_per_s`: so many would be written if all that
is not SQLite, with its waits for the disk, took no time.

    uv run dothi bench write_parts
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import msgspec

sys.path.append(str(Path(__file__).parent))

from ngsi_requests import entity
from served import SOURCE

from dothi.app.data_folder import DataFolder
from dothi.app.interpreter import tuned
from dothi.app.stores import Stores, open_database, open_stores
from dothi.facades.ngsi_ld.context.names import CORE_CONTEXT
from dothi.facades.ngsi_ld.operations.entities import create_rows
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.reading import Reader
from dothi.model.batch import Batch, new_batch_id
from dothi.pipeline.admit_cells import admit_cells
from dothi.ports.clock import SystemClock
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.relational.hot_connection import HotConnection

_PER_REQUEST = 100
_CREATES_AT_ONCE = 16
"""Half of 32 clients wait for a commit while the other half waits for the next."""
_SQLITE = ("statements", "COMMIT")
_BY_VALUE = ("number", "text", "body", "further", "structured")
"""Indexes ix_attribute_name_*."""


def run(arguments: list[str]) -> dict[str, object]:
    """With the tables as they are, and bare."""
    parser = argparse.ArgumentParser(prog="dothi bench write_parts")
    parser.add_argument("--entities", type=int, default=20_000, help="stored before")
    parser.add_argument("--measured", type=int, default=8_000)
    parser.add_argument("--at-once", type=int, default=400, help="entities in a commit")
    options = parser.parse_args(arguments)
    return {
        "entities_at_once": options.at_once,
        "as_it_is": _measure(options, options.at_once, is_bare=False),
        "without_indexes_of_values": _measure(options, options.at_once, is_bare=True),
        "creates_at_once": _CREATES_AT_ONCE,
        "creates": _measure(options, _CREATES_AT_ONCE, is_bare=False),
    }


class _Clock:
    """Processor time of this thread by parts, and how long SQLite took in all."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.sqlite_s = 0.0

    def part(self, name: str, work: Callable[..., Any], *given: Any) -> Any:
        before, began_s = time.thread_time(), time.perf_counter()
        try:
            return work(*given)
        finally:
            self.spent[name] = self.spent.get(name, 0.0) + time.thread_time() - before
            if name in _SQLITE:
                self.sqlite_s += time.perf_counter() - began_s


def _measure(options: argparse.Namespace, at_once: int, *, is_bare: bool) -> dict[str, float]:
    with TemporaryDirectory(prefix="dothi-bench-") as name:
        folder = DataFolder(Path(name))
        folder.create()
        if is_bare:
            _drop_indexes(folder)
        with open_stores(folder, SystemClock(), LakeSettings()) as stores:
            stored, measured = options.entities, options.measured
            _write(stores, range(stored), 1000, _Clock())
            clock = _Clock()
            with tuned(), _statements_timed(clock):
                _write(stores, range(stored, stored + measured), at_once, clock)
    parts = _parts({part: s / measured * 1e6 for part, s in clock.spent.items()})
    return parts | {"sqlite_alone_per_s": round(measured / clock.sqlite_s)}


def _parts(spent_us: dict[str, float]) -> dict[str, float]:
    """Microseconds an entity; what the statements took is taken out of the commit."""
    sqlite_us = spent_us["statements"] + spent_us["COMMIT"]
    parts = spent_us | {"commit, python": spent_us["commit"] - sqlite_us}
    del parts["commit"]
    whole = {"sqlite": sqlite_us, "whole": sum(parts.values())}
    return {part: round(us, 1) for part, us in (parts | whole).items()}


def _drop_indexes(folder: DataFolder) -> None:
    engine = open_database(folder)
    with engine.begin() as connection:
        for kind in _BY_VALUE:
            connection.exec_driver_sql(f"DROP INDEX ix_attribute_name_{kind}")
    engine.dispose()


@contextmanager
def _statements_timed(clock: _Clock) -> Iterator[None]:
    """Every statement of the writer, and COMMIT by itself."""
    run, put = HotConnection.run, HotConnection.put

    def timed_run(self: HotConnection, sql: str, rows: Any = None) -> None:
        clock.part("COMMIT" if sql == "COMMIT" else "statements", run, self, sql, rows)

    def timed_put(self: HotConnection, sql: str, rows: Any, shape: Any) -> None:
        clock.part("statements", put, self, sql, rows, shape)

    with (
        patch.object(HotConnection, "run", timed_run),
        patch.object(HotConnection, "put", timed_put),
    ):
        yield


def _write(stores: Stores, numbers: range, at_once: int, clock: _Clock) -> None:
    reader = Reader(CORE_CONTEXT)
    for first in range(numbers.start, numbers.stop, at_once):
        batches = []
        for start in range(first, min(first + at_once, numbers.stop), _PER_REQUEST):
            end = min(start + _PER_REQUEST, first + at_once, numbers.stop)
            body = msgspec.json.encode([entity(n) for n in range(start, end)])
            documents = clock.part("decode", msgspec.json.decode, body)
            batches.append(clock.part("read", _read, reader, documents))
        group = clock.part("admit", admit_cells, batches, {})
        if group is None:
            raise RuntimeError("the entities are not as plain as they were")
        stored = sum(result.stored for result in clock.part("commit", stores.writer.commit, group))
        if stored != sum(batch.rows.num_rows for batch in batches):
            raise RuntimeError(f"only {stored} rows are stored")


def _read(reader: Reader, documents: list[Any]) -> Batch:
    rows = RowBuilder(SOURCE)
    for document in documents:
        create_rows(rows, reader.entity(document))
    return Batch(
        *(new_batch_id(), rows.cells(), datetime.now(UTC)), is_trusted=True, is_single=True
    )


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=2))
