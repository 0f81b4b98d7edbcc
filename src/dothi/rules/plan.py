"""Rules made ready for columns: every condition becomes limits on signals.

A *slot* is what rows are read from: an attribute, of some sources or of all. A *signal* is a number
per entity that follows from a slot: its value, a figure over a window, the time since the last row,
a distance to another attribute. A *leaf* is a limit on a signal, and a rule is a tree of leaves. So
whatever the kind, the same search finds the few limits that a new number has crossed.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct, field

from dothi.model.quality import Quality
from dothi.model.rule import Rule
from dothi.model.rule_condition import (
    AllOf,
    AnyOf,
    AtLeast,
    Compare,
    Condition,
    DatedLimit,
    Flagged,
    Geofence,
    Leaf,
    NoData,
    Not,
    Range,
    Rate,
    Stuck,
    Threshold,
    Window,
)
from dothi.rules.arrays import Bools, Ints

Kind = Literal[
    "value", "rate", "silence", "spread", "count", "sum", "mean", "min", "max", "flag", "fence",
    "difference", "forecast",
]  # fmt: skip
WINDOWS = frozenset({"rate", "spread", "count", "sum", "mean", "min", "max"})
US = 1_000_000
_NONE = np.zeros(0, np.int64)


class Slot(Struct, frozen=True):
    attribute: str
    dataset: str
    sources: tuple[str, ...]
    """Empty: rows of every source."""


class Signal(Struct, frozen=True):
    kind: Kind
    slot: Slot
    window_us: int = 0
    other: Slot | None = None
    numbers: tuple[float, ...] = ()
    """rate: per_s; windows: min_count; difference: factor, offset; flag: the flags."""
    extra: Any = None
    """count: comparison and limit of what counts; fence: polygon or area."""


class LeafPlan(Struct, frozen=True):
    """A limit on a signal; `sign` -1 turns < into >."""

    number: int
    """Among the leaves of all rules."""
    rule: int
    signal: int
    comparison: str
    limit: float | DatedLimit
    deadband: float
    name: str
    """For people: attribute or figure."""

    @property
    def sign(self) -> int:
        return 1 if self.comparison[0] == ">" else -1


Tree = tuple[Any, ...]
"""("leaf", place in the rule) | ("all"|"any", trees) | ("least", n, trees) | ("not", tree)."""


class RulePlan(Struct):
    number: int
    rule: Rule
    leaves: list[LeafPlan] = field(default_factory=list)
    tree: Tree = ()
    signals: tuple[int, ...] = ()
    is_eager: bool = False
    """True although no leaf is: holds a `not`."""
    is_plain: bool = False
    """Its verdict is how its only leaf stands."""
    delays_us: tuple[int, int] = (0, 0)
    """Of becoming normal, and of becoming active."""


class Plan(Struct):
    """Everything that is in force."""

    rules: list[RulePlan] = field(default_factory=list)
    leaves: list[LeafPlan] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    _signal_at: dict[Signal, int] = field(default_factory=dict)
    _slot_at: dict[Slot, int] = field(default_factory=dict)
    rule_of: Ints = _NONE
    """Of each leaf."""
    first_leaf: Ints = _NONE
    """Of each rule."""
    is_eager: Bools = _NONE.astype(np.bool_)
    """Of each rule."""

    def slot(self, slot: Slot) -> int:
        if slot not in self._slot_at:
            self._slot_at[slot] = len(self.slots)
            self.slots.append(slot)
        return self._slot_at[slot]

    def signal(self, signal: Signal) -> int:
        if signal not in self._signal_at:
            self._signal_at[signal] = len(self.signals)
            self.signals.append(signal)
            self.slot(signal.slot)
            if signal.other is not None:
                self.slot(signal.other)
        return self._signal_at[signal]


def compile_rules(rules: Sequence[Rule]) -> Plan:
    """The plan of rules whose conditions were checked (rules/check.py)."""
    plan = Plan()
    for rule in rules:
        one = RulePlan(len(plan.rules), rule)
        plan.rules.append(one)
        one.tree = _tree(plan, one, rule.condition)
        one.signals = tuple(dict.fromkeys(leaf.signal for leaf in one.leaves))
        one.is_eager = verdict(one.tree, [False] * len(one.leaves)) is True
        one.is_plain = one.tree == ("leaf", 0)
        one.delays_us = round(rule.off_delay_s * US), round(rule.on_delay_s * US)
    plan.rule_of = np.array([leaf.rule for leaf in plan.leaves], np.int64)
    plan.first_leaf = np.array([one.leaves[0].number for one in plan.rules], np.int64)
    plan.is_eager = np.array([one.is_eager for one in plan.rules], np.bool_)
    return plan


def verdict(tree: Tree, leaves: Sequence[bool | None]) -> bool | None:
    """Kleene's three-valued logic; None: undecidable."""
    kind = tree[0]
    if kind == "leaf":
        return leaves[tree[1]]
    if kind == "not":
        inner = verdict(tree[1], leaves)
        return None if inner is None else not inner
    parts = [verdict(part, leaves) for part in tree[-1]]
    needed = {"all": len(parts), "any": 1}.get(kind) or tree[1]
    true = sum(part is True for part in parts)
    if true >= needed:
        return True
    possible = true + sum(part is None for part in parts)
    return None if possible >= needed else False


