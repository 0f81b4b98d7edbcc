"""Bodies, queries and answers of the routes of incidents."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from dothi.api.query import Whole
from dothi.api.series_query import Instant
from dothi.model.incident import Entry, EvidenceFile, Incident, Link, Task
from dothi.model.incident_record import BoardRow, WarningNote
from dothi.model.procedure import Procedure, Run

Line = Annotated[str, Meta(max_length=300)]
Long = Annotated[str, Meta(max_length=20_000)]
Severity_ = Annotated[int, Meta(ge=1, le=4)]
State_ = Literal["open", "in_progress", "contained", "closed"]


class BoardParameters(Struct, forbid_unknown_fields=True):
    """Which incidents; newest first."""

    state: list[State_] = []
    severity: list[Literal["1", "2", "3", "4"]] = []
    commander: str = ""
    subject: str = ""
    """Linked with this, e.g. alarm:12."""
    before: Whole = 0
    """Only those with a smaller id."""
    limit: Annotated[int, Meta(ge=1, le=500)] = 200


class Board(Struct):
    """`next`: give it as `before` for the next page; null: this was the last."""

    items: list[BoardRow]
    next: int | None
    now_at: datetime


class PointBody(Struct, forbid_unknown_fields=True):
    """WGS 84."""

    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    label: Line = ""


class SubjectBody(Struct, forbid_unknown_fields=True):
    """What to link, e.g. alarm:12, camera:urn:..., report:7, warning:3, entity:urn:..., area:..."""

    subject: Annotated[str, Meta(min_length=3, max_length=500)]
    title: Line = ""
    """What to call it; of an alarm dothi knows it."""
    title_en: Line = ""
    """The same in English, where there is one."""


class OpenBody(Struct, forbid_unknown_fields=True):
    """A new incident, by hand or from alarms."""

    title: Annotated[str, Meta(min_length=1, max_length=300)]
    severity: Severity_
    description: Long = ""
    commander: Line = ""
    points: list[PointBody] = []
    """Where; empty: where its alarms are."""
    subjects: list[SubjectBody] = []
    procedure: str = ""
    """Started at once."""
    title_en: Line = ""
    """The title in English, where an alarm gave both."""


class EditBody(Struct, forbid_unknown_fields=True):
    """What is left out stays."""

    title: Line | None = None
    severity: Severity_ | None = None
    description: Long | None = None
    commander: Line | None = None
    points: list[PointBody] | None = None
    reason: Long = ""
    version: Whole | None = None
    """That was seen; or header If-Match."""


class StateBody(Struct, forbid_unknown_fields=True):
    """Another state and why."""

    state: State_
    reason: Long
    version: Whole | None = None
    """That was seen; or header If-Match."""


class EntryBody(Struct, forbid_unknown_fields=True):
    """An entry of the timeline. It is never changed: a correction refers to it."""

    kind: Literal["note", "decision", "message", "cost", "lesson", "correction"]
    text: Long
    refers_to: int | None = None
    """Number of the entry that is corrected or answered."""
    happened_at: Instant | None = None
    """When it happened, as far as that is not now."""
    amount: float | None = None
    """Of a cost."""
    currency: Annotated[str, Meta(max_length=3)] = ""
    """Of a cost, e.g. VND."""
    to: Line = ""
    """Of a message."""


class InformBody(Struct, forbid_unknown_fields=True):
    """A unit or agency was told."""

    name: Annotated[str, Meta(min_length=1, max_length=300)]
    how: Line = ""
    at: Instant | None = None


class LinkBody(Struct, forbid_unknown_fields=True):
    subjects: Annotated[list[SubjectBody], Meta(min_length=1, max_length=100)]


class UnlinkBody(Struct, forbid_unknown_fields=True):
    subject: str
    reason: Long


class TaskBody(Struct, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=1, max_length=300)]
    owner: Line = ""
    due_at: Instant | None = None


class TaskEditBody(Struct, forbid_unknown_fields=True):
    """What is left out stays."""

    state: Literal["open", "done", "dropped"] | None = None
    owner: Line | None = None
    due_at: Instant | None = None
    note: Long = ""
    """What came of it; why it was dropped."""
    version: Whole | None = None


class StartBody(Struct, forbid_unknown_fields=True):
    procedure: str
    version: Whole | None = None
    """Empty: the current one."""
    cause: str = ""
    """Subject that called for it."""


class StepBody(Struct, forbid_unknown_fields=True):
    """What is done to an open step."""

    action: Literal["finish", "skip", "pause", "resume"]
    answers: dict[str, Any] = {}
    reason: Long = ""
    """Of skip: why. Of pause: id of the reason."""
    version: Whole | None = None
    """Of the step, that was seen."""


class ReasonBody(Struct, forbid_unknown_fields=True):
    reason: Long


class RunView(Struct):
    """A procedure at work, with the version that it keeps."""

    run: Run
    procedure: Procedure


class Proposal(Struct):
    """An alarm calls for this procedure."""

    procedure: Procedure
    cause: str


class Room(Struct):
    """Everything of one incident."""

    incident: Incident
    entries: list[Entry]
    links: list[Link]
    tasks: list[Task]
    files: list[EvidenceFile]
    runs: list[RunView]
    proposals: list[Proposal]
    warnings: list[WarningNote]
    """Public warnings that were composed for it."""
    now_at: datetime
