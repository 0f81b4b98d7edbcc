"""The TOML text of a procedure: written from what a form holds, and which line an error is in."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from dothi.incidents import procedure_shape as shape

_STEP = re.compile(r"step '([^']+)'")
_NUMBERED = re.compile(r"step no\. (\d+)")
_PART = re.compile(r"(field|pause|choices) '([^']+)'")
_KEY = re.compile(r"key ([A-Za-z_]+)")
_AT = re.compile(r"at line (\d+)")
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TABLES = (
    *(shape.ProcedureTable, shape.StepTable, shape.FieldTable, shape.ChoiceTable),
    *(shape.PauseTable, shape.EscalateTable, shape.NextTable, shape.StartTable),
)
_KEPT = frozenset({"to"})
"""Lists that say something even when they are empty: nothing follows on this way."""
KEYS = sorted({f.encode_name for table in _TABLES for f in msgspec.structs.fields(table)})


def write_toml(values: Mapping[str, Any]) -> str:
    """What is empty is left out; tables come after plain keys, words stand in one line."""
    return "\n".join(_lines(values, "")).strip() + "\n"


def line_of(text: str, detail: str) -> int | None:
    """Number of the line, from 1, that the detail of an error is about; None: not to be told."""
    if found := _AT.search(detail):
        return int(found[1])
    lines = text.splitlines()
    start, end = _step_lines(lines, detail)
    if part := _PART.search(detail):
        at = _id_line(lines, part[2], start, end)
        start = at if at is not None else start
    found = _UNKNOWN.search(detail) or _KEY.search(detail)
    if found:
        for number in range(start, end):
            if re.match(rf"\s*(\[\[?\s*(\w+\.)*)?{re.escape(found[1])}\b", lines[number]):
                return number + 1
    is_somewhere = start > 0 or found is not None
    return start + 1 if is_somewhere and start < len(lines) else None


def remedy_of(detail: str) -> str:
    """How to mend it."""
    if found := _UNKNOWN.search(detail):
        near = get_close_matches(found[1], KEYS, 1)
        if near:
            return f"did you mean `{near[0]}`? docs/reference/procedures.md lists every key"
    if "missing required field" in detail:
        return "add the key; docs/reference/procedures.md says what it means"
    return "docs/reference/procedures.md lists every key"


def _step_lines(lines: list[str], detail: str) -> tuple[int, int]:
    """From the head of the step that is named up to the next one; else the whole text."""
    heads = [n for n, line in enumerate(lines) if re.match(r"\s*\[\[\s*step\s*\]\]", line)]
    ends = [*heads[1:], len(lines)][: len(heads)]
    named, numbered = _STEP.search(detail), _NUMBERED.search(detail)
    if numbered and int(numbered[1]) <= len(heads):
        place = int(numbered[1]) - 1
        return heads[place], ends[place]
    for start, end in zip(heads, ends, strict=True):
        if named and _id_line(lines, named[1], start, min(start + 4, end)) is not None:
            return start, end
    return 0, len(lines)


def _id_line(lines: list[str], name: str, start: int, end: int) -> int | None:
    """Where `id = "name"` stands."""
    wanted = re.compile(rf"""\bid\s*=\s*["']{re.escape(name)}["']""")
    return next((n for n in range(start, end) if wanted.search(lines[n])), None)


def _lines(values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    tables = []
    for name, value in values.items():
        is_list = isinstance(value, list | tuple)
        if value is None or value == "" or (is_list and not value and name not in _KEPT):
            continue
        if is_list and value and all(isinstance(one, Mapping) for one in value):
            tables.append((name, value))
        else:
            yield f"{_key(name)} = {_value(value)}"
    for name, rows in tables:
        for row in rows:
            yield ""
            yield f"[[{prefix}{_key(name)}]]"
            yield from _lines(row, f"{prefix}{_key(name)}.")


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case Mapping():
            inner = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items())
            return f"{{ {inner} }}"
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            # A JSON string is a basic string of TOML, but for one character.
            return msgspec.json.encode(str(value)).decode().replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else msgspec.json.encode(name).decode()
