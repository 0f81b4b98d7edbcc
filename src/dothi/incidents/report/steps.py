"""The steps of a run in the report: which limits were kept, which were missed, by how much."""

from datetime import datetime

from msgspec import Struct

from dothi.incidents.report.document import Block, Grid, Paragraph
from dothi.incidents.report.wording import Wording
from dothi.model.procedure import FieldKind, Procedure, Run, Step, StepRun, StepState
from dothi.model.unit_symbols import symbol_of


class Tally(Struct, frozen=True):
    """Steps by what became of their limit."""

    kept: int = 0
    missed: int = 0
    skipped: int = 0
    open: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.kept + other.kept,
            self.missed + other.missed,
            self.skipped + other.skipped,
            self.open + other.open,
        )


def tally(run: Run, now: datetime) -> Tally:
    """A step that is still open after its limit has missed it and is open."""
    live = (StepState.OPEN, StepState.PAUSED, StepState.WAITING)
    limited = [s for s in run.steps if s.due_at is not None]
    return Tally(
        kept=sum(s.state is StepState.DONE and not s.is_late for s in limited),
        missed=sum(s.is_late or _is_late_now(s, now) for s in limited),
        skipped=sum(s.state is StepState.SKIPPED for s in run.steps),
        open=sum(s.state in live for s in run.steps),
    )


def run_blocks(run: Run, procedure: Procedure, w: Wording, now: datetime) -> list[Block]:
    """Title, what it is, and a row for every step that began or was left out."""
    title = f"{w.of(procedure.title)}, {w.say('version', n=procedure.version)}"
    if procedure.source:
        title += f" ({procedure.source})"
    state = w.say(f"run_{run.state}", reason=run.reason)
    blocks: list[Block] = [Paragraph(f"{title}: {state}.")]
    if procedure.is_example:
        blocks.append(Paragraph(w.say("example"), True))
    head = [w.say(key) for key in ("step", "role", "begun", "due", "ended", "result")]
    rows = [_row(procedure.steps[s.step], s, w, now) for s in run.steps]
    blocks.append(Grid(head, (2.3, 1.1, 1.15, 1.35, 1.15, 2.6), rows))
    return blocks


def _row(step: Step, state: StepRun, w: Wording, now: datetime) -> tuple[str, ...]:
    due = w.due(state.due_at)
    if step.limit is not None:
        due = f"{due} ({w.limit(step.limit)})".strip()
    texts = [_result(state, w, now)]
    for pause in state.pauses:
        reasons = {r.id: w.of(r.label) for r in step.pause_reasons}
        texts.append(
            w.say(
                "pauses",
                reason=reasons.get(pause.reason, pause.reason),
                start=w.time(pause.from_at),
                end=w.time(pause.to_at) or "…",
            )
        )
    texts += _answers(step, state, w)
    if state.by:
        texts.append(f"{w.say('by')}: {w.person(state.by)}")
    return (
        w.of(step.title),
        w.role(step.role),
        w.time(state.opened_at),
        due,
        w.time(state.ended_at),
        "\n".join(texts),
    )


def _result(state: StepRun, w: Wording, now: datetime) -> str:
    match state.state:
        case StepState.SKIPPED:
            return w.say("skipped", reason=state.note)
        case StepState.PAUSED:
            return w.say("paused")
        case StepState.WAITING:
            return w.say("waiting")
        case StepState.OPEN:
            if state.due_at is not None and now > state.due_at:
                return w.say("open_late", by=w.length(now - state.due_at))
            return w.say("still_open")
        case StepState.DONE:
            if state.due_at is None or state.ended_at is None:
                return w.say("no_limit")
            if state.is_late:
                return w.say("missed", by=w.length(state.ended_at - state.due_at))
            return w.say("kept")


def _answers(step: Step, state: StepRun, w: Wording) -> list[str]:
    texts = []
    for field in step.fields:
        if field.id not in state.answers:
            continue
        value = state.answers[field.id]
        told = w.answer(value)
        if field.kind is FieldKind.CHOICE:
            told = next((w.of(c.label) for c in field.choices if c.id == value), told)
        elif field.kind is FieldKind.TIME:
            told = w.time_text(value)
        elif field.kind is FieldKind.FILE:
            told = f"{w.say('file')} {value}"
        elif field.kind is FieldKind.NUMBER and field.unit != "C62":
            told = f"{told} {symbol_of(field.unit)}"
        texts.append(f"{w.of(field.label)}: {told}")
    return texts


def _is_late_now(state: StepRun, now: datetime) -> bool:
    return state.state is StepState.OPEN and state.due_at is not None and now > state.due_at
