"""One way on which one person is told of one notice, and what became of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from msgspec import Struct

from dothi.model.priority import Priority

_NAMESPACE = UUID("6f1d5d4e-9f0a-5a55-8a0c-0d6b9c1f7a11")


class DeliveryState(StrEnum):
    RESERVE = "reserve"
    """Only when the channels before it fail, or nothing is accepted until it is due."""
    WAITING = "waiting"
    """For its time, its turn, or the next attempt."""
    ACCEPTED = "accepted"
    """By the first server on the way; whether it reached the person is not known (yet)."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Refused for good, or not accepted for too long."""
    SPARED = "spared"
    """Needless: another channel has told the person, or somebody has answered."""
    CAPTURED = "captured"
    """Kept instead of sent: `[notices] capture`."""


FINAL = frozenset(DeliveryState) - {DeliveryState.RESERVE, DeliveryState.WAITING}
"""No further attempt follows; a receipt may still make `delivered` or `failed` of `accepted`."""


class Delivery(Struct, frozen=True):
    """It has its own key: the receiver may get it twice (after a crash), but never under two."""

    key: str
    """Idempotency key, a UUID: the same for the same notice, person, channel and address."""
    notice: int
    """Number of the stored notice."""
    person: str
    channel: str
    address: str
    lane: str
    """Channel and endpoint: what shares its fate when the endpoint is down."""
    rank: int
    """Place among the channels of the person; several may have the same."""
    priority: Priority
    language: str
    state: DeliveryState
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    number: int = 0
    """0 before it is stored."""


def delivery_key(notice: str, person: str, channel: str, address: str = "") -> str:
    """UUID version 5 (RFC 9562, section 5.5) of what is told to whom and how.

    `address` only where a person has several of a channel, as with web push.
    """
    return str(uuid5(_NAMESPACE, "\n".join((notice, person, channel, address))))
