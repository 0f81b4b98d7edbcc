"""The rules of one `load` at work on rows and on time."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from dothi.model.rule import Rule
from dothi.model.transition import StoredState
from dothi.rules.arrays import Ints, distinct
from dothi.rules.deciding import Deciding
from dothi.rules.entities import Deletions, Known
from dothi.rules.fences import Fences
from dothi.rules.limits import DatedLimits
from dothi.rules.memory import Memory
from dothi.rules.pairs import Fired, Pair, Pairs, settle
from dothi.rules.plan import Plan
from dothi.rules.rows import read_run, slot_rows
from dothi.rules.samples import Samples
from dothi.rules.scope import Facts
from dothi.rules.telling import Telling, name_of
from dothi.rules.turning import events_of
from dothi.rules.units_seen import UnitsSeen
from dothi.rules.wiring import wire
from dothi.rules.wording import NO_WORDS, Vocabulary


class Works:
    """Everything that an engine remembers."""

    def __init__(
        self,
        plan: Plan,
        dated: DatedLimits,
        facts: Facts,
        fences: Fences,
        states: Iterable[StoredState],
        vocabulary: Vocabulary = NO_WORDS,
    ) -> None:
        self.plan, self._dated, self._facts, self._fences = plan, dated, facts, fences
        self._seen = UnitsSeen(vocabulary)
        self.entities = Known()
        self._slots, self.signals = wire(plan, dated, self.entities.scopes)
        self.pairs = Pairs()
        self.memory = Memory(plan, self._slots, self.signals, self.entities)
        self.memory.restore(states, self.pairs)
        self._reach()
        self.memory.expect_silence()
        self._reach()
        self.memory.withdraw(self.pairs, self._holds)

    def age(self, now_us: int) -> list[Fired]:
        """What the passing of time alone means."""
        self._seen.look_away()
        samples = {}
        for number, unit in enumerate(self.signals):
            self._bind(number, unit.waiting())
            aged = unit.aged(now_us)
            if aged is not None and len(aged):
                samples[number] = aged
                unit.forget_emptied(aged)
        telling = self.telling(now_us)
        fired = self._decide_all(telling, samples)
        self._store(samples)
        for pair in list(self.pairs.pending.values()):
            fired += self._settled(telling, pair, now_us)
        return fired

    def next_us(self) -> float:
        """When `age` next has something to do; inf: never."""
        for number, unit in enumerate(self.signals):
            self._bind(number, unit.waiting())
        due = [float(pair.due_us) for pair in self.pairs.pending.values()]
        return min(due + [unit.next_us() for unit in self.signals], default=np.inf)

    def run(self, rows: pa.Table, now_us: int) -> list[Fired]:
        """Rows without deletions of whole entities."""
        places = np.arange(rows.num_rows)
        run, names = read_run(rows, self.plan.slots, self.entities.number, places)
        fired = self._rebind(rows)
        run = run.taken(self.entities.watched(run.entity, self._facts))
        if not len(run):
            return fired
        self._seen.look_at(run, self.plan.slots, names["attribute"])
        self._reach()
        for slot in self._slots:
            slot.rows = slot_rows(run, slot.slot, names, slot.state, needs_number=slot.needs_number)
        samples = {}
        for number, unit in enumerate(self.signals):
            found = unit.samples(run, self._fences)
            if found is not None and len(found):
                samples[number] = found
        telling = self.telling(now_us)
        fired += self._decide_all(telling, samples)
        touched = self._keep(samples)
        for pair in list(self.pairs.pending.values()):
            if pair.entity in touched:
                fired += self._settled(telling, pair, self._clock_us(pair))
        return fired

    def _keep(self, samples: dict[int, Samples]) -> set[int]:
        """Remember the newest of everything; gives the entities that had rows."""
        self._store(samples)
        for slot in self._slots:
            if slot.rows is not None and slot.store is not None:
                slot.settle_points()
        for unit in self.signals:
            unit.note_points()
        touched: set[int] = set()
        for place, slot in enumerate(self._slots):
            self.memory.touch_slot(place, entity := slot.finish())
            touched.update(entity.tolist())
        return touched

    def _store(self, samples: dict[int, Samples]) -> None:
        for number, found in samples.items():
            unit = self.signals[number]
            self.memory.touch(number, unit.store(found, unit.binding.epochs(found.us)))

    def _decide_all(self, telling: Telling, samples: dict[int, Samples]) -> list[Fired]:
        for number in samples:
            self._bind(number, samples[number].entity)
        events = events_of(self.plan, self.signals, samples, self.pairs)
        telling.look_at(samples)
        return Deciding(self.plan, self.pairs, telling, events).all()

    def _settled(self, telling: Telling, pair: Pair, up_to_us: int) -> list[Fired]:
        fired = settle(pair, up_to_us, telling.told)
        if fired is not None:
            self.pairs.put(pair)
        return [] if fired is None else [fired]

    def _holds(self, rule: Rule, entity: int) -> bool:
        self.entities.look_up(np.array([entity]), self._facts)
        return self.entities.holds(rule.scope, entity)

    def _clock_us(self, pair: Pair) -> int:
        signals = self.plan.rules[pair.rule].signals
        us = max(int(self.signals[s].binding.channel.columns["us"][pair.entity]) for s in signals)
        return max(us, pair.clock_us)

    def _reach(self) -> None:
        count = len(self.entities.names)
        for slot in self._slots:
            slot.state.columns.reach(count)
        for unit in self.signals:
            unit.reach(count)

    def _bind(self, signal: int, entity: Ints) -> None:
        binding = self.signals[signal].binding
        new = binding.unbound(entity)
        if not len(new):
            return
        new = distinct(new)
        self.entities.look_up(new, self._facts)
        for one in new.tolist():
            name = self.entities.names[one]
            binding.bind(one, name, self.entities.scopes_of(one))

    def _rebind(self, rows: pa.Table) -> list[Fired]:
        """What decides where rules hold has changed for some entities: what is active there under
        a rule that holds no longer ends. They are looked up as they are now, so this is the one
        thing that depends on when the rows are evaluated."""
        fired: list[Fired] = []
        for entity, at_us, seq in self.entities.moved(rows):
            for unit in self.signals:
                unit.binding.unbind(entity)
            for pair in list(self.pairs.at.get(entity, {}).values()):
                if not self._holds(self.plan.rules[pair.rule].rule, entity):
                    fired += self._ended(pair, at_us, seq)
        return fired

    def forget(self, deletions: Deletions) -> list[Fired]:
        """Entities that are gone: nothing of them is watched any more."""
        fired: list[Fired] = []
        for name, at_us, seq in deletions:
            entity = self.entities.find(name)
            if entity is None:
                continue
            for slot in self._slots:
                slot.forget(entity)
            for unit in self.signals:
                unit.forget(entity)
            self.memory.forget(entity)
            for pair in list(self.pairs.at.get(entity, {}).values()):
                fired += self._ended(pair, at_us, seq)
        return fired

    def _ended(self, pair: Pair, at_us: int, seq: int) -> list[Fired]:
        rule = self.plan.rules[pair.rule]
        was_active = pair.is_active
        gone = Pair(pair.rule, pair.entity)
        self.pairs.put(gone)
        return [Fired(gone, False, at_us, seq, "", name_of(rule.rule))] if was_active else []

    def telling(self, now_us: int) -> Telling:
        """What is known at this moment."""
        names = self.entities.names
        return Telling(self.plan, self.signals, self._dated, names, now_us, self._seen)
