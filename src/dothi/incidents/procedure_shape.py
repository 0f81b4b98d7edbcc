"""The tables and keys of a procedure's TOML file, as msgspec structs."""

from datetime import date
from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class WordsTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages: `{ vi = "…", en = "…" }`."""

    vi: Text
    """Vietnamese."""
    en: Text
    """English."""


class ChoiceTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the answers of a field of kind `choice`."""

    id: Name
    """What branches and reports name."""
    label: WordsTable
    """What the person reads."""


class FieldTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question of a step."""

    id: Name
    """Unique within the procedure's step; branches name it."""
    kind: Literal["text", "number", "choice", "checkbox", "time", "file"]
    """What is asked for. `file`: evidence, uploaded to the incident."""
    label: WordsTable
    """The question."""
    required: bool = False
    """The step cannot be finished without it; a required checkbox must be ticked."""
    unit: str = ""
    """Of a number: UN/CEFACT code, e.g. `MTR`. Required there, `C62` for a bare count."""
    least: float | None = None
    """Of a number: the smallest that is taken."""
    most: float | None = None
    """Of a number: the largest that is taken."""
    choices: tuple[ChoiceTable, ...] = ()
    """Of a choice: at least two."""


class PauseTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reason for which the clock of the step may stand still."""

    id: Name
    """Stored with the pause."""
    label: WordsTable
    """What the person reads."""
    source: str = ""
    """Where the law or the plan allows it; empty: not given."""


class EscalateTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told when the step is overdue."""

    to: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """Positions, e.g. `duty_officer`."""
    after: str = ""
    """How long after the step was due, e.g. `30 min`; empty: at once."""


class NextTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which steps follow. The first whose test is met decides; one without a test always is."""

    to: tuple[Name, ...]
    """Steps that begin, side by side; empty: nothing follows on this way."""
    field: str = ""
    """Field of this step whose answer is tested; empty: no test."""
    is_: str | bool | float | None = msgspec.field(default=None, name="is")
    """The answer equals this."""
    is_not: str | bool | float | None = None
    """The answer is another one, or missing."""
    at_least: float | None = None
    """The number is this or more."""
    below: float | None = None
    """The number is less than this."""
    any_of: tuple[str, ...] | None = None
    """The choice is one of these."""


class StepTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step."""

    id: Name
    """Unique within the procedure."""
    title: WordsTable
    """In a few words, as in a checklist."""
    text: WordsTable
    """What exactly is to be done."""
    role: Name
    """Position that does it."""
    limit: str = ""
    """`30 min`, `72 h`, `3 days`, `2 working days`, `4 working hours`; empty: none."""
    limit_source: str = ""
    """Law or plan that sets the limit; empty: not given."""
    waits_for_all: bool = False
    """Where ways meet again: begins only when no other way can still lead to it."""
    field: tuple[FieldTable, ...] = ()
    """The form, in order."""
    pause: tuple[PauseTable, ...] = ()
    """Reasons for which its clock may be paused; none: it cannot be."""
    escalate: tuple[EscalateTable, ...] = ()
    """Levels of escalation; none: nobody is told."""
    next: tuple[NextTable, ...] = ()
    """What follows; none: nothing."""


class StartTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alarm that calls for the procedure; what is left out is not asked for."""

    rule: str = ""
    """Id of the rule that raised it."""
    entity_type: str = ""
    """Type of the entity that it is about."""
    area: str = ""
    """Id of an area that holds the entity, or its `level:code` on every date."""
    least_urgent: Annotated[int, msgspec.Meta(ge=1, le=4)] = 4
    """Alarms of this priority or a more urgent one (1 is the most urgent)."""
    automatic: bool = False
    """Opens an incident by itself when such an alarm begins, or starts in the one that the alarm
    is linked with; else it is proposed."""


class ProcedureTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    id: Name
    """Stays the same over all versions."""
    version: Annotated[int, msgspec.Meta(ge=1)]
    """Grows with every change; a version that was stored is never replaced."""
    title: WordsTable
    """Name of the procedure."""
    purpose: WordsTable
    """What it is for, and when it is used."""
    first: Name
    """Step it begins with."""
    step: Annotated[tuple[StepTable, ...], msgspec.Meta(min_length=1)]
    """The steps."""
    source: str = ""
    """Plan or decision that it follows; empty: none."""
    is_example: bool = False
    """Shown as an example, not as something that an authority issued."""
    priority: Annotated[int, msgspec.Meta(ge=1, le=4)] = 2
    """Of the notices about overdue steps; 1 is the most urgent."""
    valid_from: date | None = None
    """Day from which it is in force."""
    start: tuple[StartTable, ...] = ()
    """Alarms that call for it; none: it is started by hand."""
