"""The steps that are to be done now, in all incidents: what a phone on duty shows."""

from datetime import datetime

from msgspec import Struct

from dothi.incidents.centre import IncidentCentre
from dothi.model.incident import IncidentState
from dothi.model.incident_record import Record
from dothi.model.procedure import Run, RunState, Step, StepRun, StepState, Words
from dothi.ports.incidents import BoardQuery

_NOT_CLOSED = BoardQuery(
    states=tuple(state for state in IncidentState if state is not IncidentState.CLOSED)
)
_LIVE = (StepState.OPEN, StepState.PAUSED)


class OpenStep(Struct, frozen=True):
    """One step with everything that doing it needs."""

    incident: int
    incident_title: str
    incident_title_en: str
    """Empty: it has one title."""
    origin: str
    """Where the data of the incident is synthetic: what to say of it; else empty."""
    run: int
    procedure: Words
    is_example: bool
    step: Step
    state: StepRun


def open_steps(centre: IncidentCentre) -> list[OpenStep]:
    """Open and paused steps of running procedures, the nearest time limit first. Blocking."""
    found: list[OpenStep] = []
    for row in centre.board(_NOT_CLOSED):
        if row.runs:
            record = centre.get(row.incident.id)
            found += [_open(centre, record, run, state) for run, state in _live(record)]
    return sorted(found, key=lambda one: _urgency(one.state, centre.now()))


def _live(record: Record) -> list[tuple[Run, StepRun]]:
    return [
        (run, state)
        for run in record.runs
        if run.state is RunState.RUNNING
        for state in run.steps
        if state.state in _LIVE
    ]


def _open(centre: IncidentCentre, record: Record, run: Run, state: StepRun) -> OpenStep:
    procedure = centre.library.book.shown(run)
    incident = record.incident
    return OpenStep(
        incident.id,
        incident.title,
        incident.title_en,
        incident.origin,
        run.number,
        procedure.title,
        procedure.is_example,
        procedure.steps[state.step],
        state,
    )


def _urgency(state: StepRun, now: datetime) -> tuple[bool, datetime]:
    """Those with a time limit first, the nearest before all."""
    return state.due_at is None, state.due_at or state.opened_at or now
