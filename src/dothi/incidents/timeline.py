"""Entries that people write, and tasks. Pure: each function gives the Change to be stored."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from dothi.incidents.acting import (
    Actor,
    Said,
    numbered,
    require_open,
    require_text,
)
from dothi.model.incident import HAND_KINDS, LATE_KINDS, EntryKind, EvidenceFile, Task, TaskState
from dothi.model.incident_record import Change, Record
from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.model.problem import Problem


class Note(Struct, frozen=True):
    """What somebody writes into the timeline."""

    kind: EntryKind
    text: str
    refers_to: int | None = None
    happened_at: datetime | None = None
    amount: float | None = None
    """Of a cost."""
    currency: str = ""
    """Of a cost: ISO 4217."""
    to: str = ""
    """Of a message: who got it."""


def write(record: Record, note: Note, actor: Actor) -> Change:
    """Append an entry. It needs no version: nothing that stands is changed.

    Raises Problem: a kind that only the program writes, a cost without amount, a correction of
    nothing, a closed incident.
    """
    if note.kind not in HAND_KINDS:
        raise _wrong("kind", f"{note.kind} entries follow from actions", sorted(HAND_KINDS))
    if note.kind not in LATE_KINDS:
        require_open(record, f"{note.kind} entries")
    if note.happened_at is not None and note.happened_at > actor.at:
        raise _wrong("happened_at", "it lies in the future", ["a time that has passed"])
    details: dict[str, object] = {}
    if note.kind is EntryKind.COST:
        if note.amount is None or len(note.currency) != 3:
            raise _wrong("amount", "a cost needs amount and currency", ["12500000 and VND"])
        details = {"amount": note.amount, "currency": note.currency.upper()}
    if note.kind is EntryKind.MESSAGE:
        details = {"to": require_text(note.to, "to")}
    if note.kind is EntryKind.CORRECTION or note.refers_to is not None:
        _require_entry(record, note.refers_to)
    said = Said(
        note.kind, require_text(note.text, "text"), details, note.refers_to, note.happened_at
    )
    return Change(record.incident, numbered(record.entries, [said], actor))


class NewTask(Struct, frozen=True):
    title: str
    owner: str = ""
    due_at: datetime | None = None


def add_task(record: Record, wanted: NewTask, actor: Actor) -> Change:
    """A task; its owner is told."""
    require_open(record, "tasks")
    task = Task(
        (record.tasks[-1].number if record.tasks else 0) + 1,
        1,
        require_text(wanted.title, "title"),
        wanted.owner,
        TaskState.OPEN,
        actor.at,
        actor.name,
        wanted.due_at,
    )
    return _told(record, task, "", actor)


class TaskEdit(Struct, frozen=True):
    """None leaves as it is."""

    state: TaskState | None = None
    owner: str | None = None
    due_at: datetime | None = None
    note: str = ""


def change_task(
    record: Record, number: int, wanted: TaskEdit, version: int | None, actor: Actor
) -> Change:
    """Raises Problem: no such task (404), changed meanwhile or ended (409), dropped without a
    reason."""
    task = record.task(number)
    if task is None:
        raise Problem("task_not_found", "No such task", f"there is no task {number}", 404)
    require_open(record, "changes")
    if task.state is not TaskState.OPEN or (version is not None and version != task.version):
        raise Problem(
            "task_changed",
            "The task was changed meanwhile",
            f"task {number} is {task.state}, version {task.version}",
            409,
            where="version",
            remedy="read the incident again, look at what changed, then decide anew",
        )
    if wanted.state is TaskState.DROPPED:
        require_text(wanted.note, "note")
    is_ended = wanted.state in (TaskState.DONE, TaskState.DROPPED)
    changed = replace(
        task,
        version=task.version + 1,
        state=wanted.state or task.state,
        owner=task.owner if wanted.owner is None else wanted.owner,
        due_at=wanted.due_at or task.due_at,
        ended_at=actor.at if is_ended else None,
        note=wanted.note.strip() or task.note,
    )
    return _told(record, changed, wanted.note.strip(), actor, task)


def add_file(record: Record, file: EvidenceFile, note: str, actor: Actor) -> Change:
    """Put an uploaded file into the record; its number is the next one."""
    require_open(record, "files")
    number = (record.files[-1].number if record.files else 0) + 1
    stored = replace(file, number=number)
    details = {
        "file": number,
        "name": file.name,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "run": file.run,
        "step": file.step,
    }
    said = Said(EntryKind.EVIDENCE, note.strip() or file.name, details)
    return Change(record.incident, numbered(record.entries, [said], actor), files=(stored,))


def _told(
    record: Record, task: Task, note: str, actor: Actor, before: Task | None = None
) -> Change:
    details = {
        "task": task.number,
        "title": task.title,
        "state": str(task.state),
        "owner": task.owner,
        "due_at": task.due_at.isoformat() if task.due_at else None,
    }
    said = Said(EntryKind.TASK, note or task.title, details)
    notices: tuple[Notice, ...] = ()
    if task.owner and (before is None or before.owner != task.owner):
        notices = (_assigned(record, task, actor),)
    return Change(
        record.incident,
        numbered(record.entries, [said], actor),
        tasks=(task,),
        notices=notices,
    )


def _assigned(record: Record, task: Task, actor: Actor) -> Notice:
    incident = record.incident
    return Notice(
        f"task.assigned:{incident.id}:{task.number}:{task.version}",
        "task.assigned",
        actor.at,
        Priority(int(incident.severity)),
        f"incident:{incident.id}",
        {
            "incident": str(incident.id),
            "title": incident.title,
            "title_en": incident.title_en,
            "task": task.title,
            "due_at": task.due_at.isoformat() if task.due_at else "",
            "by": actor.name,
        },
        people=(task.owner,),
    )


def _require_entry(record: Record, number: int | None) -> None:
    if number is None or not any(e.number == number for e in record.entries):
        raise _wrong("refers_to", f"there is no entry {number}", ["number of an earlier entry"])


def _wrong(where: str, detail: str, possible: list[str] | list[EntryKind]) -> Problem:
    return Problem(
        "entry_wrong",
        "The entry cannot be taken",
        detail,
        where=where,
        remedy=f"give: {', '.join(map(str, possible))}",
    )
