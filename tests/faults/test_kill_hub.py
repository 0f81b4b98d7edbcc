"""kill -9 at random moments while committing, sealing and compacting: nothing lost, nothing twice.

DOTHI_FAULT_ROUNDS sets the number of kills (default 2, or 5 where everything runs; the release
figure is 200, see bench/results).
"""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from dothi.model.series import RawQuery, SeriesKey
from dothi.storage.lake.open import open_lake
from dothi.storage.relational.sqlite_store import open_store
from tests.faults.hub_child import LAKE, SERIES, START_US
from thorough import IS_THOROUGH

ROUNDS = int(os.environ.get("DOTHI_FAULT_ROUNDS") or (5 if IS_THOROUGH else 2))
CHECK_EVERY = max(1, ROUNDS // 20)
"""Reading everything back takes longer each time, so many kills share one check."""
SERIES_KEYS = tuple(SeriesKey(f"urn:ngsi-ld:Series:{n}", "n") for n in range(SERIES))


def run_until_killed(folder: Path, first: int, life_s: float) -> list[tuple[int, int]]:
    """Start the child, kill it `life_s` after its first acknowledgement; what it acknowledged."""
    command = [sys.executable, "-m", "tests.faults.hub_child", str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        assert lines[0], "the child ended before its first acknowledgement"
        time.sleep(life_s)
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    whole = [line.split() for line in lines if line.endswith("\n")]
    return [(int(at), int(count)) for at, count in whole]


def stored_numbers(folder: Path) -> np.ndarray:
    """Every number in the history, hot and lake, after the receipts were found to add up."""
    lake = open_lake(folder / "lake", LAKE)
    store = open_store(folder / "dothi.db", lake.keys)
    lake.sealer(store.sealing, store.cursors, _Now()).reconcile()
    rows = lake.history(store.reader).raw(RawQuery(SERIES_KEYS, limit=50_000_000))
    receipts = store.receipts.minutes(
        "faults", datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(hours=1)
    )
    for receipt in receipts:
        assert receipt.received == receipt.stored + receipt.rejected + receipt.duplicate
    assert sum(r.stored for r in receipts) == rows.num_rows
    times = rows["observed_at"].cast("int64").to_numpy()
    numbers = (times - START_US) // 1000
    assert (rows["number"].to_numpy() == numbers).all()
    store.close()
    lake.close()
    return numbers


class _Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


def test_acknowledged_observations_survive_kills_exactly_once(tmp_path: Path) -> None:
    rng = random.Random(7)
    acknowledged: list[np.ndarray] = []
    for round_ in range(ROUNDS):
        acks = run_until_killed(tmp_path, round_ * 30_000_000, rng.uniform(0.05, 1.2))
        acknowledged += [np.arange(at, at + count) for at, count in acks]
        if (round_ + 1) % CHECK_EVERY and round_ + 1 < ROUNDS:
            continue
        numbers = stored_numbers(tmp_path)
        expected = np.concatenate(acknowledged)
        assert len(np.unique(numbers)) == len(numbers), f"doubled in round {round_}"
        lost = np.setdiff1d(expected, numbers)
        assert not len(lost), f"lost in round {round_}: {lost[:10]}"
    assert len(acknowledged) > ROUNDS
