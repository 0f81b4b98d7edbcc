"""Rows of the incident tables and what they stand for."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from dothi.model.incident import (
    Entry,
    EntryKind,
    EvidenceFile,
    Incident,
    IncidentState,
    Informed,
    Link,
    Point,
    Severity,
    Task,
    TaskState,
)
from dothi.model.moments import at_of, us_of
from dothi.model.procedure import Pause, Run, RunState, StepRun, StepState


def incident_values(of: Incident) -> dict[str, Any]:
    return {
        "id": of.id,
        "version": of.version,
        "title": of.title,
        "severity": int(of.severity),
        "state": str(of.state),
        "opened_us": us_of(of.opened_at),
        "opened_by": of.opened_by,
        "changed_us": us_of(of.changed_at),
        "closed_us": us_of(of.closed_at),
        "commander": of.commander,
        "description": of.description,
        "units": _json([[u.name, us_of(u.at), u.how] for u in of.units]),
        "points": _json([[p.lon, p.lat, p.label] for p in of.points]),
        "origin": of.origin,
        "title_en": of.title_en,
    }


def incident_of(row: Row[Any]) -> Incident:
    return Incident(
        row.id,
        row.version,
        row.title,
        Severity(row.severity),
        IncidentState(row.state),
        at_of(row.opened_us),
        row.opened_by,
        at_of(row.changed_us),
        row.description,
        row.commander,
        tuple(Informed(name, at_of(us), how) for name, us, how in json.loads(row.units)),
        tuple(Point(*point) for point in json.loads(row.points)),
        at_of(row.closed_us),
        row.origin,
        row.title_en,
    )


def entry_values(incident: int, of: Entry) -> dict[str, Any]:
    return {
        "incident_id": incident,
        "number": of.number,
        "kind": str(of.kind),
        "text": of.text,
        "by": of.by,
        "at_us": us_of(of.at),
        "happened_us": us_of(of.happened_at),
        "details": _json(dict(of.details)),
        "refers_to": of.refers_to,
    }


def entry_of(row: Row[Any]) -> Entry:
    return Entry(
        EntryKind(row.kind),
        row.text,
        row.by,
        at_of(row.at_us),
        at_of(row.happened_us),
        json.loads(row.details),
        row.refers_to,
        row.number,
    )


def link_values(incident: int, of: Link) -> dict[str, Any]:
    return {
        "incident_id": incident,
        "subject": of.subject,
        "title": of.title,
        "by": of.by,
        "at_us": us_of(of.at),
        "title_en": of.title_en,
    }


def link_of(row: Row[Any]) -> Link:
    return Link(row.subject, row.title, row.by, at_of(row.at_us), row.title_en)


def task_values(incident: int, of: Task) -> dict[str, Any]:
    return {
        "incident_id": incident,
        "number": of.number,
        "version": of.version,
        "title": of.title,
        "owner": of.owner,
        "state": str(of.state),
        "created_us": us_of(of.created_at),
        "created_by": of.created_by,
        "due_us": us_of(of.due_at),
        "ended_us": us_of(of.ended_at),
        "note": of.note,
    }


def task_of(row: Row[Any]) -> Task:
    return Task(
        row.number,
        row.version,
        row.title,
        row.owner,
        TaskState(row.state),
        at_of(row.created_us),
        row.created_by,
        at_of(row.due_us),
        at_of(row.ended_us),
        row.note,
    )


def file_values(incident: int, of: EvidenceFile) -> dict[str, Any]:
    return {
        "incident_id": incident,
        "number": of.number,
        "name": of.name,
        "media_type": of.media_type,
        "size_bytes": of.size_bytes,
        "sha256": of.sha256,
        "by": of.by,
        "at_us": us_of(of.at),
        "run": of.run,
        "step": of.step,
    }


def file_of(row: Row[Any]) -> EvidenceFile:
    return EvidenceFile(
        row.number,
        row.name,
        row.media_type,
        row.size_bytes,
        row.sha256,
        row.by,
        at_of(row.at_us),
        row.run,
        row.step,
    )


def run_values(of: Run) -> dict[str, Any]:
    return {
        "incident_id": of.incident,
        "number": of.number,
        "procedure": of.procedure,
        "procedure_version": of.version,
        "state": str(of.state),
        "started_us": us_of(of.started_at),
        "started_by": of.started_by,
        "cause": of.cause,
        "ended_us": us_of(of.ended_at),
        "reason": of.reason,
    }


def run_of(row: Row[Any], steps: Sequence[StepRun]) -> Run:
    return Run(
        row.number,
        row.incident_id,
        row.procedure,
        row.procedure_version,
        RunState(row.state),
        at_of(row.started_us),
        row.started_by,
        tuple(steps),
        row.cause,
        at_of(row.ended_us),
        row.reason,
    )


def step_values(run: Run, position: int, of: StepRun, escalate_us: int | None) -> dict[str, Any]:
    pauses = [[p.reason, us_of(p.from_at), us_of(p.to_at), p.by] for p in of.pauses]
    return {
        "incident_id": run.incident,
        "run": run.number,
        "position": position,
        "step": of.step,
        "state": str(of.state),
        "version": of.version,
        "opened_us": us_of(of.opened_at),
        "due_us": us_of(of.due_at),
        "ended_us": us_of(of.ended_at),
        "by": of.by,
        "answers": _json(dict(of.answers)),
        "note": of.note,
        "pauses": _json(pauses),
        "escalated": of.escalated,
        "escalate_us": escalate_us,
    }


def step_of(row: Row[Any]) -> StepRun:
    return StepRun(
        row.step,
        StepState(row.state),
        row.version,
        at_of(row.opened_us),
        at_of(row.due_us),
        at_of(row.ended_us),
        row.by,
        json.loads(row.answers),
        row.note,
        tuple(
            Pause(reason, at_of(start), at_of(end), by)
            for reason, start, end, by in json.loads(row.pauses)
        ),
        row.escalated,
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
