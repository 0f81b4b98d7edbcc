"""A running procedure: which steps are open, what an answer opens, when a step is overdue. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from dothi.incidents.acting import Actor
from dothi.incidents.clocks import due_at
from dothi.incidents.procedure_graph import reachable
from dothi.incidents.working_calendar import WorkingCalendar
from dothi.model.problem import Problem
from dothi.model.procedure import (
    Branch,
    LimitKind,
    Pause,
    Procedure,
    Run,
    RunState,
    Step,
    StepRun,
    StepState,
)

_LIVE = (StepState.WAITING, StepState.OPEN, StepState.PAUSED)


def begin(
    procedure: Procedure, incident: int, act: Actor, calendar: WorkingCalendar, cause: str = ""
) -> Run:
    """A run whose first step is open. `number` is given by the store."""
    run = Run(
        0, incident, procedure.id, procedure.version, RunState.RUNNING, act.at, act.name, (), cause
    )
    return _opened(run, procedure, (procedure.first,), act.at, calendar)


def finish_step(
    run: Run,
    procedure: Procedure,
    done: StepRun,
    answers: Mapping[str, Any],
    act: Actor,
    calendar: WorkingCalendar,
) -> Run:  # `answers` are checked: see forms.check_answers
    """The step is done; what its answers lead to opens. A run without live steps is done."""
    step = procedure.steps[done.step]
    ended = replace(
        _resumed(done, step, act.at, calendar),
        state=StepState.DONE,
        version=done.version + 1,
        ended_at=act.at,
        by=act.name,
        answers=dict(answers),
    )
    return _opened(_with(run, ended), procedure, next_steps(step, answers), act.at, calendar)


def skip_step(
    run: Run,
    procedure: Procedure,
    step: StepRun,
    act: Actor,
    reason: str,
    calendar: WorkingCalendar,
) -> Run:
    """Leave a step out; the way without answers is taken (tests fail, the last branch remains)."""
    left = replace(
        step,
        state=StepState.SKIPPED,
        version=step.version + 1,
        ended_at=act.at,
        by=act.name,
        note=reason,
    )
    targets = next_steps(procedure.steps[step.step], {})
    return _opened(_with(run, left), procedure, targets, act.at, calendar)


def pause_step(run: Run, step: StepRun, reason: str, act: Actor) -> Run:
    """Stop its clock. The caller has checked that the step knows the reason."""
    stopped = replace(
        step,
        state=StepState.PAUSED,
        version=step.version + 1,
        due_at=None,
        pauses=(*step.pauses, Pause(reason, act.at, None, act.name)),
    )
    return _with(run, stopped)


def resume_step(
    run: Run, procedure: Procedure, step: StepRun, act: Actor, calendar: WorkingCalendar
) -> Run:
    again = _resumed(step, procedure.steps[step.step], act.at, calendar)
    return _with(run, replace(again, state=StepState.OPEN, version=step.version + 1))


def end_run(run: Run, act: Actor, reason: str) -> Run:
    """Break off: what is not done is left out."""
    steps = tuple(
        replace(s, state=StepState.SKIPPED, version=s.version + 1, ended_at=act.at, note=reason)
        if s.state in _LIVE
        else s
        for s in run.steps
    )
    return replace(run, state=RunState.ENDED, ended_at=act.at, reason=reason, steps=steps)


def next_steps(step: Step, answers: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the first branch that holds leads."""
    return next((branch.to for branch in step.branches if holds(branch, answers)), ())


def holds(branch: Branch, answers: Mapping[str, Any]) -> bool:
    """A missing answer meets no test but `is_not`."""
    if not branch.field:
        return True
    answer, wanted = answers.get(branch.field), branch.value
    match branch.test:
        case "is_not":
            return answer is None or answer != wanted
        case "at_least":
            return answer is not None and float(answer) >= float(str(wanted))
        case "below":
            return answer is not None and float(answer) < float(str(wanted))
        case "any_of":
            return isinstance(wanted, tuple | list) and answer in wanted
        case _:
            return answer is not None and answer == wanted


