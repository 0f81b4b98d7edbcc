"""Incidents at work: reads, decides, stores, and wakes whoever waits for time limits."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from dothi.incidents import conduct, desk
from dothi.incidents.acting import PROGRAM, Actor
from dothi.incidents.clock_set import ClockFollower
from dothi.incidents.desk import Opening
from dothi.incidents.library import Called, ProcedureLibrary
from dothi.model.incident import Link, Point, SubjectKind
from dothi.model.incident_record import BoardRow, Change, Record, WarningNote
from dothi.model.problem import Problem
from dothi.ports.clock import Clock
from dothi.ports.incidents import BoardQuery, Incidents, KnownAlarm, KnownAlarms, KnownWarnings

Decide = Callable[[Record, Actor], Change]


class Subject(Struct, frozen=True):
    """What somebody wants to link: `alarm:12`, and what to call it where dothi does not know."""

    subject: str
    title: str = ""
    title_en: str = ""


class IncidentCentre:
    """Any thread; blocking. Raises Problem 404 for an incident that is not there."""

    def __init__(
        self,
        incidents: Incidents,
        library: ProcedureLibrary,
        alarms: KnownAlarms,
        clock: Clock,
        warnings: KnownWarnings | None = None,
        follower: ClockFollower | None = None,
    ) -> None:
        """`follower`: None: the clock is never set."""
        self._warnings = warnings
        self._incidents = incidents
        self._alarms = alarms
        self._clock = clock
        self.library = library
        self._follower = follower
        self.wake: Callable[[], None] = lambda: None
        """Called after every change; the escalation sets it."""

    def board(self, query: BoardQuery) -> Sequence[BoardRow]:
        return self._incidents.board(query, self._clock.now())

    def get(self, number: int) -> Record:
        return _there(self._incidents.get(number), number)

    def open(
        self, opening: Opening, subjects: Sequence[Subject], procedure: str, by: str
    ) -> Record:
        """A new incident with its links; procedures start that its alarms call for by themselves,
        and the one that is named."""
        actor = self.actor(by)
        wanted = [self.library.startable(procedure)] if procedure else []
        links, alarms = self._linked(subjects, actor)
        points = opening.points or _points(alarms)
        opening = replace(opening, links=links, points=points)
        record = self._incidents.open(lambda number: desk.open_incident(number, opening, actor))
        record = self._start_called(record, alarms)
        for one in wanted:
            if not any(run.procedure == one.id for run in record.runs):
                record = self.start(record.incident.id, one.id, None, by)
        self.wake()
        return record

    def change(self, number: int, by: str, decide: Decide) -> Record:
        """Let `decide` look at the record and store what it says."""
        actor = self.actor(by)
        record = _there(self._incidents.change(number, lambda r: decide(r, actor)), number)
        self.wake()
        return record

    def link(self, number: int, subjects: Sequence[Subject], by: str) -> Record:
        """Link alarms and other things; procedures start that alarms call for by themselves."""
        links, alarms = self._linked(subjects, self.actor(by))
        record = self.change(number, by, lambda r, actor: desk.link(r, links, actor))
        return self._start_called(record, alarms)

    def start(
        self, number: int, procedure: str, version: int | None, by: str, cause: str = ""
    ) -> Record:
        """Begin a procedure by hand."""
        wanted = self.library.startable(procedure, version)
        book = self.library.book
        return self.change(
            number, by, lambda r, actor: conduct.start(r, wanted, book, actor, cause)
        )

    def proposals(self, record: Record) -> list[Called]:
        """Procedures that the linked alarms call for and that did not run here yet."""
        known = {run.procedure for run in record.runs}
        subjects = [one.subject for one in record.links if one.kind is SubjectKind.ALARM]
        found: dict[str, Called] = {}
        for alarm in self._alarms.find(subjects).values():
            for called in self.library.called_for(alarm):
                if called.procedure.id not in known:
                    found.setdefault(called.procedure.id, called)
        return list(found.values())

    def warnings_about(self, number: int) -> Sequence[WarningNote]:
        """Public warnings that were composed for the incident."""
        return () if self._warnings is None else self._warnings.about(f"incident:{number}")

    def escalate(self) -> int:
        """Tell of every overdue step whose time has come; how many incidents had one."""
        now = self.actor(PROGRAM).at
        due = self._incidents.due(now)
        for number in due:
            self._incidents.change(
                number, lambda record: conduct.escalate(record, now, self.library.book)
            )
        return len(due)

    def next_escalation_at(self) -> datetime | None:
        return self._incidents.next_due_at()

    def now(self) -> datetime:
        return self._clock.now()

    def _start_called(self, record: Record, alarms: Sequence[KnownAlarm]) -> Record:
        number = record.incident.id
        for alarm in alarms:
            for called in self.library.called_for(alarm):
                runs = {run.procedure for run in record.runs}
                if called.is_automatic and called.procedure.id not in runs:
                    record = self.start(number, called.procedure.id, None, PROGRAM, called.cause)
        return record

    def _linked(
        self, subjects: Sequence[Subject], actor: Actor
    ) -> tuple[tuple[Link, ...], list[KnownAlarm]]:
        """Raises Problem: a subject of no known kind, an alarm that is not there."""
        kinds = {kind.value for kind in SubjectKind}
        alarms = [s.subject for s in subjects if s.subject.startswith(f"{SubjectKind.ALARM}:")]
        found = self._alarms.find(alarms)
        links = []
        for one in subjects:
            kind, _, rest = one.subject.partition(":")
            if kind not in kinds or not rest:
                raise _not_linked(one.subject, f"subjects begin with {', '.join(sorted(kinds))}")
            if kind == SubjectKind.ALARM and one.subject not in found:
                raise _not_linked(one.subject, "there is no such alarm")
            known = found.get(one.subject)
            title = known.title if known else one.title.strip()
            title_en = known.title_en if known else one.title_en.strip()
            links.append(Link(one.subject, title, actor.name, actor.at, title_en))
        return tuple(links), list(found.values())

    def actor(self, by: str) -> Actor:
        """Somebody who acts now. Not within a transaction: limits follow a clock that was set."""
        if self._follower is not None:
            self._follower.follow()
        return Actor(by, self._clock.now())


def _points(alarms: Sequence[KnownAlarm]) -> tuple[Point, ...]:
    """Where the alarms are, each place once."""
    placed = {a.point: a for a in alarms if a.point is not None}
    return tuple(Point(*point, alarm.entity) for point, alarm in placed.items())


def _there(record: Record | None, number: int) -> Record:
    if record is None:
        raise Problem(
            "incident_not_found",
            "No such incident",
            f"there is no incident {number}",
            404,
            remedy="GET /api/v1/incidents lists them",
        )
    return record


def _not_linked(subject: str, detail: str) -> Problem:
    return Problem(
        "subject_wrong",
        "This cannot be linked",
        f"{subject!r}: {detail}",
        where="subject",
        remedy="give for example alarm:12",
    )
