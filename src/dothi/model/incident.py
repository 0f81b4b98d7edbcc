"""An incident: what happened, who leads the answer, and the record of everything that was done."""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from msgspec import Struct, field


class Severity(IntEnum):
    """1 is the gravest. The words on screens: critical, serious, moderate, minor."""

    CRITICAL = 1
    SERIOUS = 2
    MODERATE = 3
    MINOR = 4


class IncidentState(StrEnum):
    OPEN = "open"
    """Somebody wrote it down; nobody acts yet."""
    IN_PROGRESS = "in_progress"
    CONTAINED = "contained"
    """It does not grow any more; work goes on."""
    CLOSED = "closed"
    """Never opened again: what returns is a new incident that names this one."""


class EntryKind(StrEnum):
    """What an entry of the timeline tells."""

    NOTE = "note"
    DECISION = "decision"
    STATE = "state"
    CHANGE = "change"
    """Severity, title, commander, agencies informed, places."""
    TASK = "task"
    STEP = "step"
    """Something in a procedure: begun, answered, paused, overdue, ended."""
    EVIDENCE = "evidence"
    LINK = "link"
    """An alarm, a report, a camera, a warning was linked, or the link was taken away."""
    WARNING = "warning"
    """Something became of a public warning that was begun from the incident."""
    MESSAGE = "message"
    COST = "cost"
    LESSON = "lesson"
    """Entered by hand for the report."""
    CORRECTION = "correction"
    """Puts an earlier entry right, which stays."""


HAND_KINDS = frozenset(
    {
        EntryKind.NOTE,
        EntryKind.DECISION,
        EntryKind.MESSAGE,
        EntryKind.COST,
        EntryKind.LESSON,
        EntryKind.CORRECTION,
    }
)
"""Entries that people write; the others follow from what they do."""
LATE_KINDS = frozenset({EntryKind.COST, EntryKind.LESSON, EntryKind.CORRECTION})
"""Entries that a closed incident still takes: bills and lessons come afterwards."""


class SubjectKind(StrEnum):
    """What an incident may be linked with: the word before the colon of a subject."""

    ALARM = "alarm"
    REPORT = "report"
    """A citizen's report."""
    CAMERA = "camera"
    WARNING = "warning"
    """A public warning (CAP)."""
    ENTITY = "entity"
    AREA = "area"
    INCIDENT = "incident"


class Point(Struct, frozen=True):
    lon: float
    lat: float
    label: str = ""


class Informed(Struct, frozen=True):
    """A unit or agency that was told, and when."""

    name: str
    at: datetime
    how: str = ""


class Incident(Struct, frozen=True):
    """The head of the record; what led to it stands in the timeline."""

    id: int
    version: int
    """Grows with every change of this head; who changes it names the one that was seen."""
    title: str
    severity: Severity
    state: IncidentState
    opened_at: datetime
    opened_by: str
    changed_at: datetime
    description: str = ""
    commander: str = ""
    """Id of the person who leads; empty: nobody yet."""
    units: tuple[Informed, ...] = ()
    points: tuple[Point, ...] = ()
    closed_at: datetime | None = None
    origin: str = ""
    """Where its data is synthetic (example, drill): what to say of it; else empty."""
    title_en: str = ""
    """`title` in English, where an alarm gave both; empty: a person wrote the title, in one."""


class Entry(Struct, frozen=True):
    """One line of the timeline. Never changed, never deleted."""

    kind: EntryKind
    text: str
    by: str
    """Person, or `dothi` for what the program did."""
    at: datetime
    """When it was recorded."""
    happened_at: datetime
    """When it happened, as far as that is another time."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """By kind: from and to of a state, amount and currency of a cost, step and run, ..."""
    refers_to: int | None = None
    """The entry that this one corrects."""
    number: int = 0
    """Rising from 1 within the incident."""


class Link(Struct, frozen=True):
    subject: str
    """`alarm:12`, `camera:urn:ngsi-ld:Camera:3`, ..."""
    title: str
    by: str
    at: datetime
    title_en: str = ""
    """`title` in English, where it has one."""

    @property
    def kind(self) -> SubjectKind:
        return SubjectKind(self.subject.partition(":")[0])


class TaskState(StrEnum):
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class Task(Struct, frozen=True):
    """Something that one person is to do."""

    number: int
    """Rising from 1 within the incident."""
    version: int
    title: str
    owner: str
    state: TaskState
    created_at: datetime
    created_by: str
    due_at: datetime | None = None
    ended_at: datetime | None = None
    note: str = ""
    """Why it was dropped, or what came of it."""


class EvidenceFile(Struct, frozen=True):
    """A file in the record; its bytes lie in the data folder under their SHA-256."""

    number: int
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    by: str
    at: datetime
    run: int | None = None
    step: str = ""
    """Of a procedure that asked for it."""
