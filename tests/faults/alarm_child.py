"""A process made to be killed: commits a storm of values and makes alarms of them.

Arguments: data folder, values in all, values per second (0: as fast as it can). Value n belongs to
entity n mod ENTITIES; its batch has a stable id, so that sending it again changes nothing. The end
is reached when everything is judged; then the process ends by itself.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import numpy as np
import pyarrow as pa
from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, select
from sqlalchemy.dialects import sqlite

from alarm_parts import OverLimit, limits, rules_of
from dothi.alarms.settings import AlarmSettings
from dothi.model.batch import Batch
from dothi.model.row import TIMESTAMP, rows_table
from dothi.model.transition import StoredState
from dothi.pipeline.intake import Intake
from dothi.pipeline.watch import Watch, WatchPorts
from dothi.ports.clock import SystemClock
from dothi.storage.relational.alarms import RelationalAlarmLedger
from dothi.storage.relational.sqlite_store import SqliteStore, open_store

ENTITIES = 500
BATCH = 250
START = datetime(2026, 11, 1, tzinfo=UTC)
_state = Table(
    "test_state",
    MetaData(),
    Column("entity", String, primary_key=True),
    Column("is_active", BigInteger, nullable=False),
)


def batch_of(first: int) -> Batch:
    """Values first .. first + BATCH: over the limit and back, each entity in its own rhythm."""
    numbers = np.arange(first, first + BATCH)
    entity, turn = numbers % ENTITIES, numbers // ENTITIES
    # Longer and shorter stays, so that alarms overlap; every entity changes at least each 3rd time.
    is_over = (turn + entity) % (2 + entity % 2) == 0
    at = pa.array(numbers * 5_000 + int(START.timestamp() * 1e6)).cast(TIMESTAMP)
    rows = rows_table(
        {
            "source": "faults",
            "entity": pa.array([f"urn:ngsi-ld:Storm:{n}" for n in entity]),
            "attribute": "level",
            "observed_at": at,
            "number": np.where(is_over, 2.0, 0.5),
        }
    )
    return Batch(f"storm-{first}", rows, START + timedelta(days=1))


def watch_on(store: SqliteStore) -> Watch:
    """The watch with the tiny evaluator, whose states stand in a table of the test."""
    _state.create(store.engine, checkfirst=True)
    evaluator = OverLimit()

    def put(connection: Connection, states: list[StoredState]) -> None:
        insert = sqlite.insert(_state)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=[_state.c.entity], set_={"is_active": insert.excluded.is_active}
            ),
            [{"entity": s.entity, "is_active": int(bool(s.body))} for s in states],
        )

    def load() -> int:
        with store.engine.connect() as connection:
            rows = connection.execute(select(_state)).all()
        evaluator.load([StoredState("over", r.entity, b"1" if r.is_active else b"") for r in rows])
        return 1

    ports = WatchPorts(
        log=store.reader,
        cursors=store.cursors,
        rules=rules_of(evaluator, load),
        ledger=RelationalAlarmLedger(store.engine, put),  # type: ignore[arg-type]
        places=lambda _entities: {},
        clock=SystemClock(),
        limits=limits(),
    )
    return Watch(ports, AlarmSettings(gather_s=0.01))


async def main(folder: Path, values: int, per_s: float) -> None:
    store = open_store(folder / "dothi.db")
    intake = Intake(store.writer, {})
    watch = watch_on(store)
    intake.watch(watch.wake)
    await intake.start()
    await watch.start()
    began = monotonic()
    # Every value is a row of the log; the last batch is sent again, which must change nothing.
    done = max(0, store.reader.head() - BATCH)
    for first in range(done, values, BATCH):
        await intake.submit(batch_of(first))
        print(first, flush=True)
        if per_s:
            await asyncio.sleep(max(0.0, began + (first + BATCH - done) / per_s - monotonic()))
    while watch.position < store.reader.head():
        await asyncio.sleep(0.01)
    await watch.stop()
    await intake.stop()
    store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
