"""Reads the file of a procedure (TOML), strictly: what is wrong is named by step and field."""

import re
import tomllib
from typing import Any

import msgspec

from dothi.incidents import procedure_shape as shape
from dothi.incidents.clocks import parse_limit
from dothi.incidents.procedure_graph import check_graph
from dothi.incidents.procedure_text import line_of, remedy_of
from dothi.model.priority import Priority
from dothi.model.problem import Problem
from dothi.model.procedure import (
    Branch,
    Choice,
    Escalation,
    FieldKind,
    FormField,
    LimitKind,
    PauseReason,
    Procedure,
    StartCondition,
    Step,
    Words,
)
from dothi.ports.incidents import StoredProcedure

_PART = re.compile(r"([A-Za-z_]+)(?:\[(\d+)\])?")
TESTS = ("is", "is_not", "at_least", "below", "any_of")


def decode_procedure(text: str, where: str) -> Procedure:
    """Raises Problem: not TOML, an unknown key, a wrong value, a field or step that is not there,
    a cycle, a step that nothing leads to. The detail names step and field, `where` the line."""
    return procedure_of(decode_table(text, where), text, where)


def decode_stored(stored: StoredProcedure) -> Procedure:
    """As `decode_procedure`, of a version that was stored: limits of half working days, which
    could be written once, are counted as they were then."""
    text, where = stored.text, f"procedure {stored.id} version {stored.version}"
    return procedure_of(decode_table(text, where), text, where, is_stored=True)


