"""What is awaited when somebody sets the clock of the machine."""

import logging
from datetime import timedelta

from dothi.ports.clock_watch import ClockMark, ClockWatch
from dothi.ports.notices import DeliveryQueue

logger = logging.getLogger(__name__)


class ClockFollower:
    """Blocking; one thread at a time."""

    def __init__(self, queue: DeliveryQueue) -> None:
        self._queue = queue
        self._watch: ClockWatch | None = None

    def follow(self, seen: ClockMark) -> None:
        """Must come before anything is found due. Raises StoreUnavailable: nothing has moved."""
        self._watch = self._watch or ClockWatch(self._queue.mark())
        self._watch.follow(seen, self._keep)

    def _keep(self, seen: ClockMark, jump: timedelta) -> None:
        if jump:
            logger.warning("the clock was set by %s; what is awaited moves along", jump)
        self._queue.keep(seen, jump)
