"""The workflow of public warnings: draft, submitted, released by a second person, followed up."""

import secrets
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from dothi.facades.cap.chains import cancellation, references_of, sent_after
from dothi.facades.cap.checks.content import allowed_statuses
from dothi.facades.cap.composing import Heading
from dothi.facades.cap.noticing import release_notice, submission_notice
from dothi.facades.cap.previewing import Previewer
from dothi.facades.cap.refusing import (
    busy,
    conflict,
    needs_reason,
    no_subject,
    not_allowed,
    not_fit,
    unknown,
    wrong_state,
)
from dothi.facades.cap.releasing import refusal
from dothi.facades.cap.settings import UNCONFIGURED_SENDER, WarningSettings
from dothi.model.cap import CapStatus, MsgType
from dothi.model.notice import Notice
from dothi.model.warning import (
    MessageState,
    PublicWarning,
    Step,
    WarningContent,
    WarningEvent,
    WarningMessage,
    WarningState,
)
from dothi.model.warning_lists import Catalogue
from dothi.ports.areas import Areas
from dothi.ports.clock import Clock
from dothi.ports.people import People
from dothi.ports.warnings import Act, Preview, Refusal, Subjects, Warnings

_FIRST_HOURS = 12
_PREVIEW_ID = "preview"


class DeskPorts(Struct, frozen=True):
    """What the desk needs of the rest of the program."""

    warnings: Warnings
    areas: Areas
    clock: Clock
    people: People | None = None
    """None: who there is is not known."""
    subjects: Subjects | None = None
    address: str = ""
    """Of the server as the public reaches it; empty: no files can go with a warning."""


