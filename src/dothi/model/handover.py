"""The sheet by which a position goes from one person to the next."""

from datetime import datetime

from msgspec import Struct


class OpenItem(Struct, frozen=True):
    """Something that whoever comes must know of."""

    kind: str
    """incident, alarm_unacknowledged, alarm_shelved, alarm_stale, ...: the section of the sheet."""
    subject: str
    """As in notices: `incident:7`, `alarm:12`."""
    title: str
    state: str
    since_at: datetime
    detail: str = ""
    """e.g. until when and why it is shelved."""
    title_en: str = ""
    """In English; empty: the same."""
    detail_en: str = ""


class DutyTask(Struct, frozen=True):
    """Something in an incident that one person is to do."""

    incident: int
    number: int
    version: int
    title: str
    incident_title: str
    due_at: datetime | None = None
    incident_title_en: str = ""
    """Empty: it has one title."""


class Handover(Struct, frozen=True):
    """One sheet. The first signature fixes its text; after the second nothing changes."""

    id: int
    position: str
    duty: int
    """The duty that it ends."""
    outgoing: str
    opened_at: datetime
    revision: int = 0
    """How often the text was written."""
    notes: str = ""
    sheet: str = ""
    """JSON: what is signed."""
    digest: str = ""
    """SHA-256 of the sheet's UTF-8 bytes, hex."""
    outgoing_signed_at: datetime | None = None
    incoming: str = ""
    incoming_signed_at: datetime | None = None
    missing_reason: str = ""
    """Why the one who left has not signed."""
    closed_at: datetime | None = None

    @property
    def is_signed(self) -> bool:
        """By one or by both."""
        return self.outgoing_signed_at is not None or self.incoming_signed_at is not None
