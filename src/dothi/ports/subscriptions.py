"""Subscriptions, how their delivery goes, and the notifications that wait for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct


class DeliveryState(Struct, frozen=True):
    """What became of the notifications of a subscription."""

    times_sent: int = 0
    """Notifications, not attempts."""
    times_failed: int = 0
    """Notifications of which an attempt failed."""
    last_notification_at: datetime | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    status: str = ""
    """ok, failed, or empty before the first attempt."""
    last_error: str = ""


class SubscriptionRecord(Struct, frozen=True):
    """A subscription as it is kept; the facade that made the document understands it."""

    number: int
    """Rises with the time of creation; 0 before it is stored."""
    id: str
    document: str
    """JSON with stored names."""
    context: str
    """JSON from which the names of its notifications are made again, also without a network."""
    after_seq: int
    """Changes up to this seq of the log are not its concern."""
    created_at: datetime
    modified_at: datetime
    delivery: DeliveryState = DeliveryState()


class Notification(Struct, frozen=True):
    """One that waits for delivery."""

    id: str
    """Stable: the same change gives the same id, also after a crash."""
    subscription: int
    data: str
    """JSON array, ready to be sent."""
    created_at: datetime
    due_at: datetime
    attempts: int = 0


class SubscriptionView(Struct, frozen=True):
    """A subscription as the one who watches the deliveries sees it."""

    id: str
    name: str
    """subscriptionName, else description; may be empty."""
    about: str
    """Types, ids and watched attributes, in short."""
    endpoint: str
    """Without user and password."""
    status: str
    """active, paused or expired."""
    created_at: datetime
    waiting: int
    """Notifications that are not delivered yet."""
    is_down: bool
    """The receiver failed so often that it is tried rarely."""
    delivery: DeliveryState


class Deliveries(Protocol):
    """Used in the event loop."""

    def views(self) -> list[SubscriptionView]:
        """Every subscription with the state of its delivery, in the order of creation."""
        ...


class Subscriptions(Protocol):
    """Any thread; blocking."""

    def add(self, record: SubscriptionRecord) -> SubscriptionRecord | None:
        """Store it and give it a number; None when the id is taken."""
        ...

    def change(self, record: SubscriptionRecord) -> None:
        """Store document, context, after_seq and modified_at of a known one."""
        ...

    def remove(self, number: int) -> None:
        """With all notifications that wait for it."""
        ...

    def all(self) -> list[SubscriptionRecord]:
        """In the order of their numbers."""
        ...


class Outbox(Protocol):
    """Notifications between matching and delivery. Any thread; blocking."""

    def put(self, notifications: Sequence[Notification], consumer: str, seq: int) -> None:
        """Store notifications (a known id is replaced) and move the cursor, in one transaction.

        `seq` 0 leaves the cursor where it is.
        """
        ...

    def waiting(self, subscription: int, after_id: str, limit: int) -> list[Notification]:
        """Those of a subscription in the order in which they were put, after the given one."""
        ...

    def counts(self) -> dict[int, int]:
        """Subscription -> how many wait."""
        ...

    def settle(
        self,
        done: Sequence[str],
        postponed: Sequence[Notification],
        states: Mapping[int, DeliveryState],
    ) -> None:
        """Forget what was delivered or given up, keep new due times, store delivery states."""
        ...

    def drop_before(self, created_at: datetime) -> dict[int, int]:
        """Give up what is older; gives how many per subscription."""
        ...
