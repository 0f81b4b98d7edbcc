"""kill -9 at random moments during a storm of alarms: afterwards there are the same alarms as
without a kill, with the same record and the same notices.

DOTHI_FAULT_ROUNDS sets the number of kills (default 2, or 10 where everything runs),
DOTHI_FAULT_VALUES how many values the storm has, DOTHI_FAULT_PER_S how many a second (0: as many as
go).
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from dothi.storage.relational.engine import open_sqlite
from thorough import IS_THOROUGH

ROUNDS = int(os.environ.get("DOTHI_FAULT_ROUNDS") or (10 if IS_THOROUGH else 2))
VALUES = int(os.environ.get("DOTHI_FAULT_VALUES") or (60_000 if IS_THOROUGH else 4_000))
PER_S = float(os.environ.get("DOTHI_FAULT_PER_S") or 0)

_ALARMS = (
    "SELECT condition, raised_us, active_us, returned_us, state, priority, activations, "
    "text, recent, is_chattering FROM alarm ORDER BY condition, id"
)
_RECORD = (
    "SELECT a.condition, e.kind, e.at_us, e.state, e.detail FROM alarm_entry e "
    "JOIN alarm a ON a.id = e.alarm_id ORDER BY a.condition, e.id"
)
_NOTICES = "SELECT kind, parameters FROM notice ORDER BY kind, parameters"


def run(folder: Path, values: int, life_s: float | None) -> bool:
    """The child, killed `life_s` after its first line or left to end; whether it ended."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.faults.alarm_child"]
    command += [str(folder), str(values), str(PER_S)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((".", "tests"))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as child:
        assert child.stdout is not None
        assert child.stdout.readline(), "the child ended before its first line"
        if life_s is not None:
            deadline = time.monotonic() + life_s
            while child.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
        child.stdout.read()
    return child.returncode == 0


def kept(folder: Path) -> list[Sequence[Any]]:
    """Alarms, record and notices, without what the clock gave them."""
    engine = open_sqlite(folder / "dothi.db")
    with engine.connect() as connection:
        found = [
            [tuple(row) for row in connection.execute(text(query))]
            for query in (_ALARMS, _RECORD, _NOTICES)
        ]
    engine.dispose()
    return found


def test_a_storm_with_kills_makes_the_alarms_of_one_without(tmp_path: Path) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    assert run(calm, VALUES, None)
    rng = random.Random(5)
    for _ in range(ROUNDS):
        run(killed, VALUES, rng.uniform(0.05, 0.8))
    assert run(killed, VALUES, None)
    alarms, record, notices = kept(calm)
    assert len(alarms) >= 500
    assert len(record) > VALUES // 4
    assert kept(killed) == [alarms, record, notices]