def _tree(plan: Plan, one: RulePlan, condition: Condition) -> Tree:
    if isinstance(condition, Not):
        return ("not", _tree(plan, one, condition.of))
    if isinstance(condition, AllOf | AnyOf | AtLeast):
        parts = [_tree(plan, one, part) for part in condition.of]
        if isinstance(condition, AtLeast):
            return ("least", condition.count, parts)
        return ("all" if isinstance(condition, AllOf) else "any", parts)
    if isinstance(condition, Range):
        return _range(plan, one, condition)
    comparison = getattr(condition, "comparison", ">=")
    limit = _limit(condition)
    return _leaf(plan, one, condition, comparison, limit)


def _range(plan: Plan, one: RulePlan, condition: Range) -> Tree:
    signs = (">=", "<=") if condition.is_inside else ("<", ">")
    parts = [
        _leaf(plan, one, condition, signs[0], condition.low),
        _leaf(plan, one, condition, signs[1], condition.high),
    ]
    return ("all" if condition.is_inside else "any", parts)


def _leaf(
    plan: Plan, one: RulePlan, condition: Leaf, comparison: str, limit: float | DatedLimit
) -> Tree:
    signal = plan.signal(signal_of(condition, one.rule.scope.sources))
    name = condition.attribute
    deadband = getattr(condition, "deadband", 0.0)
    leaf = LeafPlan(len(plan.leaves), one.number, signal, comparison, limit, deadband, name)
    plan.leaves.append(leaf)
    one.leaves.append(leaf)
    return ("leaf", len(one.leaves) - 1)


def _limit(condition: Leaf) -> float | DatedLimit:
    if isinstance(condition, NoData):
        return condition.for_s * US
    if isinstance(condition, Stuck):
        return -condition.tolerance
    if isinstance(condition, Geofence | Flagged):
        return 1.0
    if isinstance(condition, Compare):
        return 0.0
    assert isinstance(condition, Threshold | Rate | Window)
    return condition.limit


def signal_of(condition: Leaf, sources: tuple[str, ...]) -> Signal:
    """The number that the condition sets a limit to."""
    slot = Slot(condition.attribute, getattr(condition, "dataset", ""), sources)
    if isinstance(condition, Rate):
        return Signal("rate", slot, round(condition.over_s * US), numbers=(condition.per_s,))
    if isinstance(condition, NoData):
        return Signal("silence", slot)
    if isinstance(condition, Stuck):
        numbers = (float(condition.min_count),)
        return Signal("spread", slot, round(condition.for_s * US), numbers=numbers)
    if isinstance(condition, Window):
        where = condition.where
        extra = None if where is None else (where.comparison, where.limit)
        numbers = (float(condition.min_count),)
        window_us = round(condition.over_s * US)
        return Signal(condition.function, slot, window_us, numbers=numbers, extra=extra)
    if isinstance(condition, Geofence):
        return Signal("fence", slot, extra=(condition.relation, condition.polygon, condition.area))
    if isinstance(condition, Compare):
        return _difference(condition, slot, sources)
    if isinstance(condition, Flagged):
        flags = tuple(sorted(float(Quality[name.upper()]) for name in condition.flags))
        return Signal("flag", slot, numbers=flags)
    return Signal("value", slot)


def _difference(condition: Compare, slot: Slot, sources: tuple[str, ...]) -> Signal:
    other = Slot(condition.other, condition.other_dataset, sources)
    within_us = 0 if condition.within_s is None else round(condition.within_s * US)
    kind: Kind = "forecast" if condition.is_forecast else "difference"
    return Signal(kind, slot, within_us, other, (condition.factor, condition.offset))
