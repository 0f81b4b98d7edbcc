"""Rules and procedures of a drill that runs faster than the clock: their times shrink with the
scenario's."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from dothi.model.procedure import Limit, LimitKind, Procedure, Step
from dothi.model.rule import Rule
from dothi.ports.rules import Rules

_AUTHOR = "drill"
_DAY_S = 86_400.0
_UNITS = ((3600.0, "h"), (60.0, "min"), (1.0, "s"))


def hurry(rules: Rules, speed: float, at: datetime) -> int:
    """Put hurried versions of the rules in force; gives how many. Blocking.

    Only for the fenced copy of a drill: delays, windows and times to respond of two hours pass in
    two minutes at 60×, as the scenario does.
    """
    if speed == 1:
        return 0
    in_force = rules.in_force()
    for rule in in_force:
        made = rules.add(hurried(rule, speed), at)
        rules.approve(made.id, made.version, _AUTHOR, at)
    return len(in_force)


def hurried(rule: Rule, speed: float) -> Rule:
    """The same rule with every duration (fields that end in `_s`) divided by the speed."""
    plain = _divided(msgspec.to_builtins(rule), speed)
    made = msgspec.convert(plain, Rule)
    note = f"{speed:g}× drill: every duration divided by {speed:g}"
    return replace(
        made, author=_AUTHOR, note=note, created_at=None, approved_by="", approved_at=None
    )


def hurried_procedure(procedure: Procedure, speed: float) -> Procedure:
    """The same with time limits and escalations divided by the speed.

    The scenario knows neither nights nor holidays, so that every limit runs by the clock: a day,
    also a working day, counts 24 h, an office hour one hour.
    """
    if speed == 1:
        return procedure
    steps = {name: _hurried_step(step, speed) for name, step in procedure.steps.items()}
    return replace(procedure, steps=steps)


def _hurried_step(step: Step, speed: float) -> Step:
    levels = tuple(replace(one, after_s=one.after_s / speed) for one in step.escalation)
    limit = step.limit and _hurried_limit(step.limit, speed)
    return replace(step, limit=limit, escalation=levels)


def _hurried_limit(limit: Limit, speed: float) -> Limit:
    in_days = limit.kind in (LimitKind.DAYS, LimitKind.WORKING_DAYS)
    seconds = limit.amount * (_DAY_S if in_days else 1) / speed
    unit_s, unit = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    return Limit(LimitKind.ELAPSED, seconds, f"{seconds / unit_s:.4g} {unit}")


def _divided(node: Any, speed: float) -> Any:
    if isinstance(node, dict):
        return {
            name: value / speed
            if name.endswith("_s") and isinstance(value, int | float)
            else _divided(value, speed)
            for name, value in node.items()
        }
    if isinstance(node, list | tuple):
        return [_divided(one, speed) for one in node]
    return node
