"""So many a second, as a contract with a provider allows."""

import asyncio
from collections.abc import Callable
from time import monotonic


class Pace:
    """Lets one after the other pass, evenly."""

    def __init__(self, per_second: float, now_s: Callable[[], float] = monotonic) -> None:
        """`per_second` 0: as many as come."""
        self._pause_s = 1.0 / per_second if per_second > 0 else 0.0
        self._now_s = now_s
        self._next_s = 0.0

    async def turn(self) -> None:
        """Wait for the turn."""
        now_s = self._now_s()
        mine_s = max(self._next_s, now_s)
        self._next_s = mine_s + self._pause_s
        if mine_s > now_s:
            await asyncio.sleep(mine_s - now_s)
