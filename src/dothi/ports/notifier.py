"""Handing a message to somebody outside."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class Message(Struct, frozen=True):
    """What is to be delivered, and where."""

    uri: str
    body: bytes
    headers: Sequence[tuple[str, str]] = ()
    options: Sequence[tuple[str, str]] = ()
    """How to reach the receiver, as far as the URI does not say."""
    timeout_s: float = 5.0


class Outcome(Struct, frozen=True):
    """What became of a delivery."""

    is_ok: bool
    detail: str = ""
    """Of a failure: what the receiver or the network said."""
    may_retry: bool = False
    """Whether the same message may be accepted later."""


class DocumentNotifier(Protocol):
    """Hands documents to one receiver; used in the event loop."""

    async def send(self, key: str, document: bytes, media_type: str) -> Outcome:
        """Try once, in bounded time. `key`: a second document with it is the same one. Never raises
        for what the receiver or the network does."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class Notifier(Protocol):
    """One way to deliver; used in the event loop."""

    async def send(self, message: Message) -> Outcome:
        """Try once. Never raises for what the receiver or the network does."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
