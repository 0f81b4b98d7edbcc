"""The roster, and who has the duty."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from dothi.model.shift import Absence, Duty, PlannedShift


class Roster(Struct, frozen=True):
    """What touches a span of time."""

    shifts: Sequence[PlannedShift]
    absences: Sequence[Absence]
    duties: Sequence[Duty]


class Shifts(Protocol):
    """Any thread; blocking. Every change is in the audit record, in the same transaction."""

    def roster(self, start: datetime, end: datetime) -> Roster:
        """Everything that touches [start, end), in order of time."""
        ...

    def current(self) -> Sequence[Duty]:
        """Duties that have not ended."""
        ...

    def plan(self, shifts: Sequence[PlannedShift], by: str) -> Sequence[PlannedShift]:
        """Store all of them or none.

        Raises:
            Problem: a person would be planned twice at the same time (409).
        """
        ...

    def reassign(self, shift: int, person: str, by: str, reason: str) -> PlannedShift:
        """Another person takes a planned shift.

        Raises:
            Problem: no such shift (404), or the person is planned elsewhere then (409).
        """
        ...

    def cancel(self, shift: int, by: str, reason: str) -> None:
        """Raises Problem: no such shift (404)."""
        ...

    def add_absence(self, absence: Absence, by: str) -> Absence: ...

    def remove_absence(self, absence: int, by: str) -> None:
        """Raises Problem: no such absence (404)."""
        ...

    def take(self, person: str, position: str) -> Duty:
        """The person has the duty from now on, beside those who have it already.

        Raises:
            Problem: she or he has it already (409).
        """
        ...

    def leave(self, duty: int, person: str, reason: str) -> Duty:
        """End a duty without a handover; what was open of its sheet is dropped.

        Raises:
            Problem: there is no such duty of that person, or it has ended (404).
        """
        ...
