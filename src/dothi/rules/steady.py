"""Time that only passes, whatever is done to the clock of the machine."""

from collections.abc import Callable

_SLEW_US = 1_000_000
"""Smaller steps are taken over: clocks are corrected by little all the time."""


class Steady:
    """Follows the clock as long as it goes evenly; a jump changes nothing until a restart."""

    def __init__(self, monotonic: Callable[[], float] | None) -> None:
        self._monotonic = monotonic
        self._offset_us: int | None = None
        self._ahead_us = 0
        self.last_us = 0
        """The newest steady time that was given."""

    def us(self, clock_us: int) -> int:
        """Steady time when the clock shows `clock_us`."""
        if self._monotonic is None:
            self.last_us = clock_us
            return clock_us
        passed_us = round(self._monotonic() * 1e6)
        offset_us = clock_us - passed_us
        if self._offset_us is None or abs(offset_us - self._offset_us) <= _SLEW_US:
            self._offset_us = offset_us
        self._ahead_us = offset_us - self._offset_us
        self.last_us = passed_us + self._offset_us
        return self.last_us

    def clock_us(self, steady_us: int) -> int:
        """What the clock will show at a steady time."""
        return steady_us + self._ahead_us
