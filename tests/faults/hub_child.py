"""A process made to be killed: commits, seals and compacts as fast as it can.

Arguments: data folder, first number. Each acknowledged batch is printed as `first count`, flushed,
after the commit. Number n stands for one observation: series n mod 7, time START + n ms, value n.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from dothi.model.batch import Batch
from dothi.model.row import TIMESTAMP, rows_table
from dothi.pipeline.intake import Intake
from dothi.ports.clock import SystemClock
from dothi.storage.lake.open import open_lake
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.relational.sqlite_store import open_store

SERIES = 7
START_US = 1_760_000_000_000_000
LAKE = LakeSettings(
    hot_window_s=0.1, seal_every_s=0.05, drop_chunk_rows=500, upkeep_every_s=0.3, compact_files=3
)


def numbers_batch(first: int, count: int) -> Batch:
    """`count` observations from number `first` on."""
    numbers = np.arange(first, first + count)
    return Batch(
        id=f"n{first}",
        rows=rows_table(
            {
                "source": "faults",
                "entity": pa.array([f"urn:ngsi-ld:Series:{n % SERIES}" for n in numbers]),
                "attribute": "n",
                "observed_at": pa.array(START_US + numbers * 1000).cast(TIMESTAMP),
                "number": numbers.astype(float),
            }
        ),
        received_at=datetime.now(UTC),
    )


async def main(folder: Path, first: int) -> None:
    lake = open_lake(folder / "lake", LAKE)
    store = open_store(folder / "dothi.db", lake.keys)
    intake = Intake(store.writer, {})
    services = lake.services(store.sealing, store.cursors, SystemClock())
    for service in (intake, *services):
        await service.start()

    async def sender(lane: int) -> None:
        at = first + lane * 10_000_000
        rng = np.random.default_rng(at)
        while True:
            count = int(rng.integers(1, 400))
            result = await intake.submit(numbers_batch(at, count))
            assert result.stored == count, result
            sys.stdout.write(f"{at} {count}\n")
            sys.stdout.flush()
            at += count

    await asyncio.gather(*(sender(lane) for lane in range(3)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
