"""Notices that somebody has set the clock, also while the program did not run."""

import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from msgspec import Struct

_LEAST = timedelta(seconds=5)
"""Smaller differences are the clock being trimmed, and rounding."""
_OLD_S = 60.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def elapsed_s() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def boot_id() -> str:
    """What this run of the machine is called (random(4)); empty: it does not say."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


class ClockMark(Struct, frozen=True):
    """What two clocks showed at the same moment."""

    wall_at: datetime
    ran_s: float
    """On the clock that nobody sets; it begins anew with each run of the machine."""
    boot: str


class ClockMarks(Protocol):
    """Where marks are kept, each under a name. Any thread; raises StoreUnavailable."""

    def get(self, name: str) -> ClockMark | None: ...

    def put(self, name: str, mark: ClockMark) -> None: ...


class SteadyClock(Struct, frozen=True):
    """The clock that nobody sets."""

    elapsed: Callable[[], float] = elapsed_s
    boot: str = ""

    def mark(self, wall_at: datetime) -> ClockMark:
        return ClockMark(wall_at, self.elapsed(), self.boot)


class ClockWatch:
    """Compares the wall clock with one that only runs, from a mark on."""

    def __init__(self, mark: ClockMark | None) -> None:
        """The mark that was kept last; None: there is none, and nothing was set before."""
        self.mark = mark

    def jump(self, seen: ClockMark) -> timedelta:
        """By how much the wall clock was set since the mark; zero as a rule.

        Where the machine was started anew in between, nobody knows how long it stood: what is
        certain is that the clock was set back when it shows less than it once did.
        """
        if self.mark is None:
            return timedelta()
        jump = seen.wall_at - self.mark.wall_at
        if self._is_same_run(seen):
            jump -= timedelta(seconds=seen.ran_s - self.mark.ran_s)
        else:
            jump = min(jump, timedelta())
        return jump if abs(jump) >= _LEAST else timedelta()

    def follow(self, seen: ClockMark, keep: Callable[[ClockMark, timedelta], None]) -> None:
        """Have `seen` kept, with the jump since the mark, where there is one or the mark is old.

        What `keep` raises leaves the mark as it was: the next call sees the same jump again.
        """
        jump = self.jump(seen)
        if jump or self._is_old(seen):
            keep(seen, jump)
            self.mark = seen

    def _is_old(self, seen: ClockMark) -> bool:
        if self.mark is None or not self._is_same_run(seen):
            return True
        return seen.ran_s - self.mark.ran_s >= _OLD_S

    def _is_same_run(self, seen: ClockMark) -> bool:
        mark = self.mark
        return mark is not None and seen.boot == mark.boot and seen.ran_s >= mark.ran_s