def escalation_at(step: Step, state: StepRun) -> datetime | None:
    """When the next level is to be told; None: never, or not while it is paused."""
    if state.state is not StepState.OPEN or state.due_at is None:
        return None
    if state.escalated >= max(1, len(step.escalation)):
        return None
    if not step.escalation:
        return state.due_at  # nobody is told, but the timeline says that it is late
    return state.due_at + timedelta(seconds=step.escalation[state.escalated].after_s)


def moved(procedure: Procedure, state: StepRun, jump: timedelta) -> StepRun:
    """A live step after the clock was set: what passed and what is left of its limit are the same.

    Days and office hours are counted on the calendar, so they stay where they are.
    """
    limit = procedure.steps[state.step].limit
    if state.state not in (StepState.OPEN, StepState.PAUSED) or limit is None:
        return state
    if limit.kind is not LimitKind.ELAPSED:
        return state
    pauses = tuple(replace(p, from_at=p.from_at + jump, to_at=_after(p.to_at, jump))
                   for p in state.pauses)  # fmt: skip
    return replace(
        state,
        opened_at=_after(state.opened_at, jump),
        due_at=_after(state.due_at, jump),
        pauses=pauses,
    )


def _after(at: datetime | None, jump: timedelta) -> datetime | None:
    return None if at is None else at + jump


def require_step(run: Run, name: str, version: int | None) -> StepRun:
    """The live step that somebody wants to change.

    Raises Problem: no such step (404), or it was changed meanwhile (409).
    """
    step = run.step(name)
    if step is None or step.state is StepState.WAITING:
        raise Problem(
            "step_not_open",
            "The step is not open",
            f"step {name!r} has not begun in run {run.number}",
            404 if step is None else 409,
            remedy="read the incident again: it lists the open steps",
        )
    if step.state not in _LIVE or (version is not None and version != step.version):
        who = f" by {step.by}" if step.by else ""
        raise Problem(
            "step_changed",
            "Somebody was faster",
            f"step {name!r} is {step.state}{who} (version {step.version})",
            409,
            where="version",
            remedy="read the incident again and look at what was entered",
        )
    return step


def _opened(
    run: Run, procedure: Procedure, wanted: Sequence[str], at: datetime, calendar: WorkingCalendar
) -> Run:
    for name in wanted:
        if run.step(name) is None:
            run = replace(run, steps=(*run.steps, StepRun(name, StepState.WAITING)))
    for state in run.steps:
        if state.state is StepState.WAITING and not _is_held(run, procedure, state.step):
            step = procedure.steps[state.step]
            due = due_at(step.limit, at, (), calendar) if step.limit else None
            opened = replace(state, state=StepState.OPEN, opened_at=at, due_at=due)
            run = _with(run, opened)
    if not any(state.state in _LIVE for state in run.steps):
        run = replace(run, state=RunState.DONE, ended_at=at)
    return run


def _is_held(run: Run, procedure: Procedure, name: str) -> bool:
    if not procedure.steps[name].waits_for_all:
        return False
    others = (s.step for s in run.steps if s.state in _LIVE and s.step != name)
    return any(name in reachable(procedure.steps, other) for other in others)


def _resumed(step: StepRun, plan: Step, at: datetime, calendar: WorkingCalendar) -> StepRun:
    """With an open pause ended, and the limit counted anew."""
    if step.state is not StepState.PAUSED or plan.limit is None or step.opened_at is None:
        return step
    pauses = (*step.pauses[:-1], replace(step.pauses[-1], to_at=at))
    return replace(step, pauses=pauses, due_at=due_at(plan.limit, step.opened_at, pauses, calendar))


def _with(run: Run, changed: StepRun) -> Run:
    return replace(run, steps=tuple(changed if s.step == changed.step else s for s in run.steps))
