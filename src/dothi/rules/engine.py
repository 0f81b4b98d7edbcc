"""Rules over columns: rows of the log go in, transitions come out.

Time is that of the observations: a delay has passed when a newer observation of the same rule and
entity says so, or when `tick` is told that it is so late. So it does not matter how the log is cut
into runs: the same rows give the same transitions. `evaluate` never looks at the clock of the
machine except to date what it explains.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from dothi.model.rule import LimitTable, Rule
from dothi.model.transition import NOTHING, Evaluated, StoredState
from dothi.rules.arrays import NEVER_US, Ints, distinct
from dothi.rules.entities import Deletions, Known, split_at_deletions
from dothi.rules.explanation import Term
from dothi.rules.fences import AreaShape, Fences
from dothi.rules.limits import DatedLimits
from dothi.rules.memory import Memory
from dothi.rules.pairs import Fired, Pair, Pairs, decide, settle
from dothi.rules.plan import Plan, RulePlan, at_of, compile_rules, us_of, verdict
from dothi.rules.rows import read_run, slot_rows
from dothi.rules.samples import Samples
from dothi.rules.scope import Facts, NoFacts
from dothi.rules.steady import Steady
from dothi.rules.telling import Telling
from dothi.rules.turning import Moment, Turned, turns_of
from dothi.rules.wiring import wire

END_ROW = 2**40
"""Place after all rows."""


@dataclass(frozen=True, slots=True)
class View:
    """How a rule stands at an entity."""

    is_active: bool
    due_at: datetime | None
    """When a pending change takes place."""
    verdict: bool | None
    terms: tuple[Term, ...]


class Engine:
    """Not thread-safe: one consumer owns it."""

    def __init__(
        self,
        facts: Facts | None = None,
        limits: Sequence[LimitTable] = (),
        *,
        area_shape: AreaShape | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        """
        Args:
            facts: types and areas of entities.
            limits: dated limits that rules refer to.
            area_shape: geometry of an area by its id, for fences.
            monotonic: seconds that only pass; with it, jumps of the clock move no timer. Without
                it `now` is believed.
        """
        self._facts = facts or NoFacts()
        self._dated = DatedLimits(limits)
        self._fences = Fences(area_shape)
        self._steady = Steady(monotonic)
        self.load((), ())

    def load(self, rules: Sequence[Rule], states: Iterable[StoredState]) -> None:
        """Put these rules in force, with what was remembered of them; replaces everything.

        Args:
            rules: approved ones that are switched on.
            states: all that `evaluate` and `tick` ever gave, the newest of each key.
        """
        self.plan: Plan = compile_rules(rules)
        self._entities = Known()
        self._slots, self._signals = wire(self.plan, self._dated, self._entities.scopes)
        self.pairs = Pairs()
        self._memory = Memory(self.plan, self._slots, self._signals, self._entities)
        self._memory.restore(states, self.pairs)
        self._reach()
        self._memory.expect_silence()
        self._reach()
        self._memory.withdraw(self.pairs, self._holds)

    def set_limits(self, limits: Sequence[LimitTable]) -> None:
        """Dated limits from the next `load` on."""
        self._dated = DatedLimits(limits)

    def evaluate(self, rows: pa.Table, now: datetime) -> Evaluated:
        """What rows of the log mean.

        Args:
            rows: LOG_SCHEMA, in the order of seq, each row once.
            now: dates the explanations, nothing else.
        """
        if not self.plan.rules or not rows.num_rows:
            return NOTHING
        now_us = self._steady.us(us_of(now))
        fired: list[Fired] = []
        for part, deletions in split_at_deletions(rows):
            if part.num_rows:
                fired += self._run(part, now_us)
            fired += self._forget(deletions)
        return self._evaluated(fired)

    def tick(self, now: datetime) -> Evaluated:
        """What the passing of time means: delays that ran out, data that did not come."""
        now_us = self._steady.us(us_of(now))
        samples = {}
        for number, unit in enumerate(self._signals):
            aged = unit.aged(now_us)
            if aged is not None and len(aged):
                samples[number] = aged
                unit.forget_emptied(aged)
        telling = self._telling(now_us)
        fired = list(self._decide_all(telling, samples))
        for number, aged in samples.items():
            unit = self._signals[number]
            self._memory.touch(number, unit.store(aged, unit.binding.epochs(aged.us)))
        for pair in list(self.pairs.pending.values()):
            fired += self._settled(pair, now_us)
        return self._memory.with_withdrawn(self._evaluated(fired), now)

    def next_due(self) -> datetime | None:
        """When `tick` next has something to do, by the clock that was last told."""
        for number, unit in enumerate(self._signals):
            self._bind(number, unit.waiting())
        due = [float(pair.due_us) for pair in self.pairs.pending.values()]
        due += [unit.next_us() for unit in self._signals]
        first = min(due, default=np.inf)
        if self._memory.withdrawn:
            first = self._steady.last_us
        if not np.isfinite(first):
            return None
        return at_of(self._steady.clock_us(int(first)))

    def view(self, rule: str, entity: str, now: datetime) -> View | None:
        """How a rule stands at an entity by the newest rows; None: nothing is known of it."""
        number = self._entities.find(entity)
        plan = next((one for one in self.plan.rules if one.rule.id == rule), None)
        if number is None or plan is None:
            return None
        pair = self.pairs.make(plan.number, number)
        telling = self._telling(us_of(now))
        terms = telling.terms(plan, number, (END_ROW, 1), pair.on)
        found = verdict(plan.tree, [term.verdict for term in terms])
        due_at = at_of(pair.due_us) if pair.due_us != NEVER_US else None
        return View(pair.is_active, due_at, found, terms)

    def _run(self, rows: pa.Table, now_us: int) -> list[Fired]:
        run, names = read_run(
            rows, self.plan.slots, self._number, np.arange(rows.num_rows, dtype=np.int64)
        )
        self._unbind(rows)
        if not len(run):
            return []
        self._reach()
        for slot in self._slots:
            slot.rows = slot_rows(run, slot.slot, names, slot.state, needs_number=slot.needs_number)
        samples = {}
        for number, unit in enumerate(self._signals):
            found = unit.samples(run, self._fences)
            if found is not None and len(found):
                samples[number] = found
        fired = list(self._decide_all(self._telling(now_us), samples))
        touched = self._keep(samples)
        for pair in list(self.pairs.pending.values()):
            if pair.entity in touched:
                fired += self._settled(pair, self._clock_us(pair))
        return fired

    def _keep(self, samples: dict[int, Samples]) -> set[int]:
        """Remember the newest of everything; gives the entities that had rows."""
        for number, found in samples.items():
            unit = self._signals[number]
            self._memory.touch(number, unit.store(found, unit.binding.epochs(found.us)))
        for slot in self._slots:
            if slot.rows is not None and slot.store is not None:
                slot.settle_points()
        for unit in self._signals:
            unit.note_points()
        touched: set[int] = set()
        for place, slot in enumerate(self._slots):
            entity = slot.finish()
            self._memory.touch_slot(place, entity)
            touched.update(entity.tolist())
        return touched

    def _decide_all(self, telling: Telling, samples: dict[int, Samples]) -> Iterator[Fired]:
        telling.samples = samples
        for number in samples:
            self._bind(number, samples[number].entity)
        turns = turns_of(self.plan, self._signals, samples, self.pairs)
        for moment in turns.moments():
            for rule, turned in turns.rules_at(moment, self.pairs):
                yield from self._decide(telling, rule, moment, turned)

    def _decide(
        self,
        telling: Telling,
        rule: RulePlan,
        moment: Moment,
        turned: Turned,
    ) -> Iterator[Fired]:
        row, phase, entity = moment
        pair = self.pairs.make(rule.number, entity)
        before = set(pair.on)
        is_usable = telling.usable_leaves(rule, entity, row, phase)
        pair.clock_us = max(pair.clock_us, turned.apply(pair.on))
        if len(rule.signals) > 1:
            pair.clock_us = max(pair.clock_us, telling.clock_us(rule, entity, row, phase))
        yield from settle(pair, pair.clock_us)
        leaves = [(n in pair.on) if usable else None for n, usable in enumerate(is_usable)]
        found = verdict(rule.tree, leaves)
        delay_s = rule.rule.on_delay_s if found else rule.rule.off_delay_s
        seq = telling.seq_at(rule, entity, row, phase)

        def explain(state: bool, _: int) -> tuple[str, str]:
            return telling.explain(rule, pair, (row, phase), before, state)

        yield from decide(pair, found, delay_s, seq, explain)
        self.pairs.put(pair)

    def _settled(self, pair: Pair, up_to_us: int) -> list[Fired]:
        fired = list(settle(pair, up_to_us))
        if fired:
            self.pairs.put(pair)
        return fired

    def _holds(self, rule: Rule, entity: int) -> bool:
        self._entities.look_up(np.array([entity]), self._facts)
        return self._entities.holds(rule.scope, entity)

    def _clock_us(self, pair: Pair) -> int:
        signals = self.plan.rules[pair.rule].signals
        us = max(int(self._signals[s].binding.channel.columns["us"][pair.entity]) for s in signals)
        return max(us, pair.clock_us)

    def _number(self, rows: pa.Table) -> Ints:
        return self._entities.number(rows)

    def _reach(self) -> None:
        count = len(self._entities.names)
        for slot in self._slots:
            slot.state.columns.reach(count)
        for unit in self._signals:
            unit.reach(count)

    def _bind(self, signal: int, entity: Ints) -> None:
        binding = self._signals[signal].binding
        new = binding.unbound(entity)
        if not len(new):
            return
        new = distinct(new)
        self._entities.look_up(new, self._facts)
        for one in new.tolist():
            name = self._entities.names[one]
            binding.bind(one, name, self._entities.scopes_of(one))

    def _unbind(self, rows: pa.Table) -> None:
        """What decides where rules hold has changed for these entities."""
        for entity in self._entities.moved(rows):
            for unit in self._signals:
                unit.binding.unbind(entity)

    def _forget(self, deletions: Deletions) -> list[Fired]:
        """Entities that are gone: nothing of them is watched any more."""
        fired: list[Fired] = []
        for name, at_us, seq in deletions:
            entity = self._entities.find(name)
            if entity is None:
                continue
            for slot in self._slots:
                slot.forget(entity)
            for unit in self._signals:
                unit.forget(entity)
            self._memory.forget(entity)
            for pair in list(self.pairs.at.get(entity, {}).values()):
                fired += self._ended(pair, at_us, seq)
        return fired

    def _ended(self, pair: Pair, at_us: int, seq: int) -> list[Fired]:
        rule = self.plan.rules[pair.rule]
        was_active = pair.is_active
        explanation, text = self._telling(at_us).of_deleted(rule, pair, at_us)
        gone = Pair(pair.rule, pair.entity)
        self.pairs.put(gone)
        return [Fired(gone, False, at_us, seq, explanation, text)] if was_active else []

    def _telling(self, now_us: int) -> Telling:
        names = self._entities.names
        return Telling(self.plan, self._signals, self._dated, names, now_us)

    def _evaluated(self, fired: Sequence[Fired]) -> Evaluated:
        return self._memory.evaluated(fired, self.pairs)
