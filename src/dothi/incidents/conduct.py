"""Procedures within an incident: starting, answering, pausing, ending, escalating. Pure: each
function gives the Change to be stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dothi.incidents import procedure_run as runs
from dothi.incidents.acting import (
    PROGRAM,
    Actor,
    Said,
    numbered,
    require_open,
    require_text,
)
from dothi.incidents.forms import check_answers
from dothi.incidents.working_calendar import WorkingCalendar
from dothi.model.incident import EntryKind
from dothi.model.incident_record import Change, Record
from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.model.procedure import Procedure, Run, RunState, Step, StepRun, StepState, Words

_LEAST_MOVE = timedelta(seconds=1)
"""Less is rounding."""


class Answered(Struct, frozen=True):
    """What somebody does to an open step."""

    action: str
    """finish, skip, pause or resume."""
    answers: Mapping[str, Any]
    reason: str = ""
    """Why it is left out; id of the pause reason."""
    version: int | None = None


class Book(Struct, frozen=True):
    """What procedures and clocks are known."""

    procedures: Mapping[tuple[str, int], Procedure]
    calendar: WorkingCalendar

    def of(self, run: Run) -> Procedure:
        """The version that the run keeps. Raises Problem 500: it is not in the store any more, or
        this dothi cannot read it."""
        found = self.procedures.get((run.procedure, run.version))
        if found is None:
            raise Problem(
                "procedure_version_missing",
                "The procedure of this run is not there",
                f"{run.procedure} version {run.version}",
                500,
                remedy="`dothi doctor` says what is wrong with it; or end it and start another",
            )
        return found

    def shown(self, run: Run) -> Procedure:
        """As `of`, to look at, escalate and end: where the version cannot be read, the steps that
        the run has reached stand for it, by their ids."""
        return self.procedures.get((run.procedure, run.version)) or _stand_in(run)


def _stand_in(run: Run) -> Procedure:
    return Procedure(
        id=run.procedure,
        version=run.version,
        title=Words(run.procedure, run.procedure),
        purpose=Words("Không đọc được phiên bản đã lưu.", "The stored version cannot be read."),
        source="",
        is_example=False,
        priority=Priority.HIGH,
        first=run.steps[0].step if run.steps else "",
        steps={s.step: Step(s.step, Words(s.step, s.step), Words("", ""), "") for s in run.steps},
    )


def start(
    record: Record, procedure: Procedure, book: Book, actor: Actor, cause: str = ""
) -> Change:
    """Begin a procedure. Raises Problem 409: it already runs here."""
    require_open(record, "procedures")
    running = [r for r in record.runs if r.state is RunState.RUNNING]
    if any(r.procedure == procedure.id for r in running):
        raise Problem(
            "procedure_runs",
            "The procedure already runs here",
            f"{procedure.id} runs in incident {record.incident.id}",
            409,
            remedy="go on with it, or end it with a reason first",
        )
    begun = runs.begin(procedure, record.incident.id, actor, book.calendar, cause)
    number = max((r.number for r in record.runs), default=0) + 1
    begun = replace(begun, number=number)
    said = [
        Said(
            EntryKind.STEP,
            procedure.title.vi,
            {
                "event": "started",
                "run": number,
                "procedure": procedure.id,
                "version": procedure.version,
                "title_en": procedure.title.en,
                "cause": cause,
            },
        )
    ]
    said += _opened(None, begun, procedure, book)
    return Change(record.incident, numbered(record.entries, said, actor), runs=(begun,))


def act_on_step(
    record: Record, number: int, name: str, done: Answered, book: Book, actor: Actor
) -> Change:
    """Raises Problem: no such run or step (404), changed meanwhile (409), an answer that does not
    fit (400)."""
    require_open(record, "answers")
    run = _require_run(record, number)
    procedure = book.of(run)
    state = runs.require_step(run, name, done.version)
    changed, event, details = _acted(record, run, state, done, book, actor)
    step = procedure.steps[name]
    told = {"event": event, "run": number, "step": name, "title_en": step.title.en, **details}
    after = changed.step(name)
    if after is not None and event == "finished":
        told["is_late"] = after.is_late
    said = [Said(EntryKind.STEP, step.title.vi, told)]
    said += _opened(run, changed, procedure, book)
    if changed.state is RunState.DONE:
        said.append(_run_said(changed, procedure, "done", ""))
    return Change(record.incident, numbered(record.entries, said, actor), runs=(changed,))


def end(record: Record, number: int, reason: str, book: Book, actor: Actor) -> Change:
    """Break a procedure off, with the reason."""
    run = _require_run(record, number)
    reason = require_text(reason, "reason")
    changed = runs.end_run(run, actor, reason)
    said = _run_said(changed, book.shown(run), "ended", reason)
    return Change(record.incident, numbered(record.entries, [said], actor), runs=(changed,))


def escalate(record: Record, now: datetime, book: Book) -> Change | None:
    """Tell of every overdue step whose next level has come; None: there is none.

    The notice's id holds run, step and level, so the same level is never told twice.
    """
    said: list[Said] = []
    notices: list[Notice] = []
    changed: list[Run] = []
    for run in record.runs:
        if run.state is not RunState.RUNNING:
            continue
        steps = []
        for state in run.steps:
            after, new_said, new_notices = _escalated(record, run, state, now, book)
            steps.append(after)
            said += new_said
            notices += new_notices
        if tuple(steps) != run.steps:
            changed.append(replace(run, steps=tuple(steps)))
    if not changed:
        return None
    actor = Actor(PROGRAM, now)
    return Change(
        record.incident,
        numbered(record.entries, said, actor),
        runs=changed,
        notices=notices,
    )


class ClockMove(Struct, frozen=True):
    """The clock was set."""

    jump: timedelta
    """By how much, all in all, since the mark."""
    since_at: datetime
    """The mark: names the move, so that what was moved before a crash is not moved twice."""
    at: datetime


def move_limits(record: Record, move: ClockMove, book: Book) -> Change | None:
    """Limits in minutes and hours of live steps move with the clock, and the timeline says so;
    None: there is none that has not moved so far already."""
    said: list[Said] = []
    changed: list[Run] = []
    for run in record.runs:
        jump = move.jump - _moved_before(record, run, move)
        if run.state is not RunState.RUNNING or abs(jump) < _LEAST_MOVE:
            continue
        procedure = book.shown(run)
        steps = tuple(runs.moved(procedure, state, jump) for state in run.steps)
        if steps != run.steps:
            changed.append(replace(run, steps=steps))
            told = _run_said(run, procedure, "clock_set", "")
            which = {"jump_s": jump.total_seconds(), "since_at": move.since_at.isoformat()}
            said.append(replace(told, details={**told.details, **which}))
    if not changed:
        return None
    return Change(
        record.incident, numbered(record.entries, said, Actor(PROGRAM, move.at)), runs=changed
    )


def _moved_before(record: Record, run: Run, move: ClockMove) -> timedelta:
    mark = move.since_at.isoformat()
    told = (e.details for e in record.entries if e.details.get("since_at") == mark)
    return timedelta(seconds=sum(d["jump_s"] for d in told if d["run"] == run.number))


def _acted(
    record: Record, run: Run, state: StepRun, done: Answered, book: Book, actor: Actor
) -> tuple[Run, str, dict[str, Any]]:
    procedure = book.of(run)
    step = procedure.steps[state.step]
    match done.action:
        case "finish":
            answers = check_answers(step, done.answers, [f.number for f in record.files])
            changed = runs.finish_step(run, procedure, state, answers, actor, book.calendar)
            return changed, "finished", {"answers": answers}
        case "skip":
            reason = require_text(done.reason, "reason")
            changed = runs.skip_step(run, procedure, state, actor, reason, book.calendar)
            return changed, "skipped", {"reason": reason}
        case "pause":
            _require_pause(state, [r.id for r in step.pause_reasons], done.reason)
            label = next(r.label for r in step.pause_reasons if r.id == done.reason)
            told = {"pause": done.reason, "reason": label.vi, "reason_en": label.en}
            return runs.pause_step(run, state, done.reason, actor), "paused", told
        case "resume":
            if state.state is not StepState.PAUSED:
                raise _not_possible(state, "only a paused step goes on")
            return runs.resume_step(run, procedure, state, actor, book.calendar), "resumed", {}
        case _:
            raise _not_possible(state, f"{done.action!r} is none of finish, skip, pause, resume")


def _require_pause(state: StepRun, known: Sequence[str], reason: str) -> None:
    if state.state is not StepState.OPEN:
        raise _not_possible(state, "only an open step can be paused")
    if reason not in known:
        listed = ", ".join(known) or "none: the clock of this step cannot be paused"
        raise _not_possible(state, f"{reason!r} is no reason of the procedure; reasons: {listed}")


def _escalated(
    record: Record, run: Run, state: StepRun, now: datetime, book: Book
) -> tuple[StepRun, list[Said], list[Notice]]:
    procedure = book.shown(run)
    step = procedure.steps[state.step]
    said: list[Said] = []
    notices: list[Notice] = []
    while (at := runs.escalation_at(step, state)) is not None and at <= now:
        level = step.escalation[state.escalated] if step.escalation else None
        to = level.to if level else ()
        details = {
            "event": "overdue",
            "run": run.number,
            "step": step.id,
            "title_en": step.title.en,
            "level": state.escalated + 1,
            "to": list(to),
            "due_at": state.due_at.isoformat() if state.due_at else None,
        }
        said.append(Said(EntryKind.STEP, step.title.vi, details))
        if level is not None:
            notices.append(_overdue(record, run, procedure, state, now))
        state = replace(state, escalated=state.escalated + 1)
    return state, said, notices


def _overdue(
    record: Record, run: Run, procedure: Procedure, state: StepRun, now: datetime
) -> Notice:
    incident, step = record.incident, procedure.steps[state.step]
    to = step.escalation[state.escalated].to
    level = state.escalated + 1
    return Notice(
        f"step.overdue:{incident.id}:{run.number}:{step.id}:{level}",
        "step.overdue",
        now,
        procedure.priority,
        f"incident:{incident.id}",
        {
            "incident": str(incident.id),
            "title": incident.title,
            "title_en": incident.title_en,
            "procedure": procedure.title.vi,
            "procedure_en": procedure.title.en,
            "step": step.title.vi,
            "step_en": step.title.en,
            "role": step.role,
            "limit": step.limit.text if step.limit else "",
            "due_at": state.due_at.isoformat() if state.due_at else "",
            "level": str(level),
        },
        to,
    )


def _opened(before: Run | None, after: Run, procedure: Procedure, book: Book) -> list[Said]:
    """An entry for every step that opened."""
    known = {s.step for s in before.steps if s.state is not StepState.WAITING} if before else set()
    said = []
    for state in after.steps:
        if state.state is not StepState.OPEN or state.step in known:
            continue
        step = procedure.steps[state.step]
        details: dict[str, Any] = {
            "event": "opened",
            "run": after.number,
            "step": step.id,
            "title_en": step.title.en,
            "role": step.role,
            "limit": step.limit.text if step.limit else "",
            "due_at": state.due_at.isoformat() if state.due_at else None,
        }
        if state.due_at and not book.calendar.knows(book.calendar.day_of(state.due_at)):
            details["is_calendar_unknown"] = True
        said.append(Said(EntryKind.STEP, step.title.vi, details))
    return said


def _run_said(run: Run, procedure: Procedure, event: str, reason: str) -> Said:
    details = {
        "event": event,
        "run": run.number,
        "procedure": procedure.id,
        "title_en": procedure.title.en,
        "reason": reason,
    }
    return Said(EntryKind.STEP, procedure.title.vi, details)


def _require_run(record: Record, number: int) -> Run:
    run = record.run(number)
    if run is None:
        raise Problem(
            "run_not_found", "No such procedure here", f"the incident has no run {number}", 404
        )
    if run.state is not RunState.RUNNING:
        raise Problem(
            "run_over", "The procedure is over", f"run {number} is {run.state}", 409,
            remedy="start it again when it is needed",
        )  # fmt: skip
    return run


def _not_possible(state: StepRun, detail: str) -> Problem:
    return Problem(
        "step_action_not_possible",
        "This cannot be done to the step",
        f"step {state.step!r}: {detail}",
        409,
        where="action",
    )
