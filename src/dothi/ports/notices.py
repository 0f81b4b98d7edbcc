"""Notices to people: what waits to be told, to whom it goes, and what became of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from dothi.model.delivery import Delivery, DeliveryState
from dothi.model.notice import Notice
from dothi.model.preference import Preference
from dothi.ports.clock_watch import ClockMark


class NoticeState(StrEnum):
    NEW = "new"
    TOLD = "told"
    """Deliveries were made; an answer is awaited when the notice wants one."""
    NOBODY = "nobody"
    """Nobody is on duty, or nobody there can be reached; tried again."""
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    """Everybody in the chain was told and nobody answered in time."""


class StoredNotice(Struct, frozen=True):
    """A notice and how far it has come."""

    number: int
    notice: Notice
    state: NoticeState
    told: tuple[str, ...]
    """Positions that were told."""
    created_at: datetime
    next_at: datetime | None
    """When it is looked at again: to escalate, or because nobody could be told."""
    answered_at: datetime | None = None
    answered_by: str = ""
    answer: str = ""


class Planned(Struct, frozen=True):
    """What was decided about a notice; stored in one transaction."""

    number: int
    state: NoticeState
    told: tuple[str, ...]
    next_at: datetime | None
    deliveries: Sequence[Delivery] = ()
    """Those whose key is known already change nothing."""
    note: str = ""
    """A line for its record, e.g. that it was escalated; empty: nothing to say."""


class Attempt(Struct, frozen=True):
    """What became of one try to deliver."""

    delivery: int
    state: DeliveryState
    """WAITING: to be tried again at `due_at`."""
    at: datetime
    detail: str = ""
    due_at: datetime | None = None
    title: str = ""
    text: str = ""
    """What the person reads."""
    references: Sequence[str] = ()
    """Under which the provider will report of it."""


class Receipt(Struct, frozen=True):
    """One line of the record of a notice."""

    at: datetime
    state: str
    """A DeliveryState, or told, escalated, answered, ..."""
    detail: str
    delivery: int | None = None


class DeliveryRecord(Struct, frozen=True):
    """A delivery as it is read."""

    delivery: Delivery
    changed_at: datetime
    detail: str
    title: str
    text: str


class NoticeQuestion(Struct, frozen=True):
    """Which notices; newest first."""

    state: str = ""
    kind: str = ""
    """May hold `*`."""
    subject: str = ""
    person: str = ""
    """Only what was told to her or him."""
    before: int = 0
    """Notices with a smaller number; 0: from the newest."""
    limit: int = 100


class Notices(Protocol):
    """Any thread; blocking; StoreUnavailable when nothing could be written.

    Notices come into it by `storage.relational.notices.put`, in the transaction of what they tell.
    """

    def put(self, notices: Sequence[Notice]) -> None:
        """In a transaction of its own; known ids change nothing."""
        ...

    def due(self, now: datetime, limit: int) -> list[StoredNotice]:
        """New ones and those whose time has come, the most urgent first."""
        ...

    def plan(
        self, planned: Sequence[Planned], now: datetime, beside: Sequence[Notice] = ()
    ) -> None:
        """Store what was decided and, in the same transaction, notices that follow from it."""
        ...

    def answer(self, number: int, by: str, text: str, now: datetime) -> StoredNotice | None:
        """Store the first answer and spare what was not delivered yet; None: no such notice."""
        ...

    def get(self, number: int) -> StoredNotice | None: ...

    def several(self, numbers: Sequence[int]) -> list[StoredNotice]:
        """Those that there are."""
        ...

    def page(self, question: NoticeQuestion) -> list[StoredNotice]: ...

    def deliveries(self, notices: Sequence[int]) -> list[DeliveryRecord]:
        """Of these notices, in the order in which they were made."""
        ...

    def receipts(self, number: int) -> list[Receipt]:
        """The record of one notice, the oldest first."""
        ...

    def counts(self) -> dict[str, int]:
        """State -> how many notices have it; those that are over and done with are left out."""
        ...


class DeliveryQueue(Protocol):
    """Any thread; blocking; StoreUnavailable when nothing could be written."""

    def release(self, now: datetime) -> int:
        """Take reserves whose time has come into service; how many."""
        ...

    def lanes(self, now: datetime) -> list[str]:
        """Lanes in which something is due."""
        ...

    def due(self, lane: str, now: datetime, limit: int) -> list[Delivery]:
        """The most urgent first, then in the order in which they were made."""
        ...

    def settle(self, attempts: Sequence[Attempt]) -> None:
        """Store outcomes. What was accepted spares the reserves of the same person; what failed
        takes the next one into service."""
        ...

    def report(
        self, channel: str, reference: str, state: DeliveryState, detail: str, now: datetime
    ) -> bool:
        """A provider tells what became of something accepted; False: the reference is unknown."""
        ...

    def waiting(self) -> dict[str, tuple[int, datetime]]:
        """Lane -> how many wait, and since when the oldest does."""
        ...

    def next_at(self) -> datetime | None:
        """When a notice, a delivery or a reserve is due next."""
        ...

    def mark(self) -> ClockMark | None:
        """The one that was kept last."""
        ...

    def keep(self, mark: ClockMark, by: timedelta = timedelta()) -> None:
        """Keep the mark; where the clock was set, move every time that is awaited along with it,
        in the same transaction."""
        ...

    def drop_before(self, created_at: datetime) -> int:
        """Forget notices that are older, with all that belongs to them; how many."""
        ...


class PushSubscription(Struct, frozen=True):
    """A browser that may be told by web push (RFC 8030, keys after RFC 8291)."""

    person: str
    endpoint: str
    public_key: str
    """p256dh, base64url."""
    secret: str
    """auth, base64url."""
    name: str = ""
    """Which browser, as it called itself."""


class Preferences(Protocol):
    """Any thread; blocking."""

    def of(self, person: str) -> Preference | None: ...

    def all(self) -> list[Preference]: ...

    def put(self, preference: Preference) -> None: ...

    def pushes(self) -> list[PushSubscription]:
        """Of everybody."""
        ...

    def add_push(self, subscription: PushSubscription) -> None:
        """A known endpoint is replaced."""
        ...

    def drop_push(self, endpoint: str, person: str = "") -> bool:
        """With a person only hers or his; False: there was none."""
        ...
