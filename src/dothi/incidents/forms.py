"""Checks the answers of a step's form against its fields."""

import math
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from dothi.model.problem import Problem
from dothi.model.procedure import FieldKind, FormField, Step

_MOST_CHARACTERS = 10_000


def check_answers(step: Step, answers: Mapping[str, Any], files: Collection[int]) -> dict[str, Any]:
    """The answers in their proper types, without empty ones.

    Args:
        files: numbers of the incident's files; an answer of kind `file` names one of them.
    Raises:
        Problem: names step and field: unknown, missing, of the wrong kind, out of bounds.
    """
    fields = {field.id: field for field in step.fields}
    for name in answers:
        if name not in fields:
            raise _wrong(step, name, "the form has no such field", f"known: {', '.join(fields)}")
    found: dict[str, Any] = {}
    for field in step.fields:
        given = answers.get(field.id)
        if given is None or given == "":
            if field.is_required:
                raise _wrong(step, field.id, "it must be answered", f"give a {field.kind}")
            continue
        found[field.id] = _value(step, field, given, files)
    return found


def _value(step: Step, field: FormField, given: Any, files: Collection[int]) -> Any:
    match field.kind:
        case FieldKind.NUMBER:
            return _number(step, field, given)
        case FieldKind.CHECKBOX:
            return _ticked(step, field, given)
        case FieldKind.TIME:
            return _time(step, field, given)
        case FieldKind.CHOICE:
            known = [choice.id for choice in field.choices]
            fits, detail, remedy = given in known, "it is none of its choices", ", ".join(known)
        case FieldKind.FILE:
            fits = isinstance(given, int) and not isinstance(given, bool) and given in files
            detail, remedy = f"the incident has no file {given!r}", "upload it first"
        case FieldKind.TEXT:
            fits = isinstance(given, str) and len(given) <= _MOST_CHARACTERS
            detail, remedy = "it is no text, or too long", f"at most {_MOST_CHARACTERS:,}"
    if not fits:
        raise _wrong(step, field.id, detail, remedy)
    return given


def _ticked(step: Step, field: FormField, given: Any) -> bool:
    if not isinstance(given, bool):
        raise _wrong(step, field.id, "it is not true or false", "give true or false")
    if field.is_required and not given:
        raise _wrong(step, field.id, "it must be ticked", "do it, then tick it")
    return given


def _number(step: Step, field: FormField, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise _wrong(step, field.id, f"{given!r} is no number", f"give it in {field.unit}")
    if field.least is not None and given < field.least:
        raise _wrong(step, field.id, f"{given:g} is less than {field.least:g}", "check the value")
    if field.most is not None and given > field.most:
        raise _wrong(step, field.id, f"{given:g} is more than {field.most:g}", "check the value")
    return float(given)


def _time(step: Step, field: FormField, given: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError as error:
        raise _wrong(step, field.id, str(error), "give 2026-11-22T08:00:00+07:00") from error
    if moment.tzinfo is None:
        raise _wrong(step, field.id, "the time has no zone", "give 2026-11-22T08:00:00+07:00")
    return moment.astimezone(UTC).isoformat()


def _wrong(step: Step, name: str, detail: str, remedy: str) -> Problem:
    return Problem(
        "answer_wrong",
        "The answer cannot be taken",
        f"step {step.id!r}, field {name!r}: {detail}",
        where=f"answers.{name}",
        remedy=remedy,
    )
