"""Alarms as they are kept: one transaction over everything that a change touches, and reads."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from dothi.model.alarm import Alarm, AlarmCounts, AlarmEntry, AlarmState, Place, Suppression
from dothi.model.notice import Notice
from dothi.model.transition import StoredState

Places = Callable[[Collection[str]], Mapping[str, Place]]
"""What is known of entities; those that are not known are left out."""


class AlarmBook(Protocol):
    """Alarms within one transaction that nobody else writes beside."""

    def newest(self, conditions: Collection[str]) -> dict[str, Alarm]:
        """Condition -> its latest occurrence, closed ones included."""
        ...

    def get(self, ids: Collection[int]) -> dict[int, Alarm]: ...

    def open_matching(self, suppression: Suppression) -> list[Alarm]:
        """Open alarms that rule, entity, area and priority of a suppression allow."""
        ...

    def open_at(self, entities: Collection[str]) -> list[Alarm]:
        """Open alarms of entities."""
        ...

    def to_escalate(self, now: datetime) -> list[Alarm]:
        """Alarms whose `escalate_at` has come."""
        ...

    def suppressions(self) -> list[Suppression]:
        """Those that have not ended, whether their time has come or not."""
        ...

    def next_id(self) -> int:
        """For a new alarm; each call gives another."""
        ...

    def put(self, alarms: Collection[Alarm], entries: Sequence[AlarmEntry]) -> None:
        """Insert or replace alarms, append to their record. Sets their revisions."""
        ...

    def put_suppression(self, suppression: Suppression, /) -> int:
        """Insert (id 0) or replace; its id."""
        ...

    def tell(self, notices: Sequence[Notice]) -> None: ...

    def answered(self, alarms: Collection[Alarm], by: str, now: datetime) -> None:
        """Somebody acknowledged them: nobody else needs to be told."""
        ...

    def remember(self, states: Sequence[StoredState]) -> None:
        """States of the rules."""
        ...

    def move(self, consumer: str, seq: int) -> None:
        """Move a cursor."""
        ...


class AlarmLedger(Protocol):
    """Any thread; blocking."""

    def writing(self) -> AbstractContextManager[AlarmBook]:
        """One transaction; raises StoreUnavailable: nothing was written."""
        ...

    def is_due(self, now: datetime, timers_at: datetime | None = None) -> bool:
        """Whether an alarm is to be escalated (by `timers_at`; None: now), or a suppression begins
        or ends."""
        ...


class AlarmQuery(Struct, frozen=True):
    """Which alarms; every given condition must hold."""

    states: tuple[AlarmState, ...] = ()
    priorities: tuple[int, ...] = ()
    domains: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    area: str = ""
    text: str = ""
    """Words in title, text, name or id of the entity; diacritics and đ folded."""
    owner: str = ""
    entity: str = ""
    rule: str = ""
    condition: str = ""
    since: datetime | None = None
    """Raised then or later."""
    until_at: datetime | None = None
    """Raised before."""
    active_before: datetime | None = None
    """Active without a break since before then."""
    position: str = ""
    is_suppressed: bool | None = None
    sort: str = "priority"
    """One of SORTS."""
    is_descending: bool = False
    after: tuple[str | int, ...] | None = None
    """Keyset paging: `AlarmReader.key` of the last one seen."""
    limit: int = 100


SORTS = ("priority", "raised_at", "place", "text", "state", "owner")
"""Columns to sort by; equal ones come newest first. Of one priority those come first that nobody
has acknowledged, then those that were raised last."""


class Activation(Struct, frozen=True):
    """An alarm that was announced to an operator."""

    at: datetime
    """By the clock."""
    condition: str
    priority: int


class AlarmReader(Protocol):
    """Any thread; blocking."""

    def page(self, query: AlarmQuery) -> list[Alarm]: ...

    def get(self, alarm: int, /) -> Alarm | None: ...

    def record(self, alarm: int, /, limit: int = 500) -> list[AlarmEntry]:
        """The newest entries, oldest first."""
        ...

    def changed_after(self, revision: int, limit: int) -> list[Alarm]:
        """In the order of their revisions."""
        ...

    def revision(self) -> int:
        """Of the newest change."""
        ...

    def counts(self, stale_before: datetime, position: str = "") -> AlarmCounts:
        """With a position only of it."""
        ...

    def announced(self, start: datetime, end: datetime, position: str = "") -> list[Activation]:
        """Activations noticed in a stretch of time, in order; with a position only of it."""
        ...

    def transitions(self, start: datetime, end: datetime, position: str = "") -> dict[str, int]:
        """Condition -> how often it became active or returned, suppressed ones included; with a
        position only of it."""
        ...

    def suppressions(self, with_ended_since: datetime | None = None) -> list[Suppression]:
        """Those in force or to come; with a time also those that ended since."""
        ...

    def key(self, alarm: Alarm, /, sort: str) -> tuple[str | int, ...]:
        """What `AlarmQuery.after` wants of the last alarm of a page."""
        ...
