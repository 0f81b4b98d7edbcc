"""kill -9 at random moments during a storm of alarms, while the clock jumps about: afterwards there
are the same alarms as without a kill and without a jump, with the same record, the same
escalations and the same notices.

DOTHI_FAULT_ROUNDS sets the number of kills (default 2, or 4 where everything runs),
DOTHI_FAULT_VALUES how many values the storm has, DOTHI_FAULT_PER_S how many a second (0: as many as
go), DOTHI_FAULT_FIGURES a file for the figures.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from dothi.storage.relational.engine import open_sqlite
from tests.faults.alarm_child import PACE, Pace
from thorough import IS_THOROUGH

ROUNDS = int(os.environ.get("DOTHI_FAULT_ROUNDS") or (4 if IS_THOROUGH else 2))
VALUES = int(os.environ.get("DOTHI_FAULT_VALUES") or (20_000 if IS_THOROUGH else 4_000))
PER_S = float(os.environ.get("DOTHI_FAULT_PER_S") or 0)

_LONGEST_S = 600.0
_ALARMS = (
    "SELECT condition, raised_us, active_us, returned_us, state, priority, activations, "
    "text, recent, is_chattering FROM alarm ORDER BY condition, id"
)
_RECORD = (
    "SELECT a.condition, e.kind, CASE e.kind WHEN 'escalated' THEN 0 ELSE e.at_us END, e.state, "
    "e.detail FROM alarm_entry e JOIN alarm a ON a.id = e.alarm_id ORDER BY a.condition, e.id"
)
_CHANGES = "SELECT count(*) FROM alarm_entry WHERE kind IN ('raised', 'activated', 'returned')"
_NOTICES = "SELECT kind, parameters FROM notice ORDER BY kind, parameters"


def run(
    folder: Path, life_s: float | None, *, phase: str = "storm", jumps: int = 0
) -> tuple[bool, float]:
    """The child, killed `life_s` after its first line or left to end: whether it ended, and how
    long it lived from its first line on."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.faults.alarm_child"]
    command += [str(folder), str(VALUES), str(PER_S), str(jumps), phase]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((".", "tests"))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as child:
        assert child.stdout is not None
        assert child.stdout.readline(), "the child ended before its first line"
        began_s = time.monotonic()
        threading.Thread(target=child.stdout.read, daemon=True).start()
        with suppress(subprocess.TimeoutExpired):
            child.wait(_LONGEST_S if life_s is None else life_s)
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
    return child.returncode == 0, time.monotonic() - began_s


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


def changes(folder: Path) -> int:
    """How often an alarm became active or returned."""
    engine = open_sqlite(folder / "dothi.db")
    with engine.connect() as connection:
        found = int(connection.scalar(text(_CHANGES)) or 0)
    engine.dispose()
    return found


def kill_through(folder: Path, storm_s: float) -> tuple[int, int]:
    """The storm, which takes so long, and what comes after it, with kills: how many hit the storm,
    and how many the end."""
    rng = random.Random(5)
    hits, of_end = 0, max(1, ROUNDS // 10)
    # So long that the kills are spread over the whole storm.
    mean_s = storm_s / max(1, ROUNDS - of_end)
    for number in range(ROUNDS - of_end):
        life_s = mean_s * rng.uniform(0.05, 1.8)
        hits += not run(folder, life_s, jumps=number + 1)[0]
    assert run(folder, None, jumps=ROUNDS)[0]
    ends = 0
    for number in range(of_end):
        ends += not run(folder, rng.uniform(0.0, 0.3), phase="end", jumps=number + 1)[0]
    assert run(folder, None, phase="end", jumps=ROUNDS)[0]
    return hits, ends


@pytest.mark.thorough
def test_a_storm_with_kills_makes_the_alarms_of_one_without(tmp_path: Path) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    is_over, took_s = run(calm, None)
    assert is_over
    storm = changes(calm)
    pace = msgspec.json.decode((calm / PACE).read_bytes(), type=Pace)
    assert run(calm, None, phase="end")[0]
    hits, ends = kill_through(killed, took_s)
    alarms, record, notices = kept(calm)
    escalated = sum(1 for entry in record if entry[1] == "escalated")
    assert len({alarm[0].partition("@")[0] for alarm in alarms}) == 5, "every rule made some"
    assert len(alarms) >= 1_500
    assert storm > VALUES // 2
    assert escalated >= 500
    found = kept(killed)
    for name, one, other in zip(("alarms", "record", "notices"), kept(calm), found, strict=True):
        differ = [pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]]
        assert one == other, (name, len(one), len(other), differ[:2])
    figures = {
        "kills_in_the_storm": hits,
        "kills_after_it": ends,
        "alarms": len(alarms),
        "entries": len(record),
        "notices": len(notices),
        "escalations": escalated,
        "transitions": storm,
        "values": VALUES,
        "transitions_per_s_offered": round(storm / pace.sent_s),
        "transitions_per_s_judged": round(storm / pace.judged_s),
        "behind_at_the_end_rows": pace.behind_rows,
        "behind_at_the_end_s": round(pace.judged_s - pace.sent_s, 1),
        "undisturbed_s": round(took_s, 1),
    }
    if "DOTHI_FAULT_FIGURES" in os.environ:
        Path(os.environ["DOTHI_FAULT_FIGURES"]).write_text(json.dumps(figures), encoding="utf-8")
