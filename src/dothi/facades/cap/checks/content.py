"""What this authority asks of its own messages, beside the standard."""

import re
from datetime import datetime, timedelta

from dothi.facades.cap.checks.finding import Findings, note, wrong
from dothi.facades.cap.settings import UNCONFIGURED_SENDER, WarningSettings
from dothi.facades.cap.texts import count_broadcast, count_sms
from dothi.model.cap import CapStatus, MsgType, Severity
from dothi.model.warning import FILE_KINDS, WarningContent
from dothi.model.warning_lists import Catalogue

_MOST_FILES = 5
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ALLOWED = (CapStatus.ACTUAL, CapStatus.EXERCISE, CapStatus.TEST)


def allowed_statuses(settings: WarningSettings) -> tuple[CapStatus, ...]:
    """What may be made now: in drill mode exercises alone."""
    return (CapStatus.EXERCISE,) if settings.is_drill else _ALLOWED


def check_content(
    content: WarningContent,
    msg_type: MsgType,
    now_at: datetime,
    settings: WarningSettings,
    catalogue: Catalogue,
) -> Findings:
    """Status, sender, texts, event, level of risk, time."""
    yield from _status(content, settings)
    yield from _words(content, msg_type)
    yield from _event(content, catalogue)
    yield from _until(content, now_at, settings)
    if msg_type is not MsgType.CANCEL and not (content.area_ids or content.shapes):
        yield wrong(
            "info.area", "area_missing", "no place is given", "choose areas or draw a polygon"
        )


def check_files(content: WarningContent, address: str) -> Findings:
    """What goes with the message: the public must be able to fetch it, and to know what it is."""
    if content.attachments and not address:
        yield wrong(
            "info.resource",
            "public_url_missing",
            "nobody outside could fetch the files: the address of this server is not known",
            "set `public_url` in [server] of dothi.toml, or take the files out",
        )
    if len(content.attachments) > _MOST_FILES:
        yield wrong(
            "info.resource", "too_many_files", f"more than {_MOST_FILES} files", "take some out"
        )
    for number, one in enumerate(content.attachments):
        if one.mime_type not in FILE_KINDS or not _SHA256.fullmatch(one.sha256):
            yield wrong(
                f"info.resource[{number}]",
                "file_kind",
                f"{one.name} cannot go with a warning",
                "put the file up again",
            )


def check_texts(sms: str, broadcast: str, settings: WarningSettings) -> Findings:
    """The texts for phones, as they would go out."""
    counted = count_sms(sms, settings.sms_parts)
    if counted.is_too_long:
        why = f"; {' '.join(counted.missing[:10])} make it {counted.encoding}"
        yield wrong(
            "sms",
            "sms_too_long",
            f"{counted.units} of {counted.most_units} {counted.encoding} units"
            f"{why if counted.missing else ''}",
            "shorten it, or leave diacritics out",
        )
    pages = count_broadcast(broadcast)
    if pages.is_too_long:
        yield wrong(
            "broadcast",
            "broadcast_too_long",
            f"{pages.units} of {pages.most_units} {pages.encoding} units",
            "shorten it",
        )


def _status(content: WarningContent, settings: WarningSettings) -> Findings:
    if content.status not in allowed_statuses(settings):
        yield wrong(
            "alert.status",
            "status_not_allowed",
            f"{content.status} cannot be sent" + (" in drill mode" if settings.is_drill else ""),
            f"choose {' or '.join(allowed_statuses(settings))}",
        )
    if content.status is CapStatus.ACTUAL and settings.sender == UNCONFIGURED_SENDER:
        yield wrong(
            "alert.sender",
            "sender_unconfigured",
            "nobody has said on whose behalf warnings are sent",
            "set `sender` in [warnings] of dothi.toml, or make it an Exercise",
        )


def _words(content: WarningContent, msg_type: MsgType) -> Findings:
    for number, (name, words) in enumerate((("vi", content.vi), ("en", content.en))):
        where = f"info[{number}]"
        needed = ["headline", "description"]
        if msg_type is not MsgType.CANCEL:
            needed.append("instruction")
        if name == "en" and not any(getattr(words, field) for field in needed):
            yield note(where, "language_missing", "there is no English text", "add it for visitors")
            continue
        for field in needed:
            if not getattr(words, field).strip():
                yield wrong(f"{where}.{field}", "missing", "the text is empty", "write it")


def _event(content: WarningContent, catalogue: Catalogue) -> Findings:
    event = catalogue.event(content.event)
    if event is None:
        yield wrong(
            "info.event",
            "event_unknown",
            f"{content.event!r} is not in the list of events",
            "choose an event",
        )
        return
    level = catalogue.risk.get(content.risk_level)
    if content.risk_level is not None and level is None:
        known = ", ".join(str(one.level) for one in catalogue.risk.levels)
        yield wrong(
            "info.parameter",
            "risk_level_unknown",
            f"{content.risk_level} is no level of {catalogue.risk.legal_source}",
            f"choose one of {known}",
        )
    if event.has_risk_level and content.risk_level is None:
        yield note(
            "info.parameter",
            "risk_level_missing",
            "a natural disaster without a level of risk",
            "give the level of the forecast, if there is one",
        )
    if level is not None and content.severity not in {level.severity, Severity.UNKNOWN}:
        yield note(
            "info.severity",
            "severity_differs",
            f"level {level.level} is usually {level.severity}",
            "leave it only when you mean it",
        )
    if content.severity is Severity.UNKNOWN:
        yield wrong("info.severity", "severity_unknown", "nobody said how bad", "choose one")


def _until(content: WarningContent, now_at: datetime, settings: WarningSettings) -> Findings:
    if content.expires_at is None:
        yield wrong("info.expires", "expires_missing", "it has no end", "say until when it holds")
    elif content.expires_at <= now_at:
        yield wrong(
            "info.expires", "expires_past", "its end is past", "choose a time in the future"
        )
    elif content.expires_at > now_at + timedelta(hours=settings.longest_h):
        yield wrong(
            "info.expires",
            "expires_late",
            f"it holds for more than {settings.longest_h:g} hours",
            "let it end earlier and update it then",
        )
