"""Chains of messages: what a follow-up refers to, and what it begins with."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from dothi.model.cap import Alert, CapStatus, MsgType, Reference, Scope
from dothi.model.warning import WarningContent, WarningMessage, Words

_NO_LONGER = "This warning is no longer in force."
_SECOND = timedelta(seconds=1)


def references_of(messages: Sequence[WarningMessage]) -> tuple[Reference, ...]:
    """Every released message of the chain, the oldest first (CAP 1.2, 3.2.1, references)."""
    return tuple(
        Reference(m.sender, m.identifier, m.sent_at) for m in messages if m.sent_at is not None
    )


def sent_after(messages: Sequence[WarningMessage], now_at: datetime) -> datetime:
    """The time of the next message: now in whole seconds, but later than those before."""
    now_at = now_at.replace(microsecond=0)
    return max([now_at, *(m.sent_at + _SECOND for m in messages if m.sent_at is not None)])


def cancellation(content: WarningContent, reason: str) -> WarningContent:
    """What a Cancel of a message with this content begins with: the same event and places, the
    reason as its text. The English text is for its author to complete."""
    english = _NO_LONGER if content.en.headline else ""
    return replace(
        content,
        vi=Words(_cancelled("Hủy: ", content.vi.headline), reason, "", content.vi.audience),
        en=Words(_cancelled("Cancelled: ", content.en.headline), english, "", content.en.audience),
        response_types=(),
        sms="",
        broadcast="",
    )


def answer_to(
    alert: Alert, msg_type: MsgType, heading: Reference, status: CapStatus, note: str = ""
) -> Alert:
    """An Ack or Error to a message of another authority.

    `heading`: sender, identifier and time of the answer. Raises ValueError: another kind, or an
    Error without a note.
    """
    if msg_type not in {MsgType.ACK, MsgType.ERROR}:
        raise ValueError(f"{msg_type} is no answer")
    if msg_type is MsgType.ERROR and not note:
        raise ValueError("an Error says why in its note")
    return Alert(
        heading.identifier,
        heading.sender,
        heading.sent_at,
        status,
        msg_type,
        alert.scope,
        restriction=alert.restriction,
        addresses=(alert.sender,) if alert.scope is Scope.PRIVATE else (),
        note=note,
        references=(alert.reference,),
    )


def _cancelled(prefix: str, headline: str) -> str:
    return prefix + headline if headline else ""
