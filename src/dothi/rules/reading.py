"""Rules and dated limits from TOML or JSON, strictly: an error names its place."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

import msgspec

from dothi.model.problem import Problem
from dothi.model.rule import LimitTable, Rule
from dothi.model.rule_condition import Condition
from dothi.rules.check import check_rule

REMEDY = "docs/reference/rules.md shows every field"
T = TypeVar("T")


class _RuleFile(msgspec.Struct, forbid_unknown_fields=True):
    rule: list[dict[str, Any]] = []
    limits: list[LimitTable] = []


def read_rules(text: bytes, name: str) -> tuple[list[Rule], list[LimitTable]]:
    """The rules (`[[rule]]`) and limit tables (`[[limits]]`) of one TOML file.

    Raises:
        Problem: `bad_rule`; says which file, which rule and which field.
    """
    try:
        found = msgspec.toml.decode(text, type=_RuleFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _problem(name, str(error)) from error
    rules = [_rule(one, f"{name}, {_named(n, one)}") for n, one in enumerate(found.rule, 1)]
    ids = [rule.id for rule in rules]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise _problem(name, f"rules are there twice: {', '.join(twice)}")
    return rules, found.limits


def read_rule(body: object, where: str = "body") -> Rule:
    """One rule from decoded JSON. Raises Problem: `bad_rule`."""
    return _rule(body, where)


def _named(number: int, one: dict[str, Any]) -> str:
    return f"rule {number} ({one.get('id', 'without id')})"


def _rule(body: object, where: str) -> Rule:
    try:
        rule = msgspec.convert(body, Rule)
    except msgspec.ValidationError as error:
        raise _problem(where, str(error) + _nearest(str(error))) from error
    faults = check_rule(rule)
    if faults:
        raise _problem(where, "; ".join(faults))
    return rule


def _nearest(error: str) -> str:
    """For a kind that does not exist, the one that was probably meant."""
    if "Invalid value" not in error or "kind" not in error:
        return ""
    wrong = error.split("'")[1] if error.count("'") > 1 else ""
    near = get_close_matches(wrong, kinds(), 1)
    known = ", ".join(kinds())
    return f"; did you mean {near[0]!r}?" if near else f"; kinds: {known}"


def kinds() -> Sequence[str]:
    """Names of the kinds of condition."""
    return [str(one.__struct_config__.tag) for one in get_args(Condition)]


def _problem(where: str, detail: str) -> Problem:
    return Problem("bad_rule", "Rule not usable", f"{where}: {detail}", 422, where, REMEDY)
