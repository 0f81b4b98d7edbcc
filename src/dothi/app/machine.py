"""Facts about the machine that stand beside every benchmark result."""

import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from dothi.storage.relational.engine import sqlite_version

_PACKAGES = ("dothi", "pyarrow", "duckdb", "deltalake", "sqlalchemy", "starlette", "uvicorn")
_FSYNC_ROUNDS = 50


def describe_machine(folder: Path) -> dict[str, Any]:
    """Cores, CPU, memory, fsync latency of the disk under `folder`, versions, commit."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
        "cpu": cpu_model(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "fsync_ms": fsync_ms(folder),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": ".".join(map(str, sqlite_version())),
        "packages": {name: version(name) for name in _PACKAGES},
        "commit": _commit(),
    }


def cpu_model() -> str:
    """As the kernel calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def fsync_ms(folder: Path) -> dict[str, float]:
    """Milliseconds to append 4 kB and make it durable: median and worst of 50."""
    path = folder / f".fsync-{os.getpid()}"
    took = []
    try:
        with path.open("wb") as file:
            for _ in range(_FSYNC_ROUNDS):
                began = time.perf_counter()
                file.write(b"x" * 4096)
                file.flush()
                os.fsync(file.fileno())
                took.append((time.perf_counter() - began) * 1000)
    finally:
        path.unlink(missing_ok=True)
    took.sort()
    return {"median": round(took[len(took) // 2], 2), "worst": round(took[-1], 2)}


def _commit() -> str:
    """Short commit of the checkout, `+` when it has changes; empty outside of one."""
    folder = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
