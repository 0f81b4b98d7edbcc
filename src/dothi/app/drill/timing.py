"""Time of a scenario against time of the clock on the wall."""

import asyncio
from datetime import UTC, datetime, timedelta

from msgspec import Struct


class Timing(Struct, frozen=True):
    """A scenario that began at a time and runs `speed` times as fast as the clock.

    What happens is dated by the clock, so that every age on the screen is true; only what lies
    between two events is shorter. Durations are multiplied again where they are judged.
    """

    began_at: datetime
    speed: float

    def at(self, after_s: float) -> datetime:
        """Clock time of a moment of the scenario."""
        return self.began_at + timedelta(seconds=after_s / self.speed)

    def elapsed_s(self, at: datetime) -> float:
        """Seconds of the scenario up to a time of the clock."""
        return (at - self.began_at).total_seconds() * self.speed

    def lasted_s(self, start_at: datetime, end_at: datetime) -> float:
        """Seconds of the scenario between two times of the clock."""
        return (end_at - start_at).total_seconds() * self.speed

    async def sleep_until(self, after_s: float) -> None:
        """Wait for a moment of the scenario; returns at once when it has passed."""
        pause_s = (self.at(after_s) - datetime.now(UTC)).total_seconds()
        if pause_s > 0:
            await asyncio.sleep(pause_s)
