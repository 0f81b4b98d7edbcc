"""Decides the pairs of a run, one after the other: each depends on nothing but its own events.

A pair is read and remembered once, however often it turns; what was known when a change was decided
is put together when the change takes place, or is still pending at the end of the run.
"""

from typing import NamedTuple

from dothi.rules.arrays import NEVER_US
from dothi.rules.limits import OFF, ON
from dothi.rules.pairs import Fired, Pair, Pairs, decide, settle
from dothi.rules.plan import Plan, RulePlan, verdict
from dothi.rules.telling import Telling
from dothi.rules.turning import LOST, Events, turn_leaves

_Place = tuple[int, int, int, int]
"""Row, phase, entity, rule."""


class _Begun(NamedTuple):
    """A change that an event of this run has begun."""

    event: int
    state: bool
    was_on: bool
    decided_us: int


class Deciding:
    """Of one run."""

    def __init__(self, plan: Plan, pairs: Pairs, telling: Telling, events: Events) -> None:
        self._plan, self._pairs, self._telling, self._events = plan, pairs, telling, events
        self._fired: list[tuple[_Place, Fired]] = []

    def all(self) -> list[Fired]:
        """What took place, in the order in which it happened."""
        events = self._events
        for first, last in events.pairs():
            rule = self._plan.rules[events.rule[first]]
            pair = self._pairs.make(rule.number, events.entity[first])
            if rule.is_plain:
                self._follow(rule, pair, first, last)
            else:
                for span in events.moments(first, last):
                    self._decide(rule, pair, span)
            self._pairs.put(pair)
        self._fired.sort(key=lambda one: one[0])
        return [fired for _, fired in self._fired]

    def _follow(self, rule: RulePlan, pair: Pair, first: int, last: int) -> None:
        """A rule of one limit: its verdict is how its leaf stands."""
        events, begun, is_on = self._events, None, bool(pair.on)
        for n in range(first, last):
            turn, was_on = events.turn[n], is_on
            is_on = turn == ON or (is_on and turn != OFF)
            pair.clock_us = max(pair.clock_us, events.us[n])
            if NEVER_US != pair.due_us <= pair.clock_us:
                self._settle(rule, pair, n, begun)
            if turn == LOST or is_on == pair.is_active:
                pair.await_nothing()
            elif pair.due_us == NEVER_US:
                pair.due_us = pair.clock_us + rule.delays_us[is_on]
                pair.seq = events.figure(n)[2]
                begun = _Begun(n, is_on, was_on, pair.clock_us)
                if pair.due_us <= pair.clock_us:
                    self._settle(rule, pair, n, begun)
            if not (is_on or pair.is_active) and pair.due_us == NEVER_US:
                # Forgotten, as what `Pairs.make` gives when nothing is remembered.
                pair.clock_us = NEVER_US
        pair.on = {0} if is_on else set()
        if pair.due_us != NEVER_US:
            self._note(rule, pair, begun)

    def _settle(self, rule: RulePlan, pair: Pair, n: int, begun: _Begun | None) -> None:
        self._note(rule, pair, begun)
        self._take(n, settle(pair, pair.clock_us, self._telling.told))

    def _note(self, rule: RulePlan, pair: Pair, begun: _Begun | None) -> None:
        """Have what is pending at hand where it began in this run."""
        if begun is not None and pair.pending is None:
            n, state, was_on, decided_us = begun
            pair.pending = self._telling.seen_at(rule, self._events, n, was_on, decided_us, state)

    def _decide(self, rule: RulePlan, pair: Pair, span: tuple[int, int]) -> None:
        """Any rule, at one moment."""
        events, telling, n = self._events, self._telling, span[0]
        if pair.is_idle:
            if all(turn == LOST for turn in events.turn[slice(*span)]):
                # Only what is remembered can change by a number that is missing.
                return
            pair.clock_us = NEVER_US
        moment = row, phase, entity = events.moment(n)
        before = set(pair.on)
        is_usable, seq = telling.standing(rule, entity, row, phase)
        pair.clock_us = max(pair.clock_us, turn_leaves(events, span, pair.on))
        if len(rule.signals) > 1:
            pair.clock_us = max(pair.clock_us, telling.clock_us(rule, entity, row, phase))
        self._take(n, settle(pair, pair.clock_us, telling.told))
        leaves = [(k in pair.on) if usable else None for k, usable in enumerate(is_usable)]
        found = verdict(rule.tree, leaves)
        decide(
            *(pair, found, rule.delays_us[bool(found)], seq),
            lambda state: telling.seen(rule, moment, before, pair.clock_us, state),
        )
        self._take(n, settle(pair, pair.clock_us, telling.told))

    def _take(self, n: int, fired: Fired | None) -> None:
        if fired is not None:
            # The first of two of one moment stays the first: the order is kept where it is equal.
            place = (*self._events.moment(n), self._events.rule[n])
            self._fired.append((place, fired))
