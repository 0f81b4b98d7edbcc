"""What may be done to the head of an incident, and what of it enters the timeline. Pure: each
function takes the record and gives the Change to be stored."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from dothi.incidents.acting import (
    Actor,
    Said,
    moved_on,
    numbered,
    require_open,
    require_text,
    require_version,
)
from dothi.model.incident import (
    EntryKind,
    Incident,
    IncidentState,
    Informed,
    Link,
    Point,
    Severity,
)
from dothi.model.incident_record import Change, Record
from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.model.procedure import RunState

_MOVES = {
    IncidentState.OPEN: (IncidentState.IN_PROGRESS, IncidentState.CONTAINED, IncidentState.CLOSED),
    IncidentState.IN_PROGRESS: (IncidentState.CONTAINED, IncidentState.CLOSED),
    IncidentState.CONTAINED: (IncidentState.IN_PROGRESS, IncidentState.CLOSED),
    IncidentState.CLOSED: (),
}
"""A contained one may flare up again; a closed one stays closed."""


class Opening(Struct, frozen=True):
    """What somebody says of a new incident."""

    title: str
    severity: Severity
    description: str = ""
    commander: str = ""
    points: tuple[Point, ...] = ()
    links: tuple[Link, ...] = ()
    origin: str = ""
    title_en: str = ""
    """The same title in English, where an alarm gave both."""


class Edit(Struct, frozen=True):
    """Changes of the head; None leaves as it is."""

    title: str | None = None
    severity: Severity | None = None
    description: str | None = None
    commander: str | None = None
    points: tuple[Point, ...] | None = None
    reason: str = ""


def open_incident(number: int, opening: Opening, actor: Actor) -> Change:
    """A new incident, told to its commander, or to whoever is on duty as duty officer."""
    incident = Incident(
        number,
        1,
        require_text(opening.title, "title"),
        opening.severity,
        IncidentState.OPEN,
        actor.at,
        actor.name,
        actor.at,
        opening.description.strip(),
        opening.commander,
        (),
        opening.points,
        None,
        opening.origin,
        opening.title_en.strip(),
    )
    said = [
        Said(
            EntryKind.STATE,
            incident.title,
            {
                "to": str(incident.state),
                "severity": int(incident.severity),
                "commander": incident.commander,
                **_english(incident.title_en),
            },
        )
    ]
    said += [_linked(link) for link in opening.links]
    notice = _notice("incident.opened", incident, actor, "")
    return Change(incident, numbered((), said, actor), links=opening.links, notices=(notice,))


def move(
    record: Record, to: IncidentState, reason: str, version: int | None, actor: Actor
) -> Change:
    """Another state, with the reason. Closing needs everything that was begun to be ended.

    Raises Problem: changed meanwhile (409), a move that there is not, something still runs (409).
    """
    require_version(record, version)
    incident = record.incident
    if to not in _MOVES[incident.state]:
        allowed = ", ".join(_MOVES[incident.state]) or "none: a closed incident stays closed"
        raise Problem(
            "state_not_possible",
            "The incident cannot become that",
            f"it is {incident.state} and cannot become {to}",
            409,
            where="state",
            remedy=f"possible: {allowed}",
        )
    reason = require_text(reason, "reason")
    if to is IncidentState.CLOSED:
        _require_done(record)
    closed_at = actor.at if to is IncidentState.CLOSED else None
    said = Said(EntryKind.STATE, reason, {"from": str(incident.state), "to": str(to)})
    moved = moved_on(incident, actor, state=to, closed_at=closed_at)
    notices = (_notice("incident.closed", moved, actor, reason),) if closed_at else ()
    return Change(moved, numbered(record.entries, [said], actor), notices=notices)


def edit(record: Record, wanted: Edit, version: int | None, actor: Actor) -> Change:
    """Change title, severity, commander, description or points; every change is an entry."""
    require_version(record, version)
    require_open(record, "changes")
    incident = record.incident
    said: list[Said] = []
    changes: dict[str, object] = {}
    for name in ("title", "severity", "description", "commander", "points"):
        value = getattr(wanted, name)
        before = getattr(incident, name)
        if value is None or value == before:
            continue
        changes[name] = require_text(value, name) if name == "title" else value
        details = {"what": name, "from": _plain(before), "to": _plain(value)}
        said.append(Said(EntryKind.CHANGE, wanted.reason.strip(), details))
    if not said:
        return Change(incident, ())
    if "title" in changes:
        # Of the new one there is only what the person wrote.
        changes["title_en"] = ""
    changed = moved_on(incident, actor, **changes)
    notices: tuple[Notice, ...] = ()
    if "commander" in changes and changed.commander:
        notices = (_notice("incident.assigned", changed, actor, wanted.reason),)
    return Change(changed, numbered(record.entries, said, actor), notices=notices)


def inform(record: Record, name: str, how: str, at: datetime | None, actor: Actor) -> Change:
    """A unit or agency was told. The version stays: two people may inform two agencies."""
    require_open(record, "an informed agency")
    name = require_text(name, "name")
    told = Informed(name, at or actor.at, how.strip())
    incident = record.incident
    units = (*(u for u in incident.units if u.name != name), told)
    said = Said(
        EntryKind.CHANGE, how.strip(), {"what": "informed", "to": name}, happened_at=told.at
    )
    return Change(replace(incident, units=units), numbered(record.entries, [said], actor))


def link(record: Record, links: Sequence[Link], actor: Actor) -> Change:
    """Link what is not linked yet."""
    require_open(record, "links")
    known = {one.subject for one in record.links}
    fresh = [one for one in links if one.subject not in known]
    said = [_linked(one) for one in fresh]
    return Change(record.incident, numbered(record.entries, said, actor), links=fresh)


def unlink(record: Record, subject: str, reason: str, actor: Actor) -> Change:
    """Take a link away; the timeline keeps that it was there. Raises Problem 404."""
    require_open(record, "changes")
    found = next((one for one in record.links if one.subject == subject), None)
    if found is None:
        raise Problem(
            "link_not_found", "No such link", f"{subject!r} is not linked", 404, where="subject"
        )
    details = {
        "subject": subject,
        "title": found.title,
        "is_removed": True,
        **_english(found.title_en),
    }
    said = Said(EntryKind.LINK, require_text(reason, "reason"), details)
    return Change(record.incident, numbered(record.entries, [said], actor), unlinked=(subject,))


def _linked(one: Link) -> Said:
    return Said(EntryKind.LINK, one.title, {"subject": one.subject, **_english(one.title_en)})


def _english(title: str) -> dict[str, str]:
    """Of an entry whose text is a title."""
    return {"title_en": title} if title else {}


def _require_done(record: Record) -> None:
    running = [r.procedure for r in record.runs if r.state is RunState.RUNNING]
    left = [f"task {t.number} ({t.title})" for t in record.open_tasks]
    left += [f"procedure {name}" for name in running]
    if left:
        raise Problem(
            "incident_not_done",
            "Something is still to be done",
            ", ".join(left),
            409,
            where="state",
            remedy="finish it, or drop it with a reason; then close",
        )


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [{"lon": p.lon, "lat": p.lat, "label": p.label} for p in value]
    return int(value) if isinstance(value, Severity) else value


def _notice(kind: str, incident: Incident, actor: Actor, reason: str) -> Notice:
    people = (incident.commander,) if incident.commander else ()
    return Notice(
        f"{kind}:{incident.id}:{incident.version}",
        kind,
        actor.at,
        Priority(int(incident.severity)),
        f"incident:{incident.id}",
        {
            "incident": str(incident.id),
            "title": incident.title,
            "title_en": incident.title_en,
            "place": "; ".join(p.label for p in incident.points if p.label),
            "commander": incident.commander,
            "by": actor.name,
            "reason": reason,
        },
        () if people else ("duty_officer",),
        people,
    )
