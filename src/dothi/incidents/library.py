"""The procedures that are known: every stored version, which of them new runs take, and which an
alarm calls for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dothi.incidents import procedure_run
from dothi.incidents.calendar_file import DatedCalendar
from dothi.incidents.conduct import Book
from dothi.incidents.procedure_file import decode_procedure
from dothi.model.problem import Problem
from dothi.model.procedure import Procedure, Run, StartCondition, StepRun
from dothi.ports.incidents import KnownAlarm, Procedures, StoredProcedure


@dataclass(frozen=True, slots=True)
class Shelved:
    """A stored version, decoded."""

    procedure: Procedure
    stored_at: datetime
    stored_by: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Called:
    """A procedure that an alarm calls for."""

    procedure: Procedure
    cause: str
    """Subject of the alarm."""
    is_automatic: bool


class ProcedureLibrary:
    """Reads the store once, then keeps step with it: one process writes procedures."""

    def __init__(self, procedures: Procedures, calendar: DatedCalendar) -> None:
        self._procedures = procedures
        self.calendar = calendar
        self._known: dict[tuple[str, int], Shelved] = {}
        self._decoded: dict[tuple[str, int], Procedure] = {}
        self.book = Book(self._decoded, calendar.calendar)
        for stored in procedures.all():
            self._take(stored)

    def all(self) -> list[Shelved]:
        """Every version, by id, the newest first."""
        return sorted(self._known.values(), key=lambda s: (s.procedure.id, -s.procedure.version))

    def current(self) -> dict[str, Procedure]:
        """Id -> the highest active version."""
        found: dict[str, Procedure] = {}
        for shelved in self.all():
            if shelved.is_active:
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

    def add(self, text: str, where: str, by: str, at: datetime) -> Procedure:
        """Store a new version. Raises Problem: it cannot be read, or the version is taken (409)."""
        procedure = decode_procedure(text, where)
        stored = StoredProcedure(procedure.id, procedure.version, text, at, by, True)
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
        old = self._known[name, version]
        self._known[name, version] = Shelved(old.procedure, old.stored_at, old.stored_by, is_active)

    def called_for(self, alarm: KnownAlarm) -> Sequence[Called]:
        """Current procedures whose start conditions the alarm meets."""
        found = []
        for procedure in self.current().values():
            met = [start for start in procedure.starts if _meets(start, alarm)]
            if met:
                is_automatic = any(start.is_automatic for start in met)
                found.append(Called(procedure, alarm.subject, is_automatic))
        return found

    def escalation_at(self, run: Run, step: StepRun) -> datetime | None:
        """When the next level of a step is told."""
        return procedure_run.escalation_at(self.book.of(run).steps[step.step], step)

    def _take(self, stored: StoredProcedure) -> None:
        key = (stored.id, stored.version)
        procedure = decode_procedure(stored.text, f"procedure {stored.id} version {stored.version}")
        self._decoded[key] = procedure
        self._known[key] = Shelved(procedure, stored.stored_at, stored.stored_by, stored.is_active)


def _meets(start: StartCondition, alarm: KnownAlarm) -> bool:
    return (
        (not start.rule or start.rule == alarm.rule)
        and (not start.entity_type or start.entity_type in alarm.entity_types)
        and (not start.area or start.area in alarm.areas)
        and alarm.priority <= start.least_urgent
    )
