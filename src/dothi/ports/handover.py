"""Handing a position over: what is open, and the signed sheets."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from dothi.model.handover import DutyTask, Handover, OpenItem


class OpenItems(Protocol):
    """What somebody who comes on duty must know of: open incidents, shelved and stale alarms."""

    def open_items(self) -> Sequence[OpenItem]:
        """Now, the most urgent first. Any thread; blocking."""
        ...


class DutyTasks(Protocol):
    """What a person has to do."""

    def tasks_of(self, person: str) -> Sequence[DutyTask]:
        """The most urgent first. Any thread; blocking."""
        ...


class Signing(Struct, frozen=True):
    """One signature."""

    handover: int
    person: str
    digest: str
    """Of the text that the person saw."""
    missing_reason: str = ""
    """The incoming one signs alone: why the other cannot."""


class Handovers(Protocol):
    """Any thread; blocking. Signatures are in the audit record, in the same transaction."""

    def open(self, duty: int, by: str) -> Handover:
        """The sheet of a duty that has not ended; the one that is there already, or a new one.

        Raises:
            Problem: no such duty, or it has ended (404).
        """
        ...

    def get(self, handover: int) -> Handover | None: ...

    def latest(
        self, limit: int, before: int | None = None, position: str = ""
    ) -> Sequence[Handover]:
        """Newest first, those that nobody has signed yet included."""
        ...

    def write(self, handover: Handover, seen_revision: int) -> Handover:
        """Store notes, sheet and digest; its revision grows.

        Raises:
            Problem: no such sheet (404); it is signed, or somebody wrote since that revision (409).
        """
        ...

    def sign(self, signing: Signing) -> Handover:
        """With the second signature the duty goes from one to the other in the same transaction.

        Signing again changes nothing.

        Raises:
            Problem: no such sheet (404); it is closed, or its text is not what was seen (409).
        """
        ...

    def withdraw(self, handover: int, person: str) -> Handover:
        """Take the only signature back, so that the sheet can be changed.

        Raises:
            Problem: it was signed by both, or not by this person (409).
        """
        ...
