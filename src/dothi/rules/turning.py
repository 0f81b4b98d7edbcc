"""At which moments of a run which rules must be decided, and what changed for them there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct, field

from dothi.rules.arrays import NEVER_US, Bools, Ints
from dothi.rules.limits import HELD, ON
from dothi.rules.pairs import Pairs
from dothi.rules.plan import Plan, RulePlan
from dothi.rules.samples import Samples
from dothi.rules.units import SignalUnit

Moment = tuple[int, int, int]
"""Row, phase, entity."""


class Turns:
    """Leaves that turned, and signals that became unusable, sorted by moment."""

    def __init__(self, plan: Plan, columns: Sequence[Ints]) -> None:
        """columns: row, phase, entity, leaf (or -1 - signal), turn, time, place of the sample."""
        self._plan = plan
        row, phase, entity, leaf = columns[:4]
        order = np.lexsort((leaf, entity, phase, row))
        self._row, self._phase, self._entity, self._leaf, self._turn, self._at, self._sample = (
            column[order].tolist() for column in columns
        )
        self._place = 0

    def places(self) -> dict[tuple[int, int, int, int], int]:
        """Signal, entity, row, phase -> place among the samples of the signal."""
        leaves = self._plan.leaves
        signal = (leaves[leaf].signal if leaf >= 0 else -1 - leaf for leaf in self._leaf)
        keys = zip(signal, self._entity, self._row, self._phase, strict=True)
        return dict(zip(keys, self._sample, strict=True))

    def moments(self) -> Iterator[Moment]:
        """Each once; `rules_at` must be exhausted before the next."""
        while self._place < len(self._row):
            place = self._place
            yield self._row[place], self._phase[place], self._entity[place]

    def rules_at(self, moment: Moment, pairs: Pairs) -> list[tuple[RulePlan, "Turned"]]:
        """Rules to decide at the moment, and what turned for each."""
        found: dict[int, Turned] = {}
        entity, place = moment[2], self._place
        while (
            place < len(self._row)
            and (self._row[place], self._phase[place], self._entity[place]) == moment
        ):
            leaf, at_us = self._leaf[place], self._at[place]
            if leaf >= 0:
                one = self._plan.leaves[leaf]
                turned = found.setdefault(one.rule, Turned())
                turned.leaves.append(
                    (leaf - self._plan.rules[one.rule].leaves[0].number, self._turn[place], at_us)
                )
            else:
                self._unusable(-1 - leaf, at_us, pairs.at.get(entity, {}), found)
            place += 1
        self._place = place
        return [(self._plan.rules[rule], found[rule]) for rule in sorted(found)]

    def _unusable(
        self, signal: int, at_us: int, remembered: Iterable[int], found: dict[int, "Turned"]
    ) -> None:
        """Only what is remembered can change by a number that is missing."""
        for rule in remembered:
            if signal in self._plan.rules[rule].signals:
                turned = found.setdefault(rule, Turned())
                turned.lost_us = max(turned.lost_us, at_us)


class Turned(Struct):
    """What turned for one rule at one moment."""

    leaves: list[tuple[int, int, int]] = field(default_factory=list)
    """Leaf of the rule, turn, time."""
    lost_us: int = NEVER_US
    """When a signal of it became unusable."""

    def apply(self, on: set[int]) -> int:
        """Turn the leaves; gives when the last one did that was not so before."""
        changed_us, any_us = self.lost_us, self.lost_us
        for leaf, turn, at_us in self.leaves:
            any_us = max(any_us, at_us)
            if turn != HELD and (turn == ON) != (leaf in on):
                changed_us = max(changed_us, at_us)
                (on.add if turn == ON else on.discard)(leaf)
        return any_us if changed_us == NEVER_US else changed_us


def turns_of(
    plan: Plan, units: Sequence[SignalUnit], samples: Mapping[int, Samples], pairs: Pairs
) -> Turns:
    """Everything that may change a verdict in this run."""
    leaf_rule = np.array([leaf.rule for leaf in plan.leaves], np.int64)
    is_eager = np.array([rule.is_eager for rule in plan.rules], np.bool_)
    crossed: list[list[Ints]] = []
    lost: list[list[Ints]] = []
    for number, one in samples.items():
        unit = units[number]
        found, turned = unit.binding.crossings(one, unit.binding.epochs(one.us))
        at = found.sample
        us = one.us[at]
        if unit.signal.kind == "silence":
            # It has lasted long enough from the moment on at which the age reached the limit.
            reached = us - one.value[at].astype(np.int64) + found.edge.astype(np.int64)
            us = np.where(found.turn == ON, reached, us)
        crossed.append([one.row[at], one.phase[at], one.entity[at], found.leaf, found.turn, us, at])
        at = np.flatnonzero(turned)
        marks = np.full(len(at), -1 - number)
        zero = np.zeros(len(at), np.int64)
        lost.append([one.row[at], one.phase[at], one.entity[at], marks, zero, one.us[at], at])
    columns = _joined(crossed)
    entity, leaf, is_on = columns[2], columns[3], columns[4] == ON
    rule = leaf_rule[leaf]
    matters = _matters(rule, entity, is_on, is_eager, pairs)
    kept = [column[matters] for column in columns]
    gone = _joined(lost)
    live = np.fromiter(pairs.at, np.int64, len(pairs.at))
    alive = np.isin(gone[2], live) | np.isin(gone[2], np.unique(kept[2]))
    gone = [column[alive] for column in gone]
    return Turns(plan, [np.concatenate(pair) for pair in zip(kept, gone, strict=True)])


def _matters(rule: Ints, entity: Ints, is_on: Bools, is_eager: Bools, pairs: Pairs) -> Bools:
    """Turning off changes nothing where nothing of the rule was on."""
    keys = (rule << 32) | entity
    found = is_on | is_eager[rule]
    if not found.all():
        at = np.flatnonzero(~found)
        found[at] = pairs.is_known(rule[at], entity[at]) | np.isin(keys[at], keys[is_on])
    return found


def _joined(parts: Sequence[list[Ints]]) -> list[Ints]:
    if not parts:
        return [np.zeros(0, np.int64)] * 7
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
