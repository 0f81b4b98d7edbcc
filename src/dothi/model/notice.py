"""A message to people: something happened that somebody must know of, or act on."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from dothi.model.priority import Priority


class Notice(Struct, frozen=True):
    """What is to be told; to whom and how follows from roster and preferences.

    It is stored in the transaction of what it tells about, and delivered afterwards.
    """

    id: str
    """Made of what it tells about, so that the same event never makes two: the idempotency key."""
    kind: str
    """Names the template, e.g. `alarm.raised`, `step.overdue`."""
    at: datetime
    priority: Priority
    subject: str
    """Alarm, incident, ... that it is about, as `alarm:123`, `incident:7`."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the template shows."""
    positions: tuple[str, ...] = ()
    """Who is told: whoever is on duty at these positions. Empty: whom the preferences say."""
    people: tuple[str, ...] = ()
    """Ids of people who are told whatever their position."""
    answer_within_s: float | None = None
    """When nobody has answered until then, it goes on to the next position (escalation)."""
