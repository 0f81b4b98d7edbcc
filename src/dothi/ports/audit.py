"""The append-only record of who did what."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from dothi.model.audit import AuditEntry, Deed


class Verified(Struct, frozen=True):
    """What a check of the whole chain found."""

    entries: int
    head: str
    """Digest of the last entry: noted down elsewhere, it shows later that nothing was cut off."""
    broken_at: int | None = None
    """First entry that is not what its digest says, or that is missing."""
    why: str = ""
    first_at: datetime | None = None
    last_at: datetime | None = None
    """Times of the first and of the last entry; none: the record is empty or broken."""


class AuditQuestion(Struct, frozen=True):
    """Which entries, the newest first; every condition that is given must hold."""

    limit: int = 100
    before: int | None = None
    """Only entries before this one."""
    who: str = ""
    kinds: Sequence[str] = ()
    """What their subjects begin with, e.g. alarm, incident."""
    subject: str = ""
    begin_at: datetime | None = None
    end_at: datetime | None = None
    text: str = ""
    """In who, action, subject or detail."""


class Audit(Protocol):
    """Any thread; blocking. Parts with tables of their own write in their own transaction."""

    def append(self, who: str, action: str, subject: str, detail: Mapping[str, str]) -> None: ...

    def attended(self, deed: Deed) -> AbstractContextManager[None]:
        """The first transaction that is made meanwhile, also in worker threads of this task,
        carries the entry of the deed; a part that writes an entry of its own takes its place."""
        ...

    def tell(self, deed: Deed) -> None:
        """Make the entry of a deed, unless it has one."""
        ...

    def find(self, question: AuditQuestion) -> Sequence[AuditEntry]: ...

    def people(self) -> Sequence[str]:
        """Everybody who stands in it, by name."""
        ...

    def verify(self, contains: str = "") -> Verified:
        """Compute the chain anew; `contains`: a digest noted earlier that must be in it."""
        ...
