"""What becomes of a public warning enters the timeline of the incident that it was begun from, in
the transaction that stores it."""

from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects import sqlite

from dothi.model.incident import EntryKind
from dothi.model.moments import us_of
from dothi.model.warning import Step, WarningEvent
from dothi.storage.relational.incident_tables import incident, incident_entry, incident_link
from dothi.storage.relational.warning_tables import public_warning, warning_message

_UNTOLD = frozenset({Step.EDITED})
"""Every letter that somebody changes is in the record of the warning."""


def enter(connection: Connection, warning: int, message: int, event: WarningEvent) -> None:
    """Append an entry, and link the warning; nothing when it is about no incident."""
    number = _incident(connection, warning)
    if number is None or event.step in _UNTOLD:
        return
    row = connection.execute(
        select(warning_message.c.msg_type, warning_message.c.content).where(
            warning_message.c.id == message
        )
    ).one()
    content = msgspec.json.decode(row.content)
    vi, en = (content.get(lang, {}).get("headline", "") for lang in ("vi", "en"))
    details = {
        "subject": f"warning:{warning}",
        "event": str(event.step),
        "msg_type": str(row.msg_type),
        "title_en": en or vi,
        "reason": event.reason,
    }
    last = connection.scalar(
        select(func.max(incident_entry.c.number)).where(incident_entry.c.incident_id == number)
    )
    values: dict[str, Any] = {
        "incident_id": number,
        "number": int(last or 0) + 1,
        "kind": str(EntryKind.WARNING),
        "text": vi,
        "by": event.person,
        "at_us": us_of(event.at),
        "happened_us": us_of(event.at),
        "details": msgspec.json.encode(details).decode(),
    }
    connection.execute(insert(incident_entry).values(values))
    _link(connection, number, f"warning:{warning}", vi, event)


def _incident(connection: Connection, warning: int) -> int | None:
    subject: str | None = connection.scalar(
        select(public_warning.c.subject).where(public_warning.c.id == warning)
    )
    kind, _, name = (subject or "").partition(":")
    if kind != "incident" or not name.isdigit():
        return None
    found: int | None = connection.scalar(select(incident.c.id).where(incident.c.id == int(name)))
    return found


def _link(
    connection: Connection, number: int, subject: str, title: str, event: WarningEvent
) -> None:
    """Once; its title is the headline of the newest message."""
    statement = sqlite.insert(incident_link).values(
        incident_id=number, subject=subject, title=title, by=event.person, at_us=us_of(event.at)
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[incident_link.c.incident_id, incident_link.c.subject],
            set_={"title": statement.excluded.title},
        )
    )
