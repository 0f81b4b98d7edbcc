"""The procedures that are known: every stored version, which of them new runs take, and which an
alarm calls for."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from dothi.incidents import procedure_run
from dothi.incidents.calendar_file import DatedCalendar
from dothi.incidents.conduct import Book
from dothi.incidents.procedure_file import decode_procedure, decode_stored
from dothi.model.problem import Problem
from dothi.model.procedure import Procedure, Run, StartCondition, StepRun
from dothi.ports.incidents import KnownAlarm, Procedures, StoredProcedure

log = logging.getLogger(__name__)


class Shelved(Struct, frozen=True):
    """A stored version, decoded."""

    procedure: Procedure
    stored_at: datetime
    stored_by: str
    is_active: bool
    approved_by: str = ""
    approved_at: datetime | None = None
    """None: a draft."""

    @property
    def is_usable(self) -> bool:
        return self.is_active and self.approved_at is not None


class Unreadable(Struct, frozen=True):
    """A stored version that this dothi cannot read: nothing starts it."""

    id: str
    version: int
    stored_at: datetime
    stored_by: str
    problem: Problem


class Called(Struct, frozen=True):
    """A procedure that an alarm calls for."""

    procedure: Procedure
    cause: str
    """Subject of the alarm."""
    is_automatic: bool
    since_at: datetime
    """Since when this version may be used."""


class ProcedureLibrary:
    """Reads the store once, then keeps step with it: one process writes procedures."""

    def __init__(
        self,
        procedures: Procedures,
        calendar: DatedCalendar,
        adapt: Callable[[Procedure], Procedure] = lambda procedure: procedure,
    ) -> None:
        """`adapt`: what a drill makes of each procedure before it is used."""
        self._procedures = procedures
        self._adapt = adapt
        self.calendar = calendar
        self._known: dict[tuple[str, int], Shelved] = {}
        self._decoded: dict[tuple[str, int], Procedure] = {}
        self.book = Book(self._decoded, calendar.calendar)
        self.unreadable: list[Unreadable] = []
        for stored in procedures.all():
            try:
                self._take(stored)
            except Problem as problem:
                unreadable = Unreadable(
                    stored.id, stored.version, stored.stored_at, stored.stored_by, problem
                )
                self.unreadable.append(unreadable)
                log.error("a stored procedure starts nothing: %s: %s", problem.where, problem)

    def all(self) -> list[Shelved]:
        """Every version, by id, the newest first."""
        return sorted(self._known.values(), key=lambda s: (s.procedure.id, -s.procedure.version))

    def current(self) -> dict[str, Procedure]:
        """Id -> the highest version that is active and approved."""
        found: dict[str, Procedure] = {}
        for shelved in self.all():
            if shelved.is_usable:
                found.setdefault(shelved.procedure.id, shelved.procedure)
        return found

    def text(self, name: str, version: int) -> str | None:
        """The file of a version."""
        return next(
            (s.text for s in self._procedures.all() if (s.id, s.version) == (name, version)), None
        )

    def require(self, name: str, version: int | None = None) -> Procedure:
        """The version asked for, or the current one. Raises Problem 404."""
        if version is not None:
            found = self._decoded.get((name, version))
        else:
            found = self.current().get(name)
        if found is None:
            raise Problem(
                "procedure_not_found",
                "No such procedure",
                f"{name!r}" + (f" version {version}" if version else " has no active version"),
                404,
                remedy="GET /api/v1/procedures lists them",
            )
        return found

    def startable(self, name: str, version: int | None = None) -> Procedure:
        """As `require`; a version that is a draft starts nothing (Problem 409)."""
        found = self.require(name, version)
        if self._known[found.id, found.version].approved_at is None:
            raise Problem(
                "procedure_not_approved",
                "Nobody has approved this version",
                f"{found.id} version {found.version} is a draft",
                409,
                remedy="somebody else than its author approves it on the screen Procedures",
            )
        return found

    def add(
        self, text: str, where: str, by: str, at: datetime, *, is_draft: bool = False
    ) -> Procedure:
        """Store a new version; what an administrator of the machine puts into a folder is in use
        at once. Raises Problem: it cannot be read, or the version is taken (409)."""
        procedure = decode_procedure(text, where)
        approval = ("", None) if is_draft else (by, at)
        stored = StoredProcedure(procedure.id, procedure.version, text, at, by, True, *approval)
        if not self._procedures.put(stored):
            raise Problem(
                "procedure_version_taken",
                "This version is there already",
                f"{procedure.id} version {procedure.version} was stored with another text",
                409,
                where=f"{where}: version",
                remedy="raise the version: runs that began with the old one keep it",
            )
        if (procedure.id, procedure.version) not in self._known:
            self._take(stored)
        return procedure

    def activate(self, name: str, version: int, is_active: bool) -> None:
        """Let new runs take this version, or not. Raises Problem 404."""
        self.require(name, version)
        self._procedures.activate(name, version, is_active)
        self._known[name, version] = replace(self._known[name, version], is_active=is_active)

    def approve(self, name: str, version: int, by: str, at: datetime, people: int) -> None:
        """Put a draft in use. `people`: how many could approve; somebody who is alone approves
        what she or he wrote.

        Raises Problem: no such version (404), approved already or one's own (409).
        """
        self.require(name, version)
        draft = self._known[name, version]
        if draft.approved_at is not None:
            raise _not_approved("approved", f"{draft.approved_by} has approved it already")
        if draft.stored_by == by and people > 1:
            raise _not_approved("own_draft", "it was written by the same person")
        self._procedures.approve(name, version, by, at)
        self._known[name, version] = replace(draft, approved_by=by, approved_at=at)

    def called_for(self, alarm: KnownAlarm) -> Sequence[Called]:
        """Current procedures whose start conditions the alarm meets."""
        found = []
        for procedure in self.current().values():
            met = [start for start in procedure.starts if _meets(start, alarm)]
            if met:
                is_automatic = any(start.is_automatic for start in met)
                shelved = self._known[procedure.id, procedure.version]
                since_at = shelved.approved_at or shelved.stored_at
                found.append(Called(procedure, alarm.subject, is_automatic, since_at))
        return found

    def escalation_at(self, run: Run, step: StepRun) -> datetime | None:
        """When the next level of a step is told."""
        return procedure_run.escalation_at(self.book.shown(run).steps[step.step], step)

    def _take(self, stored: StoredProcedure) -> None:
        key = (stored.id, stored.version)
        read = decode_stored(stored)
        procedure = self._adapt(read)
        self._decoded[key] = procedure
        self._known[key] = Shelved(
            procedure,
            stored.stored_at,
            stored.stored_by,
            stored.is_active,
            stored.approved_by,
            stored.approved_at,
        )


def _not_approved(code: str, detail: str) -> Problem:
    return Problem(
        f"procedure_{code}",
        "The version cannot be approved by you",
        detail,
        409,
        remedy="a second person approves: ask somebody who may approve rules",
    )


def _meets(start: StartCondition, alarm: KnownAlarm) -> bool:
    return (
        (not start.rule or start.rule == alarm.rule)
        and (not start.entity_type or start.entity_type in alarm.entity_types)
        and (not start.area or start.area in alarm.areas)
        and alarm.priority <= start.least_urgent
    )
