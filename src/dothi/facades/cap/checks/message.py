"""The whole message: CAP 1.2, 3.2.1, and what its blocks must have in common."""

import re
from datetime import datetime, timedelta
from itertools import combinations

from dothi.facades.cap.checks.finding import Findings, note, wrong
from dothi.facades.cap.checks.info import check_info
from dothi.facades.cap.writing import has_unwritable
from dothi.model.cap import Alert, CapStatus, Info, MsgType, Scope
from dothi.model.warning import Finding, FindingLevel

_ID = re.compile(r"[^\s,<&]+")
_CLOCK_SLACK = timedelta(minutes=5)
_REFERRING = frozenset({MsgType.UPDATE, MsgType.CANCEL, MsgType.ACK, MsgType.ERROR})
_SAME = ("categories", "event_codes", "urgency", "severity", "certainty", "response_types",
         "effective_at", "onset_at", "expires_at", "parameters")  # fmt: skip
_ELEMENTS = {
    "categories": "category",
    "event_codes": "eventCode",
    "response_types": "responseType",
    "effective_at": "effective",
    "onset_at": "onset",
    "expires_at": "expires",
    "parameters": "parameter",
}


def check_alert(alert: Alert, now_at: datetime) -> list[Finding]:
    """Everything that stands between a message and its release, errors first."""
    found = [*_head(alert, now_at), *_audience(alert), *_references(alert), *_blocks(alert)]
    for number, info in enumerate(alert.infos):
        found += check_info(info, alert.sent_at, f"info[{number}]")
    return sorted(found, key=lambda one: one.level is not FindingLevel.ERROR)


def _head(alert: Alert, now_at: datetime) -> Findings:
    for name, text in (("identifier", alert.identifier), ("sender", alert.sender)):
        if not _ID.fullmatch(text) or has_unwritable(text):
            yield wrong(
                f"alert.{name}",
                "identifier_characters",
                f"{text!r} is empty or holds a blank, comma, < or &",
                "use letters, digits and -._:@ only",
            )
    if alert.sent_at > now_at + _CLOCK_SLACK:
        yield wrong(
            "alert.sent", "sent_in_future", "it is dated in the future", "set the clock right"
        )
    for name, text in (("source", alert.source), ("note", alert.note)):
        if has_unwritable(text):
            yield wrong(f"alert.{name}", "unwritable", "a control character", "type the text anew")
    if alert.status is CapStatus.DRAFT:
        yield wrong(
            "alert.status",
            "status_draft",
            "a message of status Draft is not for others",
            "choose Actual, Exercise or Test",
        )
    if alert.msg_type is MsgType.ERROR and not alert.note:
        yield wrong("alert.note", "missing", "an Error says why", "explain it in the note")


def _audience(alert: Alert) -> Findings:
    pairs = (
        (Scope.RESTRICTED, "restriction", alert.restriction),
        (Scope.PRIVATE, "addresses", " ".join(alert.addresses)),
    )
    for scope, name, value in pairs:
        if alert.scope is scope and not value:
            yield wrong(
                f"alert.{name}",
                "scope_mismatch",
                f"scope {scope} needs it",
                "say who may have it, or make the message Public",
            )
        if alert.scope is not scope and value:
            yield wrong(
                f"alert.{name}",
                "scope_mismatch",
                f"it goes with scope {scope} only",
                f"leave it out, or choose scope {scope}",
            )
        if has_unwritable(value):
            yield wrong(f"alert.{name}", "unwritable", "a control character", "type it anew")


def _references(alert: Alert) -> Findings:
    where = "alert.references"
    if alert.msg_type in _REFERRING and not alert.references:
        yield wrong(
            where,
            "references_missing",
            f"{alert.msg_type} must name the messages that it is about",
            "start it from the message itself",
        )
    if alert.msg_type is MsgType.ALERT and alert.references:
        yield wrong(
            where,
            "references_unexpected",
            "a first message refers to none",
            "make it an Update or a Cancel",
        )
    for reference in alert.references:
        if not (_ID.fullmatch(reference.sender) and _ID.fullmatch(reference.identifier)):
            yield wrong(
                where,
                "identifier_characters",
                "a sender or identifier holds a blank, comma, < or &",
                "refer to a message whose identifier is right",
            )
        if (reference.sender, reference.identifier) == (alert.sender, alert.identifier):
            yield wrong(where, "references_circular", "it refers to itself", "take it out")
        elif reference.sent_at > alert.sent_at:
            yield wrong(
                where,
                "references_postdated",
                "it refers to a message that was sent later",
                "refer to earlier messages only",
            )
    if len(set(alert.references)) < len(alert.references):
        yield wrong(where, "twice", "a message is named twice", "name each once")


def _blocks(alert: Alert) -> Findings:
    if alert.msg_type in {MsgType.ALERT, MsgType.UPDATE} and not alert.infos:
        yield wrong("alert.info", "missing", "there is no text for anybody", "add an info block")
    languages = [info.language or "en-US" for info in alert.infos]
    if len(set(languages)) < len(languages):
        yield wrong(
            "alert.info",
            "language_twice",
            "two blocks have the same language",
            "keep one block per language",
        )
    if alert.infos:
        first = alert.infos[0]
        for number, info in enumerate(alert.infos[1:], 1):
            yield from _differences(first, info, f"info[{number}]")
    for (n, one), (m, other) in combinations(enumerate(alert.infos), 2):
        if one.description and one.description == other.description:
            yield note(
                f"info[{m}].description",
                "same_text",
                f"the text is the same as in info[{n}], in another language",
                "translate it",
            )


def _differences(first: Info, info: Info, where: str) -> Findings:
    """Blocks of several languages tell the same (CAP 1.2, 3.2.2: one event, translated)."""
    for name in _SAME:
        if getattr(first, name) != getattr(info, name):
            yield wrong(
                f"{where}.{_ELEMENTS.get(name, name)}",
                "languages_differ",
                "it differs from the first language",
                "all languages of a message carry the same codes and times",
            )
    places = [[(a.polygons, a.circles, a.geocodes) for a in i.areas] for i in (first, info)]
    if places[0] != places[1]:
        yield wrong(
            f"{where}.area",
            "languages_differ",
            "the places differ from those of the first language",
            "all languages of a message carry the same places",
        )
