"""Consumers resume where their cursor stands and skip nothing."""

import asyncio

import pyarrow as pa
from tests.rows import batch, minutes_ago

from dothi.pipeline.consume import Consumer
from dothi.pipeline.intake import Intake
from dothi.storage.relational.sqlite_store import open_store


async def test_a_consumer_sees_every_row_once_over_restarts(tmp_path) -> None:
    store = open_store(tmp_path / "dothi.db")
    intake = Intake(store.writer, {})
    await intake.start()
    seen: list[int] = []

    async def handle(rows: pa.Table) -> None:
        seen.extend(rows["seq"].to_pylist())

    async def round_of(count: int, start: int) -> None:
        consumer = Consumer("c", store.reader, handle, cursors=store.cursors, run_rows=7)
        await consumer.start()
        intake.watch(consumer.wake)
        for n in range(count):
            await intake.submit(batch(number=float(n), observed_at=minutes_ago(start - n)))
        async with asyncio.timeout(5):
            while store.cursors.position("c") < store.reader.head():
                await asyncio.sleep(0.01)
        await consumer.stop()

    await round_of(20, 1000)
    await intake.submit(batch(number=99.0))
    await round_of(5, 500)
    assert seen == list(range(1, 27))
    await intake.stop()
    store.close()
