"""How dated limits change: values are added and ended, and none is ever overwritten.

A value keeps who added it, who ended it and who compared it with its legal text, so that every
explanation of an alarm leads to what was valid on its day.
"""

from collections.abc import Callable
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace

from dothi.model.problem import Problem
from dothi.model.rule import DatedValue, LimitTable

VERIFIED, UNVERIFIED = "verified", "unverified"


class Key(Struct, frozen=True):
    """What tells the values of a table apart."""

    level: str
    entity: str
    valid_from: date


class By(Struct, frozen=True):
    """Who changes something, when and why."""

    person: str
    at: datetime
    reason: str = ""


def with_value(table: LimitTable, new: DatedValue, by: By) -> LimitTable:
    """Add a value; one of the same level and entity that had no end ends on its first day.

    Raises:
        Problem: limit_incomplete, or (409) limit_known, limit_overlaps.
    """
    _check(new)
    values = []
    for one in table.values:
        is_same = (one.level, one.entity) == (new.level, new.entity)
        values.append(_before(one, new, by) if is_same and not _is_void(one) else one)
    added = replace(new, added_by=by.person, added_at=by.at)
    return replace(table, values=(*values, added))


def ended(table: LimitTable, key: Key, valid_to: date, by: By) -> LimitTable:
    """The value is valid no longer from a day on; its own first day: it never was.

    Raises:
        Problem: reason_missing, limit_unknown (404), limit_ends (400, 409).
    """
    if not by.reason.strip():
        raise Problem(
            *("reason_missing", "A reason is missing", "to end a limit needs a text"),
            where="reason",
            remedy="name the text that repeals it, or say what was wrong",
        )

    def end(one: DatedValue) -> DatedValue:
        if valid_to < one.valid_from:
            raise _wrong("limit_ends", f"it is valid from {one.valid_from} on", "valid_to", 400)
        if one.valid_to is not None and one.valid_to <= valid_to:
            raise _wrong("limit_ends", f"it ends on {one.valid_to} already", "valid_to")
        return replace(
            one, valid_to=valid_to, ended_by=by.person, ended_at=by.at, end_reason=by.reason
        )

    return _changed(table, key, end)


def verified(table: LimitTable, key: Key, by: By, people: int) -> LimitTable:
    """A second person has compared the value with the legal text.

    Args:
        people: how many people could; where there is only one, nobody else can be asked.
    Raises:
        Problem: limit_unknown (404), limit_own (409): whoever entered it compares it too.
    """

    def verify(one: DatedValue) -> DatedValue:
        if one.added_by == by.person and people > 1:
            raise _own(f"{one.level} of {one.valid_from} was entered by {by.person}")
        return replace(one, mark=VERIFIED, verified_by=by.person, verified_at=by.at)

    return _changed(table, key, verify)


def put_as_whole(before: LimitTable | None, after: LimitTable, by: By, people: int) -> LimitTable:
    """A table put as a whole: every value that there was, and new ones, entered by whoever puts it.

    Raises:
        Problem: limit_overwritten (409), limit_own (409): a new value that says of itself that it
            was compared with its text.
    """
    check_kept(before, after)
    known = before.values if before else ()
    values = []
    for one in after.values:
        if one not in known:
            if one.mark == VERIFIED and people > 1:
                raise _own(f"{one.level} of {one.valid_from} is new and marked as verified")
            one = replace(one, added_by=by.person, added_at=by.at, verified_by="", verified_at=None)
        values.append(one)
    return replace(after, values=tuple(values))


def check_kept(before: LimitTable | None, after: LimitTable) -> None:
    """A table that is put as a whole holds every value that there was.

    Raises Problem: limit_overwritten (409).
    """
    lost = [one for one in (before.values if before else ()) if one not in after.values]
    if lost:
        told = ", ".join(f"{one.level} of {one.valid_from}" for one in lost[:5])
        raise _wrong(
            "limit_overwritten",
            f"{after.name}: values that are there would be changed or lost: {told}",
            "tables",
            remedy="send them as they are; end a value with POST .../values/end",
        )


def _check(new: DatedValue) -> None:
    for name in ("level", "source"):
        if not getattr(new, name).strip():
            raise _wrong("limit_incomplete", f"{name} is missing", name, 400)
    if new.valid_to is not None and new.valid_to <= new.valid_from:
        raise _wrong("limit_incomplete", "it ends before it begins", "valid_to", 400)


def _is_void(one: DatedValue) -> bool:
    return one.valid_to is not None and one.valid_to <= one.valid_from


def _before(one: DatedValue, new: DatedValue, by: By) -> DatedValue:
    """A value of the same level and entity, when the new one is there too."""
    if one.valid_from == new.valid_from:
        raise _wrong(
            "limit_known",
            f"{one.level} has a value from {one.valid_from} on",
            "valid_from",
            remedy="end it on its first day when it is wrong, then add the right one",
        )
    if one.valid_from > new.valid_from:
        if new.valid_to is None or new.valid_to > one.valid_from:
            raise _wrong(
                "limit_overlaps",
                f"another value is valid from {one.valid_from} on",
                "valid_to",
                remedy=f"give an end: {one.valid_from} at the latest",
            )
        return one
    if one.valid_to is None:
        reason = f"→ {new.source}"
        return replace(
            one, valid_to=new.valid_from, ended_by=by.person, ended_at=by.at, end_reason=reason
        )
    if one.valid_to > new.valid_from:
        raise _wrong(
            "limit_overlaps",
            f"the value of {one.valid_from} is valid until {one.valid_to}",
            "valid_from",
            remedy=f"begin on {one.valid_to}, or end that one earlier",
        )
    return one


def _changed(table: LimitTable, key: Key, change: Callable[[DatedValue], DatedValue]) -> LimitTable:
    wanted = (key.level, key.entity, key.valid_from)
    at = [
        n
        for n, one in enumerate(table.values)
        if (one.level, one.entity, one.valid_from) == wanted and not _is_void(one)
    ]
    if not at:
        raise Problem(
            "limit_unknown",
            "No such limit",
            f"{table.name} has no {key.level} valid from {key.valid_from} on",
            404,
            where="level, entity, valid_from",
            remedy="GET /api/v1/rules/limits lists all",
        )
    values = list(table.values)
    values[at[0]] = change(values[at[0]])
    return replace(table, values=tuple(values))


def _own(detail: str) -> Problem:
    return Problem(
        *("limit_own", "Somebody else compares it", detail, 409),
        where="level, entity, valid_from",
        remedy="enter it as unverified, and ask another person to compare it with its legal text",
    )


def _wrong(code: str, detail: str, where: str, status: int = 409, *, remedy: str = "") -> Problem:
    return Problem(code, "The limit cannot be so", detail, status, where=where, remedy=remedy)
