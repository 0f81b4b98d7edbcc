"""Answers to messages of other authorities: Ack and Error (CAP 1.2, 3.2.1, msgType)."""

import secrets
import uuid
from collections.abc import Sequence
from typing import NoReturn

from dothi.facades.cap.chains import answer_to
from dothi.facades.cap.checks.message import check_alert
from dothi.facades.cap.composing import local_time
from dothi.facades.cap.reading import read_alert
from dothi.facades.cap.refusing import not_fit
from dothi.facades.cap.settings import UNCONFIGURED_SENDER, WarningSettings
from dothi.facades.cap.writing import write_alert
from dothi.model.cap import Alert, CapStatus, MsgType, Reference
from dothi.model.problem import Problem
from dothi.model.warning import OWN_ANSWER, Finding, FindingLevel, ForeignWarning
from dothi.ports.clock import Clock
from dothi.ports.warnings import ForeignWarnings


class AnswerDesk:
    """The port `WarningAnswers`."""

    def __init__(self, settings: WarningSettings, kept: ForeignWarnings, clock: Clock) -> None:
        self._settings = settings
        self._kept = kept
        self._clock = clock

    def answer(self, foreign: int, msg_type: MsgType, note: str) -> ForeignWarning:
        """See the port."""
        found = self._kept.get(foreign)
        if found is None or found.connector == OWN_ANSWER:
            raise Problem("warning_not_found", "No such warning", f"there is no {foreign}", 404)
        original = read_alert(found.document.encode())
        self._check(found, msg_type, note)
        now_at = self._clock.now()
        identifier = self._settings.identifier_prefix + str(_random_uuid())
        heading = Reference(
            self._settings.sender, identifier, local_time(now_at, self._settings.zone)
        )
        status = CapStatus.EXERCISE if self._settings.is_drill else original.status
        alert = answer_to(original, msg_type, heading, status, note)
        if findings := _errors(check_alert(alert, now_at)):
            not_fit(findings)
        answer = self._kept_as(alert, found)
        self._kept.put([answer])
        return answer

    def _check(self, found: ForeignWarning, msg_type: MsgType, note: str) -> None:
        if self._settings.sender == UNCONFIGURED_SENDER and not self._settings.is_drill:
            raise Problem(
                "sender_unconfigured",
                "Nobody to answer for",
                "nobody has said on whose behalf messages are sent",
                409,
                where="[warnings] sender",
                remedy="set `sender` in [warnings] of dothi.toml",
            )
        if found.msg_type in {MsgType.ACK, MsgType.ERROR}:
            _refuse(f"{found.msg_type} is an answer itself")
        if msg_type is MsgType.ERROR and not note:
            raise Problem(
                "reason_missing",
                "A reason is needed",
                "an Error says in its note what is wrong with the message",
                where="note",
                remedy="say what cannot be read or used",
            )
        reference = Reference(found.sender, found.identifier, found.sent_at)
        for one in self._kept.answers_to([reference]):
            if one.connector == OWN_ANSWER and one.msg_type is msg_type:
                _refuse(f"it was answered with {msg_type} already")

    def _kept_as(self, alert: Alert, original: ForeignWarning) -> ForeignWarning:
        return ForeignWarning(
            connector=OWN_ANSWER,
            sender=alert.sender,
            identifier=alert.identifier,
            sent_at=alert.sent_at,
            status=alert.status,
            msg_type=alert.msg_type,
            event=original.event,
            headline=alert.note,
            severity=original.severity,
            area="",
            entity=original.entity,
            document=write_alert(alert),
            received_at=self._clock.now(),
            references=tuple((r.sender, r.identifier, r.sent_at) for r in alert.references),
        )


def _errors(findings: Sequence[Finding]) -> list[Finding]:
    return [one for one in findings if one.level is FindingLevel.ERROR]


def _refuse(detail: str) -> NoReturn:
    raise Problem(
        "answer_refused",
        "No answer to this message",
        detail,
        409,
        remedy="look at the answers below the message",
    )


def _random_uuid() -> uuid.UUID:
    return uuid.UUID(bytes=secrets.token_bytes(16), version=4)
