"""An incident with everything that belongs to it, and what one action changes in it."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from dothi.model.incident import Entry, EvidenceFile, Incident, Link, Task, TaskState
from dothi.model.notice import Notice
from dothi.model.procedure import Run


class Record(Struct, frozen=True):
    """The whole record of one incident, everything in the order in which it came."""

    incident: Incident
    entries: tuple[Entry, ...] = ()
    links: tuple[Link, ...] = ()
    """Those that stand; what was taken away is in the timeline."""
    tasks: tuple[Task, ...] = ()
    files: tuple[EvidenceFile, ...] = ()
    runs: tuple[Run, ...] = ()

    def run(self, number: int) -> Run | None:
        return next((r for r in self.runs if r.number == number), None)

    def task(self, number: int) -> Task | None:
        return next((t for t in self.tasks if t.number == number), None)

    @property
    def open_tasks(self) -> list[Task]:
        return [t for t in self.tasks if t.state is TaskState.OPEN]


class Change(Struct, frozen=True):
    """What one action does; stored in one transaction, or not at all."""

    incident: Incident
    """The head after it; of a higher version when it changed."""
    entries: Sequence[Entry]
    """To append; their numbers follow those of the record."""
    links: Sequence[Link] = ()
    unlinked: Sequence[str] = ()
    tasks: Sequence[Task] = ()
    """New or changed."""
    files: Sequence[EvidenceFile] = ()
    runs: Sequence[Run] = ()
    """New or changed."""
    notices: Sequence[Notice] = ()


class WarningNote(Struct, frozen=True):
    """One message of a public warning that was composed for an incident."""

    subject: str
    """`warning:5`."""
    title: str
    title_en: str
    kind: str
    """Alert, Update or Cancel (CAP 1.2, msgType)."""
    state: str
    """draft, submitted, released or discarded."""
    at: datetime
    """When it was released, else begun."""
    by: str
    """Who released it, else its author."""


class BoardRow(Struct, frozen=True):
    """One incident on the desk's board."""

    incident: Incident
    alarms: int
    links: int
    open_tasks: int
    next_due_at: datetime | None
    """The earliest time limit of a step that is open."""
    overdue_steps: int
    runs: int
    last_entry_at: datetime


class DueStep(Struct, frozen=True):
    """A step whose next escalation has come."""

    incident: int
    run: int
    step: str
