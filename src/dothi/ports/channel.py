"""A way to reach a person: e-mail, SMS, web push, ..."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct

from dothi.model.delivery import DeliveryState
from dothi.model.priority import Priority


class Letter(Struct, frozen=True):
    """What one person is told on one channel."""

    key: str
    """Idempotency key: a second letter with it is the same letter."""
    person: str
    address: str
    """As the channel understands it: a mail address, a telephone number, a URL, ..."""
    language: str
    priority: Priority
    notice: str
    """Notice.id"""
    kind: str
    subject: str
    """`alarm:12`"""
    at: datetime
    title: str
    """One line."""
    text: str
    short: str
    """Fits into as many SMS as the settings allow."""
    url: str = ""
    """Where the console shows it and takes the answer; empty: its address is not known."""


class Handed(Struct, frozen=True):
    """What became of an attempt."""

    state: DeliveryState
    """ACCEPTED, DELIVERED, CAPTURED, FAILED for good, or WAITING: the same letter may pass later.
    """
    detail: str = ""
    """What the receiver or the network said; never a secret."""
    is_reached: bool = True
    """False: the endpoint itself does not work, whatever the letter."""
    references: tuple[str, ...] = ()
    """Under which a report may follow."""


class Channel(Protocol):
    """Used in the event loop."""

    @property
    def contact(self) -> str:
        """Key in Person.contacts of the address that it takes."""
        ...

    def lane(self, address: str) -> str:
        """The endpoint behind an address, without secrets: one that is down delays no other.
        Empty: all letters of the channel go through one."""
        ...

    async def send(self, letter: Letter) -> Handed:
        """Try once, in bounded time. Never raises for what the receiver or the network does."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


Report = Callable[[Sequence[str], DeliveryState, str], Awaitable[bool]]
"""(reference in each way that it may be written, DELIVERED or FAILED, detail) -> whether it is
known."""


class Receipts(Struct, frozen=True):
    """How many of the reports in one call were of use."""

    taken: int
    unknown: int
    """Of messages that are not known here, or not any longer."""
    ignored: int
    """They say neither that it arrived nor that it will not."""


class CalledBack(Protocol):
    """What a service posts to us about letters; used in the event loop."""

    def admits(self, secret: str) -> bool:
        """Whether this is the secret that was agreed."""
        ...

    def wait_s(self) -> float:
        """0: one more call is taken now; else after how long."""
        ...

    async def take(self, text: str) -> Receipts | None:
        """None: there is no report in it."""
        ...


@runtime_checkable
class Reporting(Protocol):
    """A channel that hears later what became of a letter."""

    async def listen(self, report: Report) -> None:
        """From now on until `close`, also while there is nothing to send."""
        ...
