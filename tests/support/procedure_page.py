"""Writes the reference page of procedures and the working calendar from the code itself."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from dothi.incidents import calendar_file, procedure_shape
from dothi.incidents.procedure_file import TESTS
from dothi.model.incident import HAND_KINDS, LATE_KINDS, EntryKind, IncidentState, SubjectKind
from support.reference import documentation, shown_default

_HEAD = """# Procedures and the working calendar

*(Tiếng Việt: [vi/procedures.md](vi/procedures.md))*

A procedure (SOP) is one TOML file; `[incidents] procedures_folder` names the folder that dothi
reads at the start, and `POST /api/v1/procedures` stores one over HTTP (`check_only` only looks at
it). A version that was stored is never replaced: raise `version`. Running instances keep theirs.
Everything is decoded strictly: an unknown key, a wrong value, a step that is not there, a cycle or
a step that nothing leads to is refused, and the message names step and field.

This page is written by `DOTHI_WRITE_DOCS=1 uv run pytest tests/docs`; a test compares it with the
code. How to write one: [guide](../guide/en/procedures.md).
"""
_LIMITS = """
## Time limits

| written | runs out |
|---|---|
| `30 min`, `72 h` | so long after the step began; what is left stays when the clock is set |
| `4 working hours` | when so much of the office hours has passed |
| `3 days` | at the end of the third day after; a last day without work moves to a working day |
| `2 working days` | at the end of the second working day after; half days count half |

The day on which the step begins is not counted (Civil Code 91/2015/QH13, Article 147.2); a limit
in days ends with its last day (148.1, 148.6) or, where that is free, with the next working day
(148.5). While a step is paused its limit stands still, counted in its own measure. A limit that
ends in a year whose holidays are not in the calendar says so in the timeline. Days are whole: half
a day would end with the same day, so it is refused; write `4 working hours`. In a version that was
stored when half working days were taken they count on as they did.

A stored version that cannot be read starts nothing and disturbs no other: the log, `dothi doctor`
and the screen of procedures name it. What runs of it can be looked at and ended; its steps stand
there by their ids.

When the clock of the machine is set, also while dothi stands, what is left of minutes and hours
stays left. Where the machine itself was started anew in between, only a clock that was set back
can be told from one that went on.
"""
_CALENDAR = """
## The working calendar

`[incidents] calendar_file`; without it `src/dothi/app/incidents/calendar_vn.toml` applies, whose
office hours are only an example. Each day has a source and a mark; unverified ones were computed
(lunar dates) or wait for the decision of the year and must be replaced.
`GET /api/v1/working-calendar` shows what is in force.
"""


def procedures_page() -> str:
    lines = [_HEAD]
    tables = (
        ("The file", procedure_shape.ProcedureTable),
        ("`[[start]]`", procedure_shape.StartTable),
        ("`[[step]]`", procedure_shape.StepTable),
        ("`[[step.field]]`", procedure_shape.FieldTable),
        ("`choices`", procedure_shape.ChoiceTable),
        ("`[[step.next]]`", procedure_shape.NextTable),
        ("`[[step.pause]]`", procedure_shape.PauseTable),
        ("`[[step.escalate]]`", procedure_shape.EscalateTable),
        ("Texts", procedure_shape.WordsTable),
    )
    for title, struct in tables:
        lines += _table(title, struct)
    lines.append(_LIMITS)
    lines.append(_CALENDAR)
    for title, struct in (
        ("The calendar file", calendar_file.CalendarFile),
        ("`[week]`", calendar_file.Week),
        ("`[office]`", calendar_file.Office),
        ("`[[day]]`", calendar_file.Day),
    ):
        lines += _table(title, struct)
    lines += ["", *_incidents()]
    return "\n".join(lines) + "\n"


def _table(title: str, struct: Any) -> Iterator[str]:
    yield f"\n### {title}\n\n{' '.join(inspect.cleandoc(struct.__doc__ or '').split())}\n"
    yield "| key | default | meaning |\n|---|---|---|"
    documented = documentation(struct)
    for field in msgspec.structs.fields(struct):
        meaning = documented.get(field.name, "")
        assert meaning, f"{struct.__name__}.{field.name} has no documentation"
        yield f"| `{field.encode_name}` | {shown_default(field)} | {meaning}{_values(field.type)} |"


def _values(kind: Any) -> str:
    """The words that are allowed."""
    words = [value for value in get_args(kind) if isinstance(value, str)]
    return f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""


def _incidents() -> Iterator[str]:
    yield "## Words of incidents\n"
    yield f"States: {_listed(IncidentState)}; a closed incident stays closed.\n"
    yield (
        f"Entries of the timeline: {_listed(EntryKind)}. "
        f"People write {_listed(sorted(HAND_KINDS))}; "
        f"a closed incident still takes {_listed(sorted(LATE_KINDS))}. "
        "No entry is ever changed or deleted: the database refuses it.\n"
    )
    yield f"Subjects that may be linked begin with {_listed(SubjectKind)} and a colon.\n"
    yield f"Tests of branches: {_listed(TESTS)}."


def _listed(words: Any) -> str:
    return ", ".join(f"`{word}`" for word in words)