def decode_table(text: str, where: str) -> shape.ProcedureTable:
    """The keys as they stand in the file, each for itself. Raises Problem."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(str(error), where, text) from error
    try:
        return msgspec.convert(raw, shape.ProcedureTable)
    except msgspec.ValidationError as error:
        raise _wrong(_named(str(error), raw), where, text) from error


def procedure_of(
    table: shape.ProcedureTable, text: str, where: str, *, is_stored: bool = False
) -> Procedure:
    """What the keys mean together. Raises Problem."""
    try:
        procedure = _procedure(table, is_stored=is_stored)
        check_graph(procedure)
    except ValueError as error:
        raise _wrong(str(error), where, text) from error
    return procedure


def _procedure(table: shape.ProcedureTable, *, is_stored: bool) -> Procedure:
    steps: dict[str, Step] = {}
    for entry in table.step:
        if entry.id in steps:
            raise ValueError(f"step {entry.id!r}: the id is taken by another step")
        steps[entry.id] = _step(entry, is_stored=is_stored)
    return Procedure(
        id=table.id,
        version=table.version,
        title=_words(table.title),
        purpose=_words(table.purpose),
        source=table.source,
        is_example=table.is_example,
        priority=Priority(table.priority),
        first=table.first,
        steps=steps,
        starts=tuple(
            StartCondition(s.rule, s.entity_type, s.area, Priority(s.least_urgent), s.automatic)
            for s in table.start
        ),
        valid_from=table.valid_from.isoformat() if table.valid_from else "",
    )


def _step(entry: shape.StepTable, *, is_stored: bool) -> Step:
    where = f"step {entry.id!r}"
    fields: dict[str, FormField] = {}
    for asked in entry.field:
        if asked.id in fields:
            raise ValueError(f"{where}, field {asked.id!r}: the id is taken by another field")
        fields[asked.id] = _field(asked, f"{where}, field {asked.id!r}")
    limit = None
    if entry.limit:
        try:
            limit = parse_limit(entry.limit, may_be_half=is_stored)
        except ValueError as error:
            raise ValueError(f"{where}, key limit: {error}") from error
    if limit is None and (entry.pause or entry.escalate or entry.limit_source):
        raise ValueError(f"{where}: pause, escalate and limit_source need a limit")
    return Step(
        id=entry.id,
        title=_words(entry.title),
        text=_words(entry.text),
        role=entry.role,
        fields=tuple(fields.values()),
        limit=limit,
        limit_source=entry.limit_source,
        pause_reasons=tuple(PauseReason(p.id, _words(p.label), p.source) for p in entry.pause),
        escalation=_escalation(entry, where),
        branches=tuple(_branch(b, fields, where) for b in entry.next),
        waits_for_all=entry.waits_for_all,
    )


def _field(asked: shape.FieldTable, where: str) -> FormField:
    kind = FieldKind(asked.kind)
    is_number, is_choice = kind is FieldKind.NUMBER, kind is FieldKind.CHOICE
    if is_number and not asked.unit:
        raise ValueError(f"{where}, key unit: a number needs its unit (C62 for a bare count)")
    if not is_number and (asked.unit or asked.least is not None or asked.most is not None):
        raise ValueError(f"{where}: unit, least and most belong to numbers")
    if asked.least is not None and asked.most is not None and asked.least > asked.most:
        raise ValueError(f"{where}: least is larger than most")
    if is_choice and len({c.id for c in asked.choices}) < max(2, len(asked.choices)):
        raise ValueError(f"{where}, key choices: give at least two, each with an id of its own")
    if not is_choice and asked.choices:
        raise ValueError(f"{where}: choices belong to the kind choice")
    choices = tuple(Choice(c.id, _words(c.label)) for c in asked.choices)
    return FormField(
        asked.id, kind, _words(asked.label), asked.required, asked.unit, asked.least, asked.most,
        choices,
    )  # fmt: skip


def _escalation(entry: shape.StepTable, where: str) -> tuple[Escalation, ...]:
    levels: list[Escalation] = []
    for level in entry.escalate:
        after_s = 0.0
        if level.after:
            try:
                limit = parse_limit(level.after)
            except ValueError as error:
                raise ValueError(f"{where}, key escalate.after: {error}") from error
            if limit.kind is not LimitKind.ELAPSED:
                raise ValueError(f"{where}, key escalate.after: minutes or hours, not days")
            after_s = limit.amount
        if levels and after_s <= levels[-1].after_s:
            raise ValueError(f"{where}, key escalate.after: each level comes after the one before")
        levels.append(Escalation(after_s, level.to))
    return tuple(levels)


def _branch(entry: shape.NextTable, fields: dict[str, FormField], where: str) -> Branch:
    tests = {name: getattr(entry, "is_" if name == "is" else name) for name in TESTS}
    given = {name: value for name, value in tests.items() if value is not None}
    if not entry.field:
        if given:
            raise ValueError(f"{where}, key next: a test needs the field that it looks at")
        return Branch(entry.to)
    where = f"{where}, key next, field {entry.field!r}"
    asked = fields.get(entry.field)
    if asked is None:
        raise ValueError(f"{where}: the step has no such field")
    if len(given) != 1:
        raise ValueError(f"{where}: give one test of {', '.join(TESTS)}")
    ((test, value),) = given.items()
    _check_test(asked, test, value, where)
    return Branch(entry.to, entry.field, test, value)


def _check_test(asked: FormField, test: str, value: Any, where: str) -> None:
    if asked.kind is FieldKind.FILE:
        raise ValueError(f"{where}: an uploaded file cannot be tested")
    if test in {"at_least", "below"} and asked.kind is not FieldKind.NUMBER:
        raise ValueError(f"{where}: {test} needs a number, this is {asked.kind}")
    if asked.kind is FieldKind.CHOICE:
        known = {c.id for c in asked.choices}
        unknown = set(value if test == "any_of" else (value,)) - known
        if unknown:
            raise ValueError(f"{where}: {sorted(map(str, unknown))} are none of its choices")
    elif test == "any_of":
        raise ValueError(f"{where}: any_of needs a choice, this is {asked.kind}")


def _words(table: shape.WordsTable) -> Words:
    return Words(table.vi, table.en)


def _named(error: str, raw: dict[str, Any]) -> str:
    """msgspec says `$.step[3].field[0].kind`; a person looks for names."""
    text, _, path = error.partition(" - at `$.")
    if not path:
        return text
    node: Any = raw
    names = []
    for name, index in _PART.findall(path.rstrip("`")):
        node = node.get(name) if isinstance(node, dict) else None
        if index:
            node = node[int(index)] if isinstance(node, list) else None
            known = node.get("id") if isinstance(node, dict) else None
            names.append(f"{name} {known!r}" if known else f"{name} no. {int(index) + 1}")
        else:
            names.append(f"key {name}")
    return f"{', '.join(names)}: {text}"


def _wrong(detail: str, where: str, text: str) -> Problem:
    line = line_of(text, detail)
    return Problem(
        "procedure_file_wrong",
        "The procedure cannot be read",
        detail,
        where=where if line is None else f"{where}, line {line}",
        remedy=remedy_of(detail),
    )
