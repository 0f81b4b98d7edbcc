"""The real commit path over a temporary database, for tests of the doors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Engine

from databases import lay_database
from dothi.pipeline.intake import Intake
from dothi.ports.clock import Clock
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.files_seen import RelationalFilesSeen
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.hot_log import SqliteLogWriter
from dothi.storage.relational.log_reader import SqliteLogReader
from dothi.storage.relational.pull_runs import RelationalPullRuns
from dothi.storage.relational.receipts import RelationalReceipts
from dothi.storage.relational.sources import RelationalSources


@dataclass
class Hub:
    intake: Intake
    log: SqliteLogReader
    engine: Engine

    @property
    def receipts(self) -> RelationalReceipts:
        return RelationalReceipts(self.engine)

    @property
    def sources(self) -> RelationalSources:
        return RelationalSources(self.engine)

    @property
    def files_seen(self) -> RelationalFilesSeen:
        return RelationalFilesSeen(self.engine)

    @property
    def pull_runs(self) -> RelationalPullRuns:
        return RelationalPullRuns(self.engine)

    def rows(self) -> pa.Table:
        """The whole log."""
        return self.log.read(0, 1_000_000)


@asynccontextmanager
async def open_hub(folder: Path, clock: Clock | None = None) -> AsyncIterator[Hub]:
    """Open (or open again) the database in `folder`; its intake runs until the end."""
    path = lay_database(folder / "dothi.db")
    engine = open_sqlite(path)
    index = HotIndex()
    writer, reader = SqliteLogWriter(path, index, clock=clock), SqliteLogReader(path, index)
    reader.load_index()
    intake = Intake(writer, {})
    await intake.start()
    try:
        yield Hub(intake, reader, engine)
    finally:
        await intake.stop()
        writer.close()
        reader.close()
        engine.dispose()
