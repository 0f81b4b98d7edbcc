"""What every action on an incident needs: who, when, how an entry is numbered, how a conflict is
told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from dothi.model.incident import Entry, EntryKind, Incident, IncidentState
from dothi.model.incident_record import Record
from dothi.model.problem import Problem

PROGRAM = "dothi"
"""Who did what nobody did by hand."""
INCIDENT_CLOSED = "incident_closed"
"""Code of the Problem of who wants to change a closed incident."""


class Actor(Struct, frozen=True):
    """A person (or the program) who acts now."""

    name: str
    at: datetime


class Said(Struct, frozen=True):
    """An entry before it has a number."""

    kind: EntryKind
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)
    refers_to: int | None = None
    happened_at: datetime | None = None
    """Earlier than now, where it was entered later."""


def numbered(entries: Sequence[Entry], said: Iterable[Said], actor: Actor) -> tuple[Entry, ...]:
    """The entries to append, after those that stand."""
    next_number = (entries[-1].number if entries else 0) + 1
    return tuple(
        Entry(
            s.kind,
            s.text,
            actor.name,
            actor.at,
            s.happened_at or actor.at,
            s.details,
            s.refers_to,
            next_number + n,
        )
        for n, s in enumerate(said)
    )


def moved_on(incident: Incident, actor: Actor, **changes: Any) -> Incident:
    """The head with a new version."""
    return replace(incident, version=incident.version + 1, changed_at=actor.at, **changes)


def require_version(record: Record, version: int | None) -> None:
    """Raises Problem 409: the head was changed since it was read; says who did what to it."""
    incident = record.incident
    if version is None or version == incident.version:
        return
    heads = (EntryKind.STATE, EntryKind.CHANGE)
    changes = (e for e in reversed(record.entries) if e.kind in heads)
    last = next((e for e in changes if e.details.get("what") != "informed"), None)
    told = f"; {last.by}: {last.text}" if last else ""
    raise Problem(
        "incident_changed",
        "The incident was changed meanwhile",
        f"version {version} → {incident.version}{told}",
        409,
        where="version",
        remedy="read the incident again, look at what changed, then decide anew",
    )


def require_open(record: Record, what: str) -> None:
    """Raises Problem 409: closed incidents take no more of this."""
    if record.incident.state is IncidentState.CLOSED:
        raise Problem(
            INCIDENT_CLOSED,
            "The incident is closed",
            f"{what} cannot be added to incident {record.incident.id}",
            409,
            remedy="open a new one that links this one; costs, lessons and corrections are taken",
        )


def require_text(text: str, where: str) -> str:
    """Raises Problem: nothing but blanks."""
    if not text.strip():
        raise Problem(
            "text_missing", "A text is missing", f"{where} is empty", where=where,
            remedy="say it in a few words: the report quotes it",
        )  # fmt: skip
    return text.strip()
