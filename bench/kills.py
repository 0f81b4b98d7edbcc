"""kill -9 at random moments: acknowledged means stored, once; receipts add up.

`hub` kills the commit path while it seals and compacts; `doors` kills the whole program while HTTP,
MQTT, NGSI-LD and station files write; `alarms` kills the watch during a storm of transitions (5,000
values a second for a minute). The tests are tests/faults/test_kill_*.py, with more rounds.

    uv run dothi bench kills -- --rounds 200
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_STORM = {"DOTHI_FAULT_VALUES": "300000", "DOTHI_FAULT_PER_S": "5000"}
ROOT = Path(__file__).parent.parent


def run(arguments: list[str]) -> dict[str, Any]:
    """Both tests with as many kills as asked for; a failure ends the run without a result."""
    parser = argparse.ArgumentParser(prog="dothi bench kills")
    parser.add_argument("--rounds", type=int, default=200, help="kills of each test")
    parser.add_argument("--only", choices=("hub", "doors", "alarms"))
    options = parser.parse_args(arguments)
    names = [options.only] if options.only else ["hub", "doors", "alarms"]
    return {name: _kill(name, options.rounds) for name in names}


def _kill(name: str, rounds: int) -> dict[str, Any]:
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"tests/faults/test_kill_{name}.py"],
        cwd=ROOT,
        env={**os.environ, **_STORM, "DOTHI_FAULT_ROUNDS": str(rounds)},
        check=True,
    )
    return {"kills": rounds, "lost": 0, "doubled": 0, "took_s": round(time.monotonic() - began)}
