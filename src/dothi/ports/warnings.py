"""Public warnings: where they are kept, who works on them, and those of other authorities."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from dothi.model.cap import Alert, CapDocument, CapStatus, MsgType, Reference
from dothi.model.notice import Notice
from dothi.model.warning import (
    Finding,
    ForeignWarning,
    PublicWarning,
    TextCount,
    WarningContent,
    WarningEvent,
    WarningMessage,
)
from dothi.model.warning_lists import Catalogue


class Released(Struct, frozen=True):
    """A message and the row of the record that released it."""

    record: int
    message: WarningMessage


class WarningReceiver(Struct, frozen=True):
    """Somebody outside who is handed released messages; counts since the start."""

    name: str
    url: str
    """Without login and query."""
    is_down: bool
    """It failed again and again."""
    taken: int
    given_up: int
    """Refused for good, or too old after many attempts."""
    last_success_at: datetime | None
    last_error: str
    """Empty: the last attempt went well."""


class WarningReceivers(Protocol):
    """Used in the event loop."""

    def views(self) -> list[WarningReceiver]:
        """As the settings name them."""
        ...


class Warnings(Protocol):
    """Any thread; blocking. Raises StoreUnavailable: nothing was written."""

    def create(self, subject: str, message: WarningMessage, event: WarningEvent) -> int:
        """A new warning with its first message; gives its id."""
        ...

    def add(self, message: WarningMessage, event: WarningEvent) -> bool:
        """A further message; False: somebody works on one already."""
        ...

    def change(
        self, message: WarningMessage, event: WarningEvent, notices: Sequence[Notice] = ()
    ) -> bool:
        """Store `message` in place of its version before (`message.version` - 1), with the row of
        the record and the notices, in one transaction; False: somebody was faster, nothing was
        written. Released messages never change."""
        ...

    def get(self, warning: int) -> PublicWarning | None: ...

    def all(self, limit: int = 500) -> Sequence[PublicWarning]:
        """The newest first."""
        ...

    def events(self, warning: int) -> Sequence[WarningEvent]:
        """The record, the oldest first."""
        ...

    def last_record(self) -> int:
        """Number of the newest row of the record of all warnings; 0: there is none."""
        ...

    def released_after(self, record: int, limit: int) -> Sequence[Released]:
        """What was released after this row of the record, in that order."""
        ...

    def by_identifier(self, identifier: str) -> WarningMessage | None:
        """A released message."""
        ...

    def with_file(self, sha256: str) -> Sequence[WarningMessage]:
        """Released messages with which this file goes."""
        ...

    def published(self, status: CapStatus, after_at: datetime) -> Sequence[WarningMessage]:
        """The newest released message of every public warning that expires after this time, the
        newest first."""
        ...


class Link(Struct, frozen=True):
    """What is known of a link of a feed."""

    url: str
    updated: str


class ForeignWarnings(Protocol):
    """Messages of other authorities. Any thread; blocking."""

    def known(self, connector: str) -> frozenset[Link]:
        """Links whose messages were read."""
        ...

    def has(self, alert: Alert) -> bool:
        """Whether this very message is kept."""
        ...

    def entity_of(self, alert: Alert) -> str | None:
        """The entity of the chain that a known message of this or of its references began."""
        ...

    def replaced_by(self, alert: Alert) -> MsgType | None:
        """Update or Cancel, when a known later message refers to this one."""
        ...

    def put(self, warnings: Sequence[ForeignWarning]) -> None:
        """Keep them; one with the same sender, identifier and time stays as it is."""
        ...

    def all(self, limit: int = 500) -> Sequence[ForeignWarning]:
        """Those sent last first; our own answers are not among them."""
        ...

    def get(self, foreign: int) -> ForeignWarning | None: ...

    def answers_to(self, messages: Sequence[Reference]) -> Sequence[ForeignWarning]:
        """Acks and Errors that refer to any of these, ours and theirs, the oldest first."""
        ...

    def own_answers(self, after_at: datetime) -> Sequence[ForeignWarning]:
        """Ours that were sent after this time, the newest first."""
        ...

    def own_answer(self, identifier: str) -> ForeignWarning | None: ...


class WarningAnswers(Protocol):
    """Answers to messages of other authorities. Any thread; blocking."""

    def answer(self, foreign: int, msg_type: MsgType, note: str) -> ForeignWarning:
        """Make an Ack, or an Error with its reason, and keep it. Raises Problem: 404 (no such
        message), 409 (an answer itself, answered so already, or nobody to send for), 422."""
        ...


class CapReader(Protocol):
    """Reads CAP messages, Atom and RSS feeds and envelopes of CAP messages."""

    def __call__(self, document: bytes) -> CapDocument:
        """Raises CapUnreadable."""
        ...


class Act(Struct, frozen=True):
    """Somebody does something to the message of a warning that is worked on."""

    warning: int
    person: str
    version: int
    """Of the message that he or she saw; another one is refused (409)."""
    reason: str = ""


class Refusal(Struct, frozen=True):
    """Why somebody may not release a message."""

    code: str
    """not_submitted, only_one_person, not_a_person, own_text or own_submission."""
    detail: str


class PlaceSummary(Struct, frozen=True):
    """How a place goes into the message."""

    name_vi: str
    name_en: str
    points: int
    points_before: int
    has_holes: bool
    outline: tuple[tuple[tuple[float, float], ...], ...]
    """Rings of longitude and latitude, as they are sent; circles as polygons."""


class Preview(Struct, frozen=True):
    """A message as it would go out now."""

    findings: tuple[Finding, ...]
    alert: Alert
    document: str
    """CAP XML; empty when it cannot be written."""
    sms: TextCount
    broadcast: TextCount
    places: tuple[PlaceSummary, ...]
    surface_km2: float

    @property
    def is_fit(self) -> bool:
        return not any(one.level == "error" for one in self.findings)


class WarningDesk(Protocol):
    """Where people work on warnings. Any thread; blocking.

    Everything that changes raises Problem: 404 (no such warning), 409 (another state or version),
    403 (not this person), 422 (the message has errors).
    """

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def statuses(self) -> tuple[CapStatus, ...]:
        """What may be sent now."""
        ...

    @property
    def sender(self) -> str: ...

    def all(self) -> Sequence[PublicWarning]: ...

    def get(self, warning: int) -> PublicWarning: ...

    def events(self, warning: int) -> Sequence[WarningEvent]: ...

    def preview(self, content: WarningContent, msg_type: MsgType) -> Preview:
        """As a first look: identifier and time are those of now."""
        ...

    def refusal(self, warning: PublicWarning, person: str) -> Refusal | None:
        """Why this person may not release what is worked on; None: she or he may."""
        ...

    def create(self, subject: str, content: WarningContent | None, person: str) -> int: ...

    def edit(self, act: Act, content: WarningContent) -> None: ...

    def submit(self, act: Act) -> None: ...

    def give_back(self, act: Act) -> None:
        """To its author, with the reason."""
        ...

    def discard(self, act: Act) -> None: ...

    def release(self, act: Act) -> None: ...

    def follow(self, warning: int, msg_type: MsgType, reason: str, person: str) -> None:
        """Begin an Update or a Cancel of a released warning, with the reason."""
        ...


class Subjects(Protocol):
    """What a warning can be begun from."""

    def content_of(self, subject: str) -> WarningContent | None:
        """A first draft for `alarm:12` or `incident:3`; None: there is no such thing."""
        ...
