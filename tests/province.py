"""The real parts of dothi on a folder, for tests of doors, API and live view."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from databases import lay_database
from dothi.live.feed import LiveDeps
from dothi.live.hub import LiveHub
from dothi.live.settings import LiveSettings
from dothi.model.batch import Batch, CommitResult
from dothi.model.row import rows_table
from dothi.pipeline.intake import Intake
from dothi.ports.clock import SystemClock
from dothi.storage.lake.open import open_lake
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.relational.areas import RelationalAreas
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.hot_index import HotIndex
from dothi.storage.relational.hot_log import SqliteLogWriter
from dothi.storage.relational.log_reader import SqliteLogReader
from dothi.storage.relational.pull_runs import RelationalPullRuns
from dothi.storage.relational.receipts import RelationalReceipts
from dothi.storage.relational.rules import RelationalRules
from dothi.storage.relational.sources import RelationalSources
from dothi.storage.relational.state import SqliteState

T0 = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


class Province:
    """Store, pipeline and live view; use through `province`."""

    def __init__(self, folder: Path, live: LiveSettings | None = None) -> None:
        path = lay_database(folder / "dothi.db")
        self.engine = open_sqlite(path)
        index = HotIndex()
        self.lake = open_lake(folder / "lake", LakeSettings())
        self.writer = SqliteLogWriter(path, index, self.lake.keys)
        self.log = SqliteLogReader(path, index)
        self.history = self.lake.history(self.log)
        self.state = SqliteState(path)
        self.sources = RelationalSources(self.engine)
        self.receipts = RelationalReceipts(self.engine)
        self.areas = RelationalAreas(self.engine)
        self.rules = RelationalRules(self.engine)
        self.pull_runs = RelationalPullRuns(self.engine)
        self.intake = Intake(self.writer, {})
        self.clock = SystemClock()
        self.live_deps = LiveDeps(self.log, self.state, self.sources, self.receipts, self.clock)
        self.hub = LiveHub(self.live_deps, live)

    async def send(self, **columns: object) -> CommitResult:
        """Commit rows; absent columns get a plain number of source `s1`."""
        given: dict[str, object] = {"source": "s1", "observed_at": T0, **columns}
        return await self.intake.submit(Batch(uuid4().hex, rows_table(given), datetime.now(UTC)))

    def close(self) -> None:
        for part in (self.state, self.log, self.writer, self.lake):
            part.close()
        self.engine.dispose()


@asynccontextmanager
async def province(folder: Path, live: LiveSettings | None = None) -> AsyncIterator[Province]:
    """Started parts, stopped and closed at the end."""
    made = Province(folder, live)
    await made.intake.start()
    await made.hub.start()
    try:
        yield made
    finally:
        await made.hub.stop()
        await made.intake.stop()
        made.close()
