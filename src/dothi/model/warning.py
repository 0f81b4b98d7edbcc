"""A public warning on its way: what its authors write, and what becomes of it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from dothi.model.cap import (
    CapStatus,
    Category,
    Certainty,
    MsgType,
    Named,
    ResponseType,
    Scope,
    Severity,
    Urgency,
)

Moment = Annotated[datetime, Meta(tz=True)]
"""A time that says its offset."""


class MessageState(StrEnum):
    """Of one message."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RELEASED = "released"
    """Published; it never changes again."""
    DISCARDED = "discarded"


class WarningState(StrEnum):
    """Of a warning: the chain of its messages."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DISCARDED = "discarded"


class Step(StrEnum):
    """What somebody did; rows of the record are only ever added."""

    CREATED = "created"
    EDITED = "edited"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    RELEASED = "released"
    DISCARDED = "discarded"


class Words(Struct, frozen=True):
    """The texts of one language, plain."""

    headline: str = ""
    description: str = ""
    instruction: str = ""
    audience: str = ""


class Shape(Struct, frozen=True):
    """A place drawn by hand: a polygon, or a circle."""

    name_vi: str
    name_en: str = ""
    polygon: tuple[tuple[float, float], ...] = ()
    """Longitude and latitude in degrees, WGS 84; need not be closed."""
    centre: tuple[float, float] | None = None
    """Longitude and latitude of a circle."""
    radius_km: float = 0.0


FILE_KINDS = ("image/png", "image/jpeg", "image/webp", "application/pdf")
"""What may go with a warning."""


class Attachment(Struct, frozen=True):
    """A file that goes with a warning (CAP 1.2, 3.2.3, resource)."""

    name: str
    mime_type: str
    size_bytes: int
    sha1: str
    """Hex: what CAP calls the digest."""
    sha256: str
    """Hex: the name under which it is kept and published."""
    description_vi: str = ""
    description_en: str = ""


class WarningContent(Struct, frozen=True):
    """What the authors of a message decide."""

    event: str = ""
    """Code of the list of events."""
    status: CapStatus = CapStatus.EXERCISE
    scope: Scope = Scope.PUBLIC
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()
    """Empty: those of the event."""
    risk_level: int | None = None
    """Of Decision 18/2021/QĐ-TTg; None: the event has none."""
    urgency: Urgency = Urgency.EXPECTED
    severity: Severity = Severity.UNKNOWN
    certainty: Certainty = Certainty.LIKELY
    response_types: tuple[ResponseType, ...] = ()
    effective_at: Moment | None = None
    onset_at: Moment | None = None
    expires_at: Moment | None = None
    vi: Words = Words()
    en: Words = Words()
    area_ids: tuple[str, ...] = ()
    """Administrative areas (`<level>:<code>:<valid_from>`)."""
    shapes: tuple[Shape, ...] = ()
    parameters: tuple[Named, ...] = ()
    """Beside those that follow from the risk level."""
    web: str = ""
    contact: str = ""
    sms: str = ""
    """Text of the short message; empty: made of the Vietnamese headline and instruction."""
    broadcast: str = ""
    """Text of the cell broadcast; empty: made the same way."""
    attachments: tuple[Attachment, ...] = ()


class WarningMessage(Struct, frozen=True):
    """One CAP message of a warning, before or after its release."""

    id: int
    """0: not stored yet."""
    warning: int
    msg_type: MsgType
    state: MessageState
    version: int
    """Rises with every step; who acts names the version that he or she saw."""
    content: WarningContent
    reason: str
    """Why it is updated or cancelled; empty for the first message."""
    author: str
    created_at: datetime
    editors: tuple[str, ...] = ()
    """Everybody who changed its text, the author among them."""
    submitted_by: str = ""
    submitted_at: datetime | None = None
    released_by: str = ""
    identifier: str = ""
    sender: str = ""
    sent_at: datetime | None = None
    expires_at: datetime | None = None
    document: str = ""
    """CAP XML, once released."""

    @property
    def is_open(self) -> bool:
        return self.state in {MessageState.DRAFT, MessageState.SUBMITTED}


class WarningEvent(Struct, frozen=True):
    """A row of the record."""

    warning: int
    message: int
    at: datetime
    person: str
    step: Step
    reason: str = ""
    content: WarningContent | None = None
    """As it was after a step that changed it."""
    id: int = 0


class PublicWarning(Struct, frozen=True):
    """A warning with its messages, the oldest first."""

    id: int
    subject: str
    """What it is about: `alarm:12`, `incident:3`, or empty."""
    created_at: datetime
    messages: tuple[WarningMessage, ...]

    @property
    def released(self) -> tuple[WarningMessage, ...]:
        return tuple(m for m in self.messages if m.state is MessageState.RELEASED)

    @property
    def open(self) -> WarningMessage | None:
        """The one that somebody works on."""
        return next((m for m in self.messages if m.is_open), None)

    @property
    def latest(self) -> WarningMessage:
        """What stands in a list: the newest released message, else the newest of all."""
        return (self.released or self.messages)[-1]

    def state(self, now_at: datetime) -> WarningState:
        """What it is at that time."""
        if self.released:
            last = self.released[-1]
            if last.msg_type is MsgType.CANCEL:
                return WarningState.CANCELLED
            is_over = last.expires_at is not None and last.expires_at <= now_at
            return WarningState.EXPIRED if is_over else WarningState.ACTIVE
        return WarningState(self.messages[-1].state.value)


class FindingLevel(StrEnum):
    """How bad."""

    ERROR = "error"
    """It cannot be released so."""
    NOTE = "note"
    """It can; somebody should look."""


class Finding(Struct, frozen=True):
    """What is wrong with a message, where, and how to mend it."""

    element: str
    """Path of the CAP element, e.g. `info[1].area[0].polygon[0]`."""
    code: str
    """Stable; docs/reference/cap.md lists them."""
    detail: str
    remedy: str
    level: FindingLevel = FindingLevel.ERROR


class TextCount(Struct, frozen=True):
    """How a text fits its channel."""

    text: str
    encoding: str
    """GSM-7 or UCS-2."""
    units: int
    """Septets of GSM-7, or UTF-16 units."""
    parts: int
    per_part: int
    most_units: int
    is_too_long: bool
    missing: tuple[str, ...] = ()
    """Characters that the channel cannot show in this encoding."""


OWN_ANSWER = ""
"""What stands for the connector of our own answers to messages of others."""


class ForeignWarning(Struct, frozen=True):
    """A message of another authority, or our answer (Ack, Error) to one."""

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
    """The NGSI-LD entity of its chain."""
    document: str
    received_at: datetime
    expires_at: datetime | None = None
    url: str = ""
    url_updated: str = ""
    id: int = 0
    replaced_by: MsgType | None = None
    """Update or Cancel: a later message refers to it."""
    references: tuple[tuple[str, str, datetime], ...] = field(default=())
    """Sender, identifier and time of the messages that it refers to."""
