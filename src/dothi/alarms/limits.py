"""What is acceptable, with its source: read from a dated data file, never written into code."""

from datetime import date

import msgspec


class Chattering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which on an alarm is said to chatter."""

    transitions: int
    within_s: float


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Announced alarms per operator position in a stretch of time."""

    acceptable: float
    manageable: float
    """At most."""


class Mix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of priorities among announced alarms, in percent."""

    low: float
    medium: float
    high: float
    """High and highest together."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One dated set of limits."""

    source: str
    valid_from: date
    mark: str
    """verified or unverified."""
    chattering: Chattering
    per_ten_minutes: Rate
    per_hour: Rate
    per_day: Rate
    flood_alarms: int
    """More announced alarms than this in ten minutes are a flood."""
    flood_share_percent: float
    """Share of ten-minute periods that may be floods."""
    stale_after_s: float
    mix_percent: Mix
    escalate_after_s: tuple[float, float, float, float]
    """Unacknowledged for so long, an alarm is escalated, by priority, the most urgent first; a rule
    may say otherwise."""
    shelve_at_least_s: float


def read_limits(text: str) -> Limits:
    """Limits of a TOML text. Raises msgspec.ValidationError."""
    return msgspec.toml.decode(text, type=Limits)
