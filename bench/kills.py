"""kill -9 at random moments: acknowledged means stored, once; receipts add up.

`hub` kills the commit path while it seals and compacts; `doors` kills the whole program while HTTP,
MQTT, NGSI-LD and station files write; `alarms` kills rules and alarms during a storm of 5,000
transitions a second for a minute, while the clock jumps about, and says how many were offered and
judged where nobody disturbed it (what sends runs in the process of the hub, up to eight batches of
500 values at once, each durable before it counts as offered; alarms, record, states and notices are
written by the hub's own watch); `notices` kills whoever tells people of alarms, `subscriptions`
whoever notifies other systems of changes. The tests are tests/faults/test_kill_*.py, with more
rounds.

    uv run dothi bench kills -- --rounds 200
    uv run dothi bench kills -- --only alarms
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_STORM = {"DOTHI_FAULT_VALUES": "264000", "DOTHI_FAULT_PER_S": "4400"}
"""A value is 1.14 transitions."""
_NAMES = ("hub", "doors", "alarms", "notices", "subscriptions")
ROOT = Path(__file__).parent.parent
_STORED = Path(__file__).parent / "results" / "kills.json"


def run(arguments: list[str]) -> dict[str, Any]:
    """The tests with as many kills as asked for, beside what is stored of those that were not
    asked for; a failure ends the run without a result."""
    parser = argparse.ArgumentParser(prog="dothi bench kills")
    parser.add_argument("--rounds", type=int, default=200, help="kills of each test")
    parser.add_argument("--only", choices=_NAMES)
    options = parser.parse_args(arguments)
    names = [options.only] if options.only else _NAMES
    found = {name: _kill(name, options.rounds) for name in names}
    stored = json.loads(_STORED.read_text())["result"] if _STORED.exists() else {}
    return stored | found


def _kill(name: str, rounds: int) -> dict[str, Any]:
    began, began_at = time.monotonic(), datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        given = {"DOTHI_FAULT_ROUNDS": str(rounds), "DOTHI_FAULT_FIGURES": str(figures)}
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", f"tests/faults/test_kill_{name}.py"],
            cwd=ROOT,
            env={**os.environ, **_STORM, **given, "DOTHI_TEST_REQUIRE": "all"},
            check=True,
        )
        found = json.loads(figures.read_text()) if figures.exists() else {}
    took_s = round(time.monotonic() - began)
    return {
        "kills": rounds,
        "lost": 0,
        "doubled": 0,
        "took_s": took_s,
        "began_at": began_at.isoformat(timespec="seconds"),
        **found,
    }
