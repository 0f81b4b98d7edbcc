"""How public warnings look to a screen."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from dothi.model.cap import CapStatus, MsgType, Severity
from dothi.model.warning import (
    OWN_ANSWER,
    Finding,
    ForeignWarning,
    MessageState,
    PublicWarning,
    Step,
    TextCount,
    WarningContent,
    WarningEvent,
    WarningMessage,
    WarningState,
)
from dothi.model.warning_lists import Catalogue
from dothi.ports.warnings import PlaceSummary, Preview, Refusal


class WarningRow(Struct):
    """A warning in the list."""

    id: int
    subject: str
    state: WarningState
    status: CapStatus
    event: str
    headline: str
    risk_level: int | None
    severity: Severity
    created_at: datetime
    sent_at: datetime | None
    """Of the newest released message."""
    expires_at: datetime | None
    messages: int
    """Released ones."""
    open_type: MsgType | None
    """Of the message that is worked on."""
    open_state: MessageState | None
    author: str


class MessageView(Struct):
    """One message of a chain."""

    id: int
    msg_type: MsgType
    state: MessageState
    version: int
    content: WarningContent
    reason: str
    author: str
    editors: tuple[str, ...]
    created_at: datetime
    submitted_by: str
    submitted_at: datetime | None
    released_by: str
    sent_at: datetime | None
    expires_at: datetime | None
    identifier: str
    document: str


class RecordRow(Struct):
    """Who did what, when."""

    at: datetime
    person: str
    step: Step
    message: int
    reason: str
    content: WarningContent | None


class AnswerView(Struct):
    """An Ack or Error to a message."""

    msg_type: MsgType
    sender: str
    identifier: str
    sent_at: datetime
    note: str
    is_own: bool
    document: str


class WarningView(Struct):
    """A whole warning."""

    row: WarningRow
    messages: list[MessageView]
    record: list[RecordRow]
    refusal: Refusal | None
    """Why the one who asks may not release what is worked on; null: she or he may."""
    answers: list[AnswerView]
    """What other authorities answered to its messages."""


class Options(Struct):
    """What the composer chooses from."""

    catalogue: Catalogue
    statuses: list[CapStatus]
    sender: str
    person: str


class PreviewView(Struct):
    """A message as it would go out now."""

    findings: tuple[Finding, ...]
    is_fit: bool
    document: str
    sms: TextCount
    broadcast: TextCount
    places: tuple[PlaceSummary, ...]
    surface_km2: float


class ForeignRow(Struct):
    """A message of another authority."""

    id: int
    connector: str
    sender: str
    identifier: str
    sent_at: datetime
    status: CapStatus
    msg_type: MsgType
    event: str
    headline: str
    severity: Severity
    area: str
    entity: str
    received_at: datetime
    expires_at: datetime | None
    replaced_by: MsgType | None
    is_over: bool


class ForeignView(Struct):
    """With the message itself, and who answered it how."""

    row: ForeignRow
    document: str
    answers: list[AnswerView]


def row_of(warning: PublicWarning, now_at: datetime) -> WarningRow:
    latest, being = warning.latest, warning.open
    content = latest.content
    return WarningRow(
        id=warning.id,
        subject=warning.subject,
        state=warning.state(now_at),
        status=content.status,
        event=content.event,
        headline=content.vi.headline,
        risk_level=content.risk_level,
        severity=content.severity,
        created_at=warning.created_at,
        sent_at=latest.sent_at,
        expires_at=latest.expires_at or content.expires_at,
        messages=len(warning.released),
        open_type=being.msg_type if being else None,
        open_state=being.state if being else None,
        author=latest.author,
    )


def view_of(
    warning: PublicWarning,
    events: list[WarningEvent],
    refusal: Refusal | None,
    answers: Sequence[ForeignWarning],
    now_at: datetime,
) -> WarningView:
    return WarningView(
        row_of(warning, now_at),
        [_message(one) for one in warning.messages],
        [RecordRow(e.at, e.person, e.step, e.message, e.reason, e.content) for e in events],
        refusal,
        [answer_of(one) for one in answers],
    )


def preview_of(preview: Preview) -> PreviewView:
    return PreviewView(
        preview.findings,
        preview.is_fit,
        preview.document,
        preview.sms,
        preview.broadcast,
        preview.places,
        round(preview.surface_km2, 1),
    )


def foreign_of(one: ForeignWarning, now_at: datetime) -> ForeignRow:
    is_past = one.expires_at is not None and one.expires_at <= now_at
    return ForeignRow(
        one.id,
        one.connector,
        one.sender,
        one.identifier,
        one.sent_at,
        one.status,
        one.msg_type,
        one.event,
        one.headline,
        one.severity,
        one.area,
        one.entity,
        one.received_at,
        one.expires_at,
        one.replaced_by,
        is_past or one.replaced_by is not None or one.msg_type is MsgType.CANCEL,
    )


def answer_of(one: ForeignWarning) -> AnswerView:
    said = one.msg_type, one.sender, one.identifier, one.sent_at, one.headline
    return AnswerView(*said, one.connector == OWN_ANSWER, one.document)


def _message(message: WarningMessage) -> MessageView:
    fields = {name: getattr(message, name) for name in MessageView.__struct_fields__}
    return MessageView(**fields)