class Desk:
    """The port `WarningDesk`."""

    def __init__(self, settings: WarningSettings, catalogue: Catalogue, ports: DeskPorts) -> None:
        self.catalogue = catalogue
        self._settings = settings
        self._ports = ports
        self._store = ports.warnings
        self._previewer = Previewer(settings, catalogue, ports.areas, ports.address)

    @property
    def statuses(self) -> tuple[CapStatus, ...]:
        return allowed_statuses(self._settings)

    @property
    def sender(self) -> str:
        return self._settings.sender

    def _now(self) -> datetime:
        return self._ports.clock.now()

    def all(self) -> Sequence[PublicWarning]:
        return self._store.all()

    def get(self, warning: int) -> PublicWarning:
        return self._store.get(warning) or unknown(warning)

    def events(self, warning: int) -> Sequence[WarningEvent]:
        return self._store.events(warning)

    def preview(self, content: WarningContent, msg_type: MsgType) -> Preview:
        now_at = self._now()
        head = Heading(
            self._settings.identifier_prefix + _PREVIEW_ID,
            now_at,
            msg_type,
            references=()
            if msg_type is MsgType.ALERT
            else references_of([_stand_in(self._settings.sender, now_at)]),
        )
        return self._previewer.preview(content, head, now_at)

    def refusal(self, warning: PublicWarning, person: str) -> Refusal | None:
        people = self._ports.people
        return refusal(warning.open, person, None if people is None else people.all())

    def create(self, subject: str, content: WarningContent | None, person: str) -> int:
        now_at = self._now()
        if content is None:
            content = self._first_content(subject, now_at)
        message = _draft(0, MsgType.ALERT, content, person, now_at)
        return self._store.create(subject, message, _event(message, person, Step.CREATED, now_at))

    def edit(self, act: Act, content: WarningContent) -> None:
        def change(message: WarningMessage, _now_at: datetime) -> WarningMessage:
            editors = tuple(dict.fromkeys((*message.editors, act.person)))
            return replace(message, content=content, editors=editors)

        self._step(act, Step.EDITED, MessageState.DRAFT, change)

    def submit(self, act: Act) -> None:
        def change(message: WarningMessage, now_at: datetime) -> WarningMessage:
            preview = self.preview(message.content, message.msg_type)
            if not preview.is_fit:
                not_fit(preview.findings)
            return replace(
                message,
                state=MessageState.SUBMITTED,
                submitted_by=act.person,
                submitted_at=now_at,
            )

        self._step(act, Step.SUBMITTED, MessageState.DRAFT, change)

    def give_back(self, act: Act) -> None:
        needs_reason(act.reason)
        self._step(act, Step.RETURNED, MessageState.SUBMITTED, _back_to_draft)

    def discard(self, act: Act) -> None:
        needs_reason(act.reason)

        def change(message: WarningMessage, _now_at: datetime) -> WarningMessage:
            return replace(message, state=MessageState.DISCARDED)

        self._step(act, Step.DISCARDED, None, change)

    def release(self, act: Act) -> None:
        warning = self.get(act.warning)
        if (found := self.refusal(warning, act.person)) is not None:
            not_allowed(found)

        def change(message: WarningMessage, now_at: datetime) -> WarningMessage:
            return self._published(warning, message, act.person, now_at)

        self._step(act, Step.RELEASED, MessageState.SUBMITTED, change)

    def follow(self, warning: int, msg_type: MsgType, reason: str, person: str) -> None:
        needs_reason(reason)
        found, now_at = self.get(warning), self._now()
        if found.state(now_at) is not WarningState.ACTIVE or msg_type not in {
            MsgType.UPDATE,
            MsgType.CANCEL,
        }:
            wrong_state(warning, f"only an active warning can be followed by {msg_type}")
        content = found.released[-1].content
        if msg_type is MsgType.CANCEL:
            content = cancellation(content, reason)
        message = replace(_draft(warning, msg_type, content, person, now_at), reason=reason)
        if not self._store.add(message, _event(message, person, Step.CREATED, now_at)):
            busy(warning)

    def _step(
        self,
        act: Act,
        step: Step,
        needs: MessageState | None,
        change: Callable[[WarningMessage, datetime], WarningMessage],
    ) -> None:
        """One step of the message that is worked on; nothing is written unless all of it is."""
        warning, now_at = self.get(act.warning), self._now()
        message = warning.open
        if message is None or (needs is not None and message.state is not needs):
            state = "nothing is worked on" if message is None else f"it is {message.state}"
            wrong_state(act.warning, state)
        if message.version != act.version:
            conflict(act.version, message.version)
        after = replace(change(message, now_at), version=message.version + 1)
        event = _event(after, act.person, step, now_at, act.reason)
        if not self._store.change(after, event, self._notices(after, step, now_at)):
            conflict(act.version, message.version + 1)

    def _published(
        self, warning: PublicWarning, message: WarningMessage, person: str, now_at: datetime
    ) -> WarningMessage:
        sent_at = sent_after(warning.released, now_at)
        head = Heading(
            self._settings.identifier_prefix + str(_random_uuid()),
            sent_at,
            message.msg_type,
            references_of(warning.released),
            (warning.subject,) if warning.subject.startswith("incident:") else (),
            message.reason,
        )
        preview = self._previewer.preview(message.content, head, now_at)
        if not preview.is_fit:
            not_fit(preview.findings)
        alert = preview.alert
        return replace(
            message,
            state=MessageState.RELEASED,
            content=replace(
                message.content, sms=preview.sms.text, broadcast=preview.broadcast.text
            ),
            released_by=person,
            identifier=alert.identifier,
            sender=alert.sender,
            sent_at=alert.sent_at,
            expires_at=alert.expires_at,
            document=preview.document,
        )

    def _notices(self, message: WarningMessage, step: Step, now_at: datetime) -> list[Notice]:
        if step is Step.RELEASED:
            return [release_notice(message, self.catalogue, now_at)]
        if step is Step.SUBMITTED:
            return [submission_notice(message, self.catalogue, now_at)]
        return []

    def _first_content(self, subject: str, now_at: datetime) -> WarningContent:
        subjects = self._ports.subjects
        found = None
        if subject and subjects is not None:
            found = subjects.content_of(subject) or no_subject(subject)
        first = self.statuses[0] if self.sender != UNCONFIGURED_SENDER else CapStatus.EXERCISE
        content = found or WarningContent(status=first)
        if content.status not in self.statuses:
            content = replace(content, status=first)
        if content.expires_at is None:
            expires_at = now_at.replace(second=0, microsecond=0) + timedelta(hours=_FIRST_HOURS)
            content = replace(content, expires_at=expires_at)
        return content


def _draft(
    warning: int, msg_type: MsgType, content: WarningContent, person: str, now_at: datetime
) -> WarningMessage:
    return WarningMessage(
        0, warning, msg_type, MessageState.DRAFT, 1, content, "", person, now_at, (person,)
    )


def _back_to_draft(message: WarningMessage, _now_at: datetime) -> WarningMessage:
    return replace(message, state=MessageState.DRAFT, submitted_by="", submitted_at=None)


def _event(
    message: WarningMessage, person: str, step: Step, now_at: datetime, reason: str = ""
) -> WarningEvent:
    told = message.content if step in {Step.CREATED, Step.EDITED, Step.RELEASED} else None
    return WarningEvent(
        message.warning, message.id, now_at, person, step, reason or message.reason, told
    )


def _stand_in(sender: str, now_at: datetime) -> WarningMessage:
    """What the first look at a follow-up refers to: it is not known yet to what."""
    message = _draft(0, MsgType.ALERT, WarningContent(), "", now_at)
    sent_at = now_at.replace(microsecond=0) - timedelta(seconds=1)
    return replace(message, sender=sender, identifier="earlier", sent_at=sent_at)


def _random_uuid() -> uuid.UUID:
    return uuid.UUID(bytes=secrets.token_bytes(16), version=4)
