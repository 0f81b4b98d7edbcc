"""The duty roster: who is planned, who is away, and who really has the duty."""

from datetime import datetime

from msgspec import Struct


class PlannedShift(Struct, frozen=True):
    """A row of the roster."""

    id: int
    """0: not stored yet."""
    person: str
    position: str
    starts_at: datetime
    ends_at: datetime
    pattern: str = ""
    """Pattern that made it; empty: by hand."""
    note: str = ""
    """Why it was changed."""


class Absence(Struct, frozen=True):
    """Somebody is away: planned shifts within need somebody else."""

    id: int
    person: str
    starts_at: datetime
    ends_at: datetime
    reason: str = ""


class Duty(Struct, frozen=True):
    """Somebody took a position over, and has it until another does or it is left."""

    id: int
    person: str
    position: str
    began_at: datetime
    ended_at: datetime | None = None
    end_reason: str = ""
    """handover, or why the position was left without one."""
