"""The append-only record of who did what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dothi.model.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of the whole chain found."""

    entries: int
    head: str
    """Digest of the last entry: noted down elsewhere, it shows later that nothing was cut off."""
    broken_at: int | None = None
    """First entry that is not what its digest says, or that is missing."""
    why: str = ""


class Audit(Protocol):
    """Any thread; blocking. Parts with tables of their own write in their own transaction."""

    def append(self, who: str, action: str, subject: str, detail: Mapping[str, str]) -> None: ...

    def latest(self, limit: int, before: int | None = None, text: str = "") -> Sequence[AuditEntry]:
        """Newest first, from before that entry; `text`: in who, action or subject."""
        ...

    def verify(self, contains: str = "") -> Verified:
        """Compute the chain anew; `contains`: a digest noted earlier that must be in it."""
        ...
