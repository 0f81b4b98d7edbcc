"""Log, sealing and lake together on a real SQLite database."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dothi.app.data_folder import DataFolder
from dothi.app.stores import Stores, open_stores
from dothi.model.batch import Batch, CommitResult
from dothi.model.row import rows_table
from dothi.model.series import AggregateQuery, Function, RawQuery, SeriesKey
from dothi.pipeline.intake import Intake
from dothi.pipeline.settings import PipelineSettings
from dothi.ports.clock import SystemClock
from dothi.storage.lake.sealing import Sealer
from dothi.storage.lake.settings import LakeSettings

KEY = SeriesKey("urn:ngsi-ld:Gauge:1", "waterLevel")
T0 = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Hub:
    stores: Stores
    intake: Intake
    sealer: Sealer
    sent: int = 0

    async def send(self, numbers: dict[int, float]) -> CommitResult:
        """Minute -> level."""
        self.sent += 1
        columns: dict[str, object] = {
            "source": "gauge-1",
            "entity": KEY.entity,
            "attribute": KEY.attribute,
            "observed_at": [T0 + timedelta(minutes=m) for m in numbers],
            "number": list(numbers.values()),
            "unit": "MTR",
            "quality": 1,
        }
        batch = Batch(f"b{self.sent}", rows_table(columns), datetime.now(UTC))
        return await self.intake.submit(batch)

    def levels(self, *, all_revisions: bool = False) -> list[float]:
        query = RawQuery((KEY,), all_revisions=all_revisions)
        numbers: list[float] = self.stores.history.raw(query)["number"].to_pylist()
        return numbers


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    clock = SystemClock()
    settings = LakeSettings(hot_window_s=-60, seal_chunk_rows=20, drop_chunk_rows=3)
    with open_stores(DataFolder(tmp_path), clock, settings) as stores:
        intake = Intake(stores.writer, {}, PipelineSettings())
        await intake.start()
        yield Hub(stores, intake, stores.lake.sealer(stores.seal_source, stores.cursors, clock))
        await intake.stop()


async def test_late_rows_are_told_apart_from_what_is_sealed(hub: Hub) -> None:
    await hub.send({m: float(m) for m in range(5)})
    assert hub.sealer.seal() == 5
    result = await hub.send({1: 1.0, 2: 22.0, 9: 9.0})
    assert (result.stored, result.duplicates) == (2, 1)
    expected = [0.0, 1.0, 22.0, 3.0, 4.0, 9.0]
    assert hub.levels() == expected
    hub.sealer.seal()
    assert hub.levels() == expected
    await hub.send({2: 23.0})
    assert hub.levels() == [0.0, 1.0, 23.0, 3.0, 4.0, 9.0]
    assert hub.levels(all_revisions=True) == [0.0, 1.0, 2.0, 22.0, 23.0, 3.0, 4.0, 9.0]


async def test_readers_see_every_row_once_while_rows_move(hub: Hub) -> None:
    """Aggregates while a writer writes and sealing runs: never a hole, never a double."""
    done = threading.Event()

    def seal_all_the_time() -> None:
        while not done.is_set():
            hub.sealer.seal()

    def ask() -> tuple[int, float]:
        query = AggregateQuery(
            (KEY,), T0, T0 + timedelta(days=1), (Function.COUNT, Function.SUM), None
        )
        rows = hub.stores.history.aggregate(query).to_pylist()
        return (rows[0]["count"], rows[0]["sum"]) if rows else (0, 0.0)

    sealing = asyncio.create_task(asyncio.to_thread(seal_all_the_time))
    try:
        for n in range(12):
            await hub.send({m: float(m) for m in range(n * 10, n * 10 + 10)})
            count, total = await asyncio.to_thread(ask)
            assert count == n * 10 + 10
            assert total == sum(range(count))
    finally:
        done.set()
        await sealing
    hub.sealer.seal()
    assert hub.levels() == [float(m) for m in range(120)]
    hub.stores.lake.upkeep(SystemClock()).compact()
    assert hub.levels() == [float(m) for m in range(120)]
