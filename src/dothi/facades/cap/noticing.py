"""What people are told of warnings (model/notice.py)."""

from datetime import datetime

from msgspec.structs import replace

from dothi.model.cap import CapStatus, Severity
from dothi.model.notice import Notice
from dothi.model.priority import Priority
from dothi.model.warning import WarningMessage
from dothi.model.warning_lists import Catalogue

_RELEASING = ("leader",)
"""Position that may release (access/positions.toml)."""
_PRIORITY = {
    Severity.EXTREME: Priority.HIGHEST,
    Severity.SEVERE: Priority.HIGH,
    Severity.MODERATE: Priority.MEDIUM,
}


def release_notice(message: WarningMessage, catalogue: Catalogue, now_at: datetime) -> Notice:
    """`warning.released`: it is public now."""
    return _notice("warning.released", message, catalogue, now_at)


def submission_notice(message: WarningMessage, catalogue: Catalogue, now_at: datetime) -> Notice:
    """`warning.approval`: a second person is needed."""
    return replace(_notice("warning.approval", message, catalogue, now_at), positions=_RELEASING)


def _notice(kind: str, message: WarningMessage, catalogue: Catalogue, now_at: datetime) -> Notice:
    content = message.content
    event = catalogue.event(content.event)
    is_real = content.status is CapStatus.ACTUAL
    return Notice(
        id=f"{kind}:{message.id}:{message.version}",
        kind=kind,
        at=now_at,
        priority=_PRIORITY.get(content.severity, Priority.LOW) if is_real else Priority.LOW,
        subject=f"warning:{message.warning}",
        parameters={
            "text": _text(message, event.vi if event else content.event),
            "by": message.submitted_by,
            "approver": message.released_by,
            "status": content.status,
            "msg_type": message.msg_type,
            "event_vi": event.vi if event else content.event,
            "event_en": event.en if event else content.event,
            "headline_vi": content.vi.headline,
            "headline_en": content.en.headline or content.vi.headline,
            "instruction_vi": content.vi.instruction,
            "instruction_en": content.en.instruction,
            "risk_level": "" if content.risk_level is None else str(content.risk_level),
            "identifier": message.identifier,
            "sms": content.sms,
            "reason": message.reason,
        },
    )


def _text(message: WarningMessage, event: str) -> str:
    """What stands in a list: an exercise says so first."""
    content = message.content
    marked = "" if content.status is CapStatus.ACTUAL else "[DIỄN TẬP] "
    return marked + (content.vi.headline or event)
