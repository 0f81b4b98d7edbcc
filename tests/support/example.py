"""The folder of a hub whose example is complete: made once for a run of the tests, then copied."""

import fcntl
import shutil
import time
from pathlib import Path

from support.program import Program

_FILL_S = 90.0


def copied_example(shared: Path, data: Path) -> Path:
    """Put a copy at `data`, as after the first start and a stop; nobody has signed in yet.

    `shared` belongs to all processes of the run; the first that comes here makes the folder. Ten
    files start the example: from nothing each of them filled a history of days.
    """
    made = shared / "example"
    with (shared / "example.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _make(shared / "example-in-making").rename(made)
    shutil.copytree(made, data)
    return data


def _make(data: Path) -> Path:
    with Program(data, "--example") as hub:
        deadline = time.monotonic() + _FILL_S
        while "example history is complete" not in hub.log():
            assert time.monotonic() < deadline, hub.log()
            time.sleep(0.1)
        assert hub.stop() == 0
    return data
