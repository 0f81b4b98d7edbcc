"""Problems of the desk: what, where, how to mend it."""

from collections.abc import Sequence
from typing import NoReturn

from dothi.model.problem import Problem
from dothi.model.warning import Finding, FindingLevel
from dothi.ports.warnings import Refusal

_TOLD = 5


def unknown(warning: int) -> NoReturn:
    raise Problem(
        "warning_not_found",
        "No such warning",
        f"there is no warning {warning}",
        404,
        remedy="GET /api/v1/warnings lists them",
    )


def no_subject(subject: str) -> NoReturn:
    raise Problem(
        "subject_not_found",
        "Nothing to warn of",
        f"there is no {subject}",
        404,
        where="subject",
        remedy="begin it from an alarm or an incident that is there, or without a subject",
    )


def wrong_state(warning: int, detail: str) -> NoReturn:
    raise Problem(
        "warning_state",
        "Not possible in this state",
        f"warning {warning}: {detail}",
        409,
        remedy="look at the warning again",
    )


def conflict(version: int, now: int) -> NoReturn:
    raise Problem(
        "warning_version",
        "Somebody was faster",
        f"you saw version {version}, it has version {now} now",
        409,
        where="version",
        remedy="load it again and look at what changed",
    )


def busy(warning: int) -> NoReturn:
    raise Problem(
        "warning_busy",
        "Somebody works on a message already",
        f"warning {warning} has a message that is not released yet",
        409,
        remedy="release or discard that one first",
    )


def not_allowed(found: Refusal) -> NoReturn:
    status = 409 if found.code == "not_submitted" else 403
    raise Problem(
        f"release_{found.code}",
        "It cannot be released by you",
        found.detail,
        status,
        remedy="ask a person who has neither written nor submitted it",
    )


def not_fit(findings: Sequence[Finding]) -> NoReturn:
    errors = [one for one in findings if one.level is FindingLevel.ERROR]
    told = "; ".join(f"{one.element}: {one.detail}" for one in errors[:_TOLD])
    more = f" (and {len(errors) - _TOLD} more)" if len(errors) > _TOLD else ""
    raise Problem(
        "warning_not_fit",
        "The message has errors",
        told + more,
        422,
        where=errors[0].element,
        remedy="; ".join(dict.fromkeys(one.remedy for one in errors[:_TOLD])),
    )


def needs_reason(reason: str) -> None:
    """Raises Problem: there is none."""
    if not reason.strip():
        raise Problem(
            "reason_missing",
            "A reason is needed",
            "it stays in the record, and the public reads why a warning was changed",
            422,
            where="reason",
            remedy="say why in a sentence",
        )
