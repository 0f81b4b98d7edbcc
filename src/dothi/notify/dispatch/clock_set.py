"""What is awaited when somebody sets the clock of the machine."""

import logging

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
        watch = self._watch = self._watch or ClockWatch(self._queue.mark())
        if jump := watch.jump(seen):
            logger.warning("the clock was set by %s; what is awaited moves along", jump)
        if jump or watch.is_old(seen):
            self._queue.keep(seen, jump)
            watch.mark = seen
