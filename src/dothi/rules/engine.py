"""Rules over columns: rows of the log go in, transitions come out.

Time is that of the observations: a delay has passed when a newer observation of the same rule and
entity says so, or when `tick` is told that it is so late. So it does not matter how the log is cut
into runs: the same rows give the same transitions. `evaluate` never looks at the clock of the
machine except to date what it explains.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
from msgspec import Struct

from dothi.model.moments import at_of, us_of
from dothi.model.rule import LimitTable, Rule
from dothi.model.transition import NOTHING, Evaluated, StoredState
from dothi.rules.arrays import NEVER_US
from dothi.rules.entities import split_at_deletions
from dothi.rules.explanation import Term
from dothi.rules.fences import AreaShape, Fences
from dothi.rules.limits import DatedLimits
from dothi.rules.pairs import Fired
from dothi.rules.plan import Plan, compile_rules, verdict
from dothi.rules.scope import Facts, NoFacts
from dothi.rules.steady import Steady
from dothi.rules.wording import NO_WORDS, Vocabulary
from dothi.rules.works import Works

END_ROW = 2**40
"""Place after all rows."""


class View(Struct, frozen=True):
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
        vocabulary: Vocabulary = NO_WORDS,
    ) -> None:
        """
        Args:
            facts: types and areas of entities.
            limits: dated limits that rules refer to.
            area_shape: geometry of an area by its id, for fences.
            monotonic: seconds that only pass; with it, jumps of the clock move no timer. Without
                it `now` is believed.
            vocabulary: names and units of attributes, for texts.
        """
        self._facts = facts or NoFacts()
        self._dated = DatedLimits(limits)
        self._fences = Fences(area_shape)
        self._steady = Steady(monotonic)
        self._vocabulary = vocabulary
        self.load((), ())

    def load(self, rules: Sequence[Rule], states: Iterable[StoredState]) -> None:
        """Put these rules in force, with what was remembered of them; replaces everything.

        Args:
            rules: approved ones that are switched on.
            states: all that `evaluate` and `tick` ever gave, the newest of each key.
        """
        self.plan: Plan = compile_rules(rules)
        self._works = Works(
            *(self.plan, self._dated, self._facts, self._fences, states), self._vocabulary
        )

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
        if self._works.entities.concern_nobody(rows):
            return NOTHING
        now_us = self._steady.us(us_of(now))
        works = self._works
        fired: list[Fired] = []
        for part, deletions in split_at_deletions(rows):
            if part.num_rows:
                fired += works.run(part, now_us)
            fired += works.forget(deletions)
        return works.memory.evaluated(fired, works.pairs)

    def tick(self, now: datetime) -> Evaluated:
        """What the passing of time means: delays that ran out, data that did not come."""
        now_us = self._steady.us(us_of(now))
        works = self._works
        fired = works.age(now_us)
        return works.memory.with_withdrawn(works.memory.evaluated(fired, works.pairs), now)

    def next_due(self) -> datetime | None:
        """When `tick` next has something to do, by the clock that was last told."""
        first = self._works.next_us()
        if self._works.memory.withdrawn:
            first = self._steady.last_us
        if not np.isfinite(first):
            return None
        return at_of(self._steady.clock_us(int(first)))

    def view(self, rule: str, entity: str, now: datetime) -> View | None:
        """How a rule stands at an entity by the newest rows; None: nothing is known of it."""
        number = self._works.entities.find(entity)
        plan = next((one for one in self.plan.rules if one.rule.id == rule), None)
        if number is None or plan is None:
            return None
        pair = self._works.pairs.make(plan.number, number)
        telling = self._works.telling(us_of(now))
        terms = telling.terms(plan, number, (END_ROW, 1), pair.on)
        found = verdict(plan.tree, [term.verdict for term in terms])
        due_at = at_of(pair.due_us) if pair.due_us != NEVER_US else None
        return View(pair.is_active, due_at, found, terms)
