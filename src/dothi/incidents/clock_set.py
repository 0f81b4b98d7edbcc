"""Time limits when somebody sets the clock of the machine: what was left of them stays left."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Lock

from dothi.incidents import conduct
from dothi.incidents.library import ProcedureLibrary
from dothi.model.incident import IncidentState
from dothi.ports.clock import Clock
from dothi.ports.clock_watch import ClockWatch
from dothi.ports.incidents import BoardQuery, Incidents

log = logging.getLogger(__name__)

_PAGE = BoardQuery(states=tuple(s for s in IncidentState if s is not IncidentState.CLOSED))


class ClockFollower:
    """Any thread; blocking. A jump while the program does not run is not seen."""

    def __init__(
        self,
        incidents: Incidents,
        library: ProcedureLibrary,
        clock: Clock,
        elapsed: Callable[[], float],
    ) -> None:
        self._incidents, self._library, self._clock = incidents, library, clock
        self._watch = ClockWatch(clock.now(), elapsed)
        self._lock = Lock()
        self._owed: list[tuple[timedelta, set[int]]] = []
        """Jumps that are not stored everywhere yet, and the incidents where they are."""

    def follow(self) -> None:
        """Must come before steps are opened or judged. Raises StoreUnavailable: nothing is lost,
        the next call goes on."""
        with self._lock:
            if jump := self._watch.jump(self._clock.now()):
                log.warning("the clock was set by %s; limits in minutes and hours move along", jump)
                self._owed.append((jump, set()))
            while self._owed:
                jump, done = self._owed[0]
                for number in self._running():
                    if number not in done:
                        self._move(number, jump)
                        done.add(number)
                del self._owed[0]

    def _move(self, number: int, jump: timedelta) -> None:
        now, book = self._clock.now(), self._library.book
        self._incidents.change(number, lambda record: conduct.move_limits(record, jump, now, book))

    def _running(self) -> Iterator[int]:
        query = _PAGE
        while rows := self._incidents.board(query, self._clock.now()):
            yield from (row.incident.id for row in rows if row.runs)
            query = BoardQuery(states=query.states, before=rows[-1].incident.id)
