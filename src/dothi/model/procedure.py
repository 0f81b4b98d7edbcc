"""A procedure (SOP): what is to be done, by whom, within which time, and what follows from it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from dothi.model.priority import Priority


class Words(Struct, frozen=True):
    """The same in both languages."""

    vi: str
    en: str


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    CHECKBOX = "checkbox"
    TIME = "time"
    FILE = "file"


class Choice(Struct, frozen=True):
    id: str
    label: Words


class FormField(Struct, frozen=True):
    """One question of a step."""

    id: str
    kind: FieldKind
    label: Words
    is_required: bool = False
    unit: str = ""
    """UN/CEFACT code, of a number."""
    least: float | None = None
    most: float | None = None
    choices: tuple[Choice, ...] = ()


class LimitKind(StrEnum):
    """How a time limit is counted."""

    ELAPSED = "elapsed"
    """Minutes and hours of the clock on the wall."""
    DAYS = "days"
    """Days of the calendar: the first is not counted, a last day without work moves on."""
    WORKING_DAYS = "working_days"
    WORKING_TIME = "working_time"
    """Minutes and hours within office hours."""


class Limit(Struct, frozen=True):
    """`72 h`, `3 days`, `2 working days`, `4 working hours`."""

    kind: LimitKind
    amount: float
    """Days, or seconds."""
    text: str
    """As the procedure writes it."""


class Escalation(Struct, frozen=True):
    after_s: float
    """Counted from the time when the step was due."""
    to: tuple[str, ...]
    """Positions."""


class PauseReason(Struct, frozen=True):
    """Why the clock of a step may stand still."""

    id: str
    label: Words
    source: str = ""
    """Where the law allows it."""


class Branch(Struct, frozen=True):
    """Which steps follow, and on which answer; without `field` always."""

    to: tuple[str, ...]
    """Empty: nothing follows."""
    field: str = ""
    test: str = ""
    """is, is_not, at_least, below, any_of."""
    value: Any = None


class Step(Struct, frozen=True):
    id: str
    title: Words
    text: Words
    role: str
    """Position that does it."""
    fields: tuple[FormField, ...] = ()
    limit: Limit | None = None
    limit_source: str = ""
    pause_reasons: tuple[PauseReason, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    branches: tuple[Branch, ...] = ()
    """The first whose test is met decides; none: this was the last step."""
    waits_for_all: bool = False
    """Where ways meet again: begins only when no other way can still lead to it."""


class StartCondition(Struct, frozen=True):
    """An alarm of this kind calls for the procedure; what is empty is not asked for."""

    rule: str = ""
    entity_type: str = ""
    area: str = ""
    least_urgent: Priority = Priority.LOW
    is_automatic: bool = False
    """Started at once; else it is proposed."""


class Procedure(Struct, frozen=True):
    """One version; running instances keep theirs."""

    id: str
    version: int
    title: Words
    purpose: Words
    source: str
    """Plan or decision that it follows; empty: none."""
    is_example: bool
    """Comes with dothi to show how it is done; no authority has issued it."""
    priority: Priority
    """Of the notices about overdue steps."""
    first: str
    steps: Mapping[str, Step]
    """In the order of the file."""
    starts: tuple[StartCondition, ...] = ()
    valid_from: str = ""
    """Day; empty: not said."""


class StepState(StrEnum):
    WAITING = "waiting"
    """Asked for, but another way may still lead here."""
    OPEN = "open"
    PAUSED = "paused"
    DONE = "done"
    SKIPPED = "skipped"
    """Left out, with a reason, or the run ended before it."""


class Pause(Struct, frozen=True):
    reason: str
    from_at: datetime
    to_at: datetime | None
    by: str


class StepRun(Struct, frozen=True):
    """One step of a running procedure."""

    step: str
    state: StepState
    version: int = 1
    """Grows with every change: who answers names the one that was seen."""
    opened_at: datetime | None = None
    due_at: datetime | None = None
    """None while paused, and where there is no limit."""
    ended_at: datetime | None = None
    by: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    pauses: tuple[Pause, ...] = ()
    escalated: int = 0
    """How many levels have been told that it is overdue."""

    @property
    def is_late(self) -> bool:
        """Ended after it was due."""
        return self.due_at is not None and self.ended_at is not None and self.ended_at > self.due_at


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    ENDED = "ended"
    """Broken off, with a reason."""


class Run(Struct, frozen=True):
    """A procedure at work in an incident."""

    number: int
    """Rising from 1 within the incident."""
    incident: int
    procedure: str
    version: int
    state: RunState
    started_at: datetime
    started_by: str
    steps: tuple[StepRun, ...]
    cause: str = ""
    """Subject that started it, e.g. `alarm:12`; empty: a person."""
    ended_at: datetime | None = None
    reason: str = ""

    def step(self, name: str) -> StepRun | None:
        return next((s for s in self.steps if s.step == name), None)
