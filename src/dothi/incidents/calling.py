"""Alarms that call for a procedure: what is proposed to people, and what opens by itself.

By itself an alarm opens at most one incident, whatever happens in between: the store opens it only
when no incident has ever had to do with that alarm, in the transaction that asks.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from dothi.incidents import conduct, desk
from dothi.incidents.acting import INCIDENT_CLOSED, PROGRAM, Actor
from dothi.incidents.centre import IncidentCentre, Subject
from dothi.incidents.desk import Opening
from dothi.incidents.library import Called
from dothi.model.incident import Link, Point, Severity
from dothi.model.incident_record import Change, Record
from dothi.model.problem import Problem, StoreUnavailable
from dothi.model.procedure import Procedure
from dothi.ports.cursors import Cursors
from dothi.ports.incidents import AlarmNews, BoardQuery, Incidents, KnownAlarm

log = logging.getLogger(__name__)

CONSUMER = "procedures called by alarms"
LANE = 1
"""Its cursor counts revisions of the alarms' record, not rows of the log (lane 0)."""
_LOOK_S = 2.0
"""So often somebody looks what people changed; what the rules changed wakes it at once."""
_CHANGES = 500
_TRIES = 5
"""Incidents that may be closed one after another while an alarm is linked to them."""


class Proposal(Struct, frozen=True):
    """An alarm that stands, with a procedure that it calls for and that nobody has begun."""

    alarm: KnownAlarm
    called: Called


def proposals(centre: IncidentCentre, news: AlarmNews, only: Sequence[str] = ()) -> list[Proposal]:
    """Of all standing alarms that are in no incident, or of those named. Blocking."""
    found = []
    for alarm in news.find(only).values() if only else news.standing():
        called = centre.library.called_for(alarm)
        if called and not centre.board(BoardQuery(subject=alarm.subject, limit=1)):
            found += [Proposal(alarm, one) for one in called]
    return found


class Calling:
    """A Service: follows the alarms and opens incidents for those that do so by themselves."""

    name = CONSUMER

    def __init__(
        self,
        centre: IncidentCentre,
        incidents: Incidents,
        news: AlarmNews,
        cursors: Cursors,
        origin: str = "",
    ) -> None:
        """`origin`: what is said of incidents whose data is synthetic."""
        self._centre = centre
        self._incidents = incidents
        self._news = news
        self._cursors = cursors
        self._origin = origin
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self.position = 0

    def wake(self) -> None:
        """Alarms have changed; called in the event loop."""
        self._wake.set()

    async def start(self) -> None:
        await asyncio.to_thread(self.find_position)
        self._task = asyncio.create_task(self._run(), name=CONSUMER)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def wait(self) -> None:
        if self._task is not None:
            await asyncio.shield(self._task)

    def find_position(self) -> None:
        """Where it stood; what happened before its first start calls for nothing.

        The cursor is one higher than the revision, so that it tells "nothing yet" from "never".
        """
        stored = self._cursors.position(CONSUMER, LANE)
        self.position = stored - 1 if stored else self._news.revision()
        if not stored:
            self._cursors.advance(CONSUMER, self.position + 1, LANE)

    def step(self) -> bool:
        """Take the next changes of alarms; True when there may be more. Blocking."""
        changes = self._news.changed_after(self.position, _CHANGES)
        if not changes:
            return False
        for change in changes:
            if change.is_calling:
                self._answer(change.alarm)
        self.position = changes[-1].revision
        self._cursors.advance(CONSUMER, self.position + 1, LANE)
        return len(changes) == _CHANGES

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                while await asyncio.to_thread(self.step):
                    pass
            except StoreUnavailable as error:
                log.warning("alarms that call for procedures wait: %s", error)
                await asyncio.sleep(_LOOK_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._wake.wait()

    def _answer(self, alarm: KnownAlarm) -> None:
        wanted = self._wanted(alarm)
        if not wanted or self._centre.board(BoardQuery(subject=alarm.subject, limit=1)):
            return
        try:
            if self._is_linked(alarm, wanted):
                return
            actor = self._centre.actor(PROGRAM)
            opened = self._incidents.open_once(
                alarm.subject, lambda number: self._opening(number, alarm, wanted, actor)
            )
        except Problem as problem:
            # One alarm that cannot be answered must not keep the others from it.
            log.error("no incident for %s: %s", alarm.subject, problem.detail)
            return
        if opened is not None:
            self._centre.wake()
            extra = {"incident": opened.incident.id, "alarm": alarm.subject}
            log.info("an alarm opened an incident", extra=extra)

    def _is_linked(self, alarm: KnownAlarm, wanted: Sequence[Procedure]) -> bool:
        """To the incident that is at work there, if one is."""
        for _ in range(_TRIES):
            there = self._at_same_thing(alarm, wanted)
            if there is None:
                return False
            try:
                self._centre.link(there, [Subject(alarm.subject)], PROGRAM)
            except Problem as problem:
                if problem.code != INCIDENT_CLOSED:
                    raise
                # Somebody closed it since it was found: another one may be at work, or none.
                continue
            return True
        return False

    def _wanted(self, alarm: KnownAlarm) -> list[Procedure]:
        """What starts by itself; a procedure answers no alarm that was there before it."""
        return [
            called.procedure
            for called in self._centre.library.called_for(alarm)
            if called.is_automatic and alarm.opened_at and called.since_at <= alarm.opened_at
        ]

    def _opening(
        self, number: int, alarm: KnownAlarm, wanted: Sequence[Procedure], actor: Actor
    ) -> Change:
        """The incident with its procedures at work: all of it, or nothing."""
        link = Link(alarm.subject, alarm.title, actor.name, actor.at, alarm.title_en)
        points = (Point(*alarm.point, alarm.entity),) if alarm.point else ()
        opening = Opening(
            f"{alarm.title} – {alarm.entity}",
            Severity(min(max(alarm.priority, 1), 4)),
            points=points,
            links=(link,),
            origin=self._origin,
            title_en=f"{alarm.title_en} – {alarm.entity}" if alarm.title_en else "",
        )
        change = desk.open_incident(number, opening, actor)
        for procedure in wanted:
            record = Record(
                change.incident, tuple(change.entries), tuple(change.links), runs=tuple(change.runs)
            )
            begun = conduct.start(
                record, procedure, self._centre.library.book, actor, alarm.subject
            )
            change = replace(
                change,
                entries=(*change.entries, *begun.entries),
                runs=(*change.runs, *begun.runs),
            )
        return change

    def _at_same_thing(self, alarm: KnownAlarm, wanted: Sequence[Procedure]) -> int | None:
        """An incident that another alarm of the same entity has opened and that still runs."""
        causes = self._news.others_there(alarm.subject)
        names = [one.id for one in wanted]
        return self._incidents.running_for(causes, names, PROGRAM) if causes else None
