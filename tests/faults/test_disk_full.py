"""A full disk: refused with a clear error, nothing acknowledged is lost, and it mends itself."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dothi.model.problem import StoreUnavailable
from dothi.pipeline.intake import Intake
from dothi.storage.relational.sqlite_store import open_store
from tests.rows import batch


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_refuses_and_recovers(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    store = open_store(small_disk / "dothi.db")
    intake = Intake(store.writer, {})
    await intake.start()
    stored = 0
    with pytest.raises(StoreUnavailable, match="full"):
        for n in range(1000):
            rows = batch(number=float(n), entity=[f"urn:x:{n}-{i}" for i in range(200)])
            stored += (await intake.submit(rows)).stored
            if n == 3:
                ballast.write_bytes(bytes(2_000_000))
    assert store.reader.head() == stored
    with pytest.raises(StoreUnavailable):
        await intake.submit(batch(number=[float(n) for n in range(5000)], entity="urn:x:big"))
    ballast.unlink()
    again = await intake.submit(batch(number=1.0, entity="urn:x:after"))
    assert again.stored == 1
    assert store.reader.head() == stored + 1
    totals = store.receipts.totals()[0]
    assert totals.stored == totals.received == stored + 1
    await intake.stop()
    store.close()
