"""Wakes whoever removes what has expired when something shall expire earlier than planned."""

import asyncio
from datetime import datetime


class ExpiryAlarm:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._planned_at: datetime | None = None
        self._is_early = asyncio.Event()

    def note(self, expires_at: datetime) -> None:
        """Something that was written now expires then."""
        if self._planned_at is not None and expires_at < self._planned_at:
            self._planned_at = expires_at
            self._is_early.set()

    def plan(self, at: datetime) -> None:
        """The next look comes then, unless something earlier is noted."""
        self._planned_at = at
        self._is_early.clear()

    async def wait(self, timeout_s: float) -> None:
        """Return after the time, or as soon as something earlier was noted."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._is_early.wait()
        except TimeoutError:
            return
