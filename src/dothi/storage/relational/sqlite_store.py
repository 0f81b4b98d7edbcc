"""The operational database on one SQLite file: everything that stands on it, opened together."""

from pathlib import Path

from msgspec import Struct
from sqlalchemy import Engine

from dothi.ports.clock import Clock
from dothi.ports.history import SealedKeys
from dothi.storage.relational.cursors import RelationalCursors
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.hot_log import SqliteLogWriter
from dothi.storage.relational.log_reader import SqliteLogReader
from dothi.storage.relational.log_sealing import SqliteSealSource
from dothi.storage.relational.migrate import upgrade
from dothi.storage.relational.receipts import RelationalReceipts
from dothi.storage.relational.sources import RelationalSources
from dothi.storage.relational.state import SqliteState


class SqliteStore(Struct, frozen=True):
    """Adapters of the ports log, state, receipts, cursors, registry and sealing."""

    engine: Engine
    writer: SqliteLogWriter
    reader: SqliteLogReader
    sealing: SqliteSealSource
    state: SqliteState
    receipts: RelationalReceipts
    sources: RelationalSources
    cursors: RelationalCursors

    def close(self) -> None:
        self.writer.close()
        self.sealing.close()
        self.state.close()
        self.reader.close()
        self.engine.dispose()


def open_store(
    path: Path, sealed: SealedKeys | None = None, clock: Clock | None = None
) -> SqliteStore:
    """Create or upgrade the file and open everything on it.

    Raises:
        Problem: the file belongs to a newer dothi.
    """
    engine = open_sqlite(path)
    upgrade(engine)
    index = HotIndex()
    writer = SqliteLogWriter(path, index, sealed, clock)
    reader = SqliteLogReader(path, index)
    reader.load_index()
    writer.watch_types(reader.forget_types)
    return SqliteStore(
        engine=engine,
        writer=writer,
        reader=reader,
        sealing=SqliteSealSource(path, index, reader),
        state=SqliteState(path),
        receipts=RelationalReceipts(engine),
        sources=RelationalSources(engine),
        cursors=RelationalCursors(engine),
    )
