"""Notices that somebody has set the clock."""

import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

_LEAST = timedelta(seconds=5)
"""Smaller differences are the clock being trimmed, and rounding."""


def elapsed_s() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class ClockWatch:
    """Compares the wall clock with one that only runs."""

    def __init__(self, now: datetime, elapsed: Callable[[], float] = elapsed_s) -> None:
        self._elapsed = elapsed
        self._wall = now
        self._ran_s = elapsed()

    def jump(self, now: datetime) -> timedelta:
        """By how much the wall clock was set since the last call; zero as a rule."""
        ran_s = self._elapsed()
        jump = (now - self._wall) - timedelta(seconds=ran_s - self._ran_s)
        self._wall, self._ran_s = now, ran_s
        return jump if abs(jump) >= _LEAST else timedelta()
