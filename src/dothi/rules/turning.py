"""What may change verdicts in a run: leaves that turned and signals that became unusable, pair by
pair, each with the sample that says so."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from dothi.rules.arrays import NEVER_US, Bools, Ints
from dothi.rules.limits import HELD, ON
from dothi.rules.pairs import Pairs
from dothi.rules.plan import Plan
from dothi.rules.samples import Points, Samples
from dothi.rules.units import SignalUnit

LOST = -1
"""Turn of a signal that became unusable."""

Moment = tuple[int, int, int]
"""Row, phase, entity."""


class Events:
    """One line per leaf that turned or signal that was lost, by rule, entity, row and phase.

    Lists, since they are read one by one, which is slow with arrays.
    """

    def __init__(self, columns: Sequence[Ints], samples: Mapping[int, Samples]) -> None:
        """columns: rule, entity, row, phase, place of the leaf in the rule, turn (limits.OFF, ON,
        HELD, or LOST), when it turned, signal, place among the samples of the signal."""
        rule, entity, row, phase = columns[:4]
        order = np.lexsort(((row << 1) | phase, (rule << 32) | entity))
        lists: list[list[int]] = [column[order].tolist() for column in columns]
        self.rule, self.entity, self.row, self.phase, self.leaf, self.turn, self.us = lists[:7]
        self._signal, self._sample = lists[7:]
        self._edges = [0, *_changes(rule[order], entity[order]), len(rule)] if len(rule) else []
        self._samples = samples
        self._figures: dict[int, tuple[list[Any], ...]] = {}

    def pairs(self) -> Iterator[tuple[int, int]]:
        """First event of each pair, and the first that is none of it any more."""
        return pairwise(self._edges)

    def moment(self, n: int) -> Moment:
        return self.row[n], self.phase[n], self.entity[n]

    def moments(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The events of each moment of one pair."""
        start = first
        for n in range(first + 1, last + 1):
            if n == last or self.row[n] != self.row[start] or self.phase[n] != self.phase[start]:
                yield start, n
                start = n

    def figure(self, n: int) -> tuple[int, float, int, float | None]:
        """Time, number and seq of the sample of an event, and what it was compared with."""
        signal, place = self._signal[n], self._sample[n]
        us, value, seq, other = self._figures.get(signal) or self._listed(signal)
        return us[place], value[place], seq[place], other[place] if other else None

    def points(self, n: int) -> Points | None:
        """What was in the window of an event; None: it is of no window."""
        return self._samples[self._signal[n]].points_of(self._sample[n])

    def _listed(self, signal: int) -> tuple[list[Any], ...]:
        one = self._samples[signal]
        columns = (one.us, one.value, one.seq, one.other)
        found = self._figures[signal] = tuple(column.tolist() for column in columns)
        return found


def turn_leaves(events: Events, span: tuple[int, int], on: set[int]) -> int:
    """Turn the leaves of one moment; gives when the last one did that was not so before."""
    changed_us, any_us = NEVER_US, NEVER_US
    for n in range(*span):
        turn, leaf, at_us = events.turn[n], events.leaf[n], events.us[n]
        any_us = max(any_us, at_us)
        if turn == LOST:
            changed_us = max(changed_us, at_us)
        elif turn != HELD and (turn == ON) != (leaf in on):
            changed_us = max(changed_us, at_us)
            (on.add if turn == ON else on.discard)(leaf)
    return any_us if changed_us == NEVER_US else changed_us


def events_of(
    plan: Plan, units: Sequence[SignalUnit], samples: Mapping[int, Samples], pairs: Pairs
) -> Events:
    """Everything that may change a verdict in this run."""
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
        crossed.append(_columns(one, at, number, (found.leaf, found.turn, us)))
        at = np.flatnonzero(turned)
        none = np.full(len(at), LOST)
        lost.append(_columns(one, at, number, (none, none, one.us[at])))
    columns = _joined(crossed)
    rule, entity = plan.rule_of[columns[3]], columns[0]
    matters = _matters(rule, entity, columns[4] == ON, plan.is_eager, pairs)
    kept = [rule[matters], *(column[matters] for column in columns)]
    kept[4] = kept[4] - plan.first_leaf[kept[0]]
    gone = _spread(plan, _joined(lost), kept, pairs)
    return Events([np.concatenate(both) for both in zip(kept, gone, strict=True)], samples)


def _columns(one: Samples, at: Ints, signal: int, found: tuple[Ints, Ints, Ints]) -> list[Ints]:
    """Entity, row, phase, leaf, turn, time, signal, place of the sample."""
    return [one.entity[at], one.row[at], one.phase[at], *found, np.full(len(at), signal), at]


def _matters(rule: Ints, entity: Ints, is_on: Bools, is_eager: Bools, pairs: Pairs) -> Bools:
    """Turning off changes nothing where nothing of the rule was on."""
    keys = (rule << 32) | entity
    found = is_on | is_eager[rule]
    if not found.all():
        at = np.flatnonzero(~found)
        found[at] = pairs.is_known(rule[at], entity[at]) | np.isin(keys[at], keys[is_on])
    return found


def _spread(plan: Plan, lost: list[Ints], kept: list[Ints], pairs: Pairs) -> list[Ints]:
    """Lost signals once for each rule of them that something is remembered of, or may be."""
    places: list[int] = []
    rules: list[int] = []
    if len(lost[0]):
        near: dict[int, set[int]] = {}
        some = np.isin(kept[1], lost[0])
        for rule, entity in zip(kept[0][some].tolist(), kept[1][some].tolist(), strict=True):
            near.setdefault(entity, set()).add(rule)
        lines = zip(lost[0].tolist(), lost[6].tolist(), strict=True)
        for place, (entity, signal) in enumerate(lines):
            for rule in {*pairs.at.get(entity, ()), *near.get(entity, ())}:
                if signal in plan.rules[rule].signals:
                    places.append(place)
                    rules.append(rule)
    at = np.array(places, np.int64)
    return [np.array(rules, np.int64), *(column[at] for column in lost)]


def _changes(rule: Ints, entity: Ints) -> list[int]:
    """Where another pair begins."""
    is_new = (rule[1:] != rule[:-1]) | (entity[1:] != entity[:-1])
    found: list[int] = (np.flatnonzero(is_new) + 1).tolist()
    return found


def _joined(parts: Sequence[list[Ints]]) -> list[Ints]:
    if not parts:
        return [np.zeros(0, np.int64)] * 8
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
