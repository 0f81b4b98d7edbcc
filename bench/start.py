"""Starts the program bare and with the example: seconds to ready, idle memory."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

SETTLE_S = 30.0


def run(arguments: list[str]) -> dict[str, Any]:
    """Each start is a process of its own; `ready` is /readyz answering 200.

    Arguments: seconds to wait before memory is read (default 30).
    """
    settle_s = float(arguments[0]) if arguments else SETTLE_S
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare"
        example = Path(folder) / "example"
        return {
            "first_start_bare": _start(bare, "--empty", settle_s=0),
            "second_start_bare": _start(bare, "--empty", settle_s=settle_s),
            "first_start_example": _start(example, settle_s=settle_s),
            "second_start_example": _start(example, settle_s=settle_s),
        }


def _start(data_dir: Path, *options: str, settle_s: float) -> dict[str, float]:
    command = [
        *(str(Path(sys.executable).parent / "dothi"), "up", "--port", "0", "--mqtt-port", "0"),
        *("--data-dir", str(data_dir), *options),
    ]
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            if found := re.match(r"\s+(http://[^/\s]+)", line):
                url = found.group(1)
                break
        httpx.get(f"{url}/readyz").raise_for_status()
        ready_s = time.perf_counter() - began
        time.sleep(settle_s)
        measured = psutil.Process(process.pid)
        busy_s = sum(measured.cpu_times()[:2])
        memory = measured.memory_full_info()
        process.terminate()
        stopped = time.perf_counter()
        process.wait(30)
        return {
            "ready_s": round(ready_s, 2),
            "stop_s": round(time.perf_counter() - stopped, 2),
            "settled_s": settle_s,
            "rss_mb": round(memory.rss / 1e6, 1),
            "private_mb": round(memory.uss / 1e6, 1),
            "cpu_s": round(busy_s, 2),
        }
