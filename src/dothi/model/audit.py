"""The record of who did what: each entry holds the hash of the one before it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

GENESIS = ""
"""What the first entry has for the hash of the one before."""


class AuditEntry(Struct, frozen=True):
    """One thing that somebody did."""

    seq: int
    """1, 2, 3 ... without gaps."""
    at: datetime
    who: str
    """Person, `administrator`, or `device:...`."""
    action: str
    """e.g. signed_in, person_added, handover_signed."""
    subject: str
    """e.g. `person:lan.nguyen`, `handover:3`."""
    detail: Mapping[str, str] = field(default_factory=dict)
    previous: str = GENESIS
    digest: str = ""


class Deed(Struct):
    """What somebody is doing now: it becomes an entry together with what it changes."""

    who: str
    action: str
    subject: str
    detail: dict[str, str] = field(default_factory=dict)
    is_told: bool = False
    """It has its entry."""


def digest_of(entry: AuditEntry) -> str:
    """SHA-256, hex, over everything but the digest itself; the time in microseconds, UTC."""
    content = [
        entry.seq,
        entry.at.isoformat(timespec="microseconds"),
        entry.who,
        entry.action,
        entry.subject,
        dict(sorted(entry.detail.items())),
        entry.previous,
    ]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
