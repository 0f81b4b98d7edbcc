"""Time limits when somebody sets the clock of the machine: what was left of them stays left."""

import logging
from collections.abc import Iterator
from contextvars import Context
from datetime import timedelta
from threading import Lock

from dothi.incidents import conduct
from dothi.incidents.library import ProcedureLibrary
from dothi.model.incident import IncidentState
from dothi.ports.clock import Clock
from dothi.ports.clock_watch import ClockMark, ClockMarks, ClockWatch, SteadyClock
from dothi.ports.incidents import BoardQuery, Incidents

log = logging.getLogger(__name__)

_PAGE = BoardQuery(states=tuple(s for s in IncidentState if s is not IncidentState.CLOSED))
_NAME = "procedures"


class ClockFollower:
    """Any thread; blocking. Sees also what was done to the clock while the program stood, as far
    as that can be known (ports/clock_watch.py)."""

    def __init__(
        self,
        incidents: Incidents,
        library: ProcedureLibrary,
        clock: Clock,
        steady: SteadyClock,
        marks: ClockMarks,
    ) -> None:
        self._incidents, self._library, self._clock, self._marks = incidents, library, clock, marks
        self._steady = steady
        self._watch = ClockWatch(marks.get(_NAME))
        self._lock = Lock()

    def follow(self) -> None:
        """Must come before steps are opened or judged. Raises StoreUnavailable: nothing is lost,
        the next call goes on, also after a crash."""
        with self._lock:
            # It is the program that moves limits, not the person whose request comes first.
            seen = self._steady.mark(self._clock.now())
            Context().run(self._watch.follow, seen, self._keep)

    def _keep(self, seen: ClockMark, jump: timedelta) -> None:
        mark = self._watch.mark
        if jump and mark is not None:
            log.warning("the clock was set by %s; limits in minutes and hours move along", jump)
            move = conduct.ClockMove(jump, mark.wall_at, seen.wall_at)
            for number in self._running():
                self._move(number, move)
        self._marks.put(_NAME, seen)

    def _move(self, number: int, move: conduct.ClockMove) -> None:
        book = self._library.book
        self._incidents.change(number, lambda record: conduct.move_limits(record, move, book))

    def _running(self) -> Iterator[int]:
        query = _PAGE
        while rows := self._incidents.board(query, self._clock.now()):
            yield from (row.incident.id for row in rows if row.runs)
            query = BoardQuery(states=query.states, before=rows[-1].incident.id)
