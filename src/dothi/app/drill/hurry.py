"""Rules of a drill that runs faster than the clock: their times shrink with the scenario's."""

from datetime import datetime
from typing import Any

import msgspec

from dothi.model.rule import Rule
from dothi.ports.rules import Rules

_AUTHOR = "drill"


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
    return msgspec.structs.replace(
        made, author=_AUTHOR, note=note, created_at=None, approved_by="", approved_at=None
    )


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
