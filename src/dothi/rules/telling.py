"""Puts together the explanation of what fired, from the samples of the run and what was before."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import repeat

import msgspec
from msgspec import Struct

from dothi.model.rule import Rule, Words
from dothi.rules.arrays import NEVER_US
from dothi.rules.explanation import (
    Explanation,
    Input,
    Term,
    iso,
    judge,
    limit_source,
)
from dothi.rules.limits import DatedLimits
from dothi.rules.pairs import Pair
from dothi.rules.pending import Pending, Seen, kept, listed
from dothi.rules.plan import LeafPlan, Plan, RulePlan
from dothi.rules.samples import USABLE, Points, Samples
from dothi.rules.turning import Events
from dothi.rules.units import SignalUnit
from dothi.rules.units_seen import UnitsSeen
from dothi.rules.wording import said

NO_DATA, BAD_QUALITY, NO_LIMIT = "no_data", "bad_quality", "no_limit"
"""Why a term is undecidable."""
_KEPT = 64
_OWN = frozenset({"value", "flag", "fence"})
"""Figures that are the value itself."""
_encode = msgspec.json.Encoder().encode


Place = tuple[int, int, int, int]
"""Signal, entity, row, phase."""


class Known(Struct, frozen=True):
    """The newest number of a signal at an entity, at some moment."""

    us: int
    value: float
    is_usable: bool
    seq: int
    other: float | None = None
    points: Points | None = None


class Telling:
    """What was known at each moment of one run."""

    def __init__(
        self,
        plan: Plan,
        units: Sequence[SignalUnit],
        dated: DatedLimits,
        names: Sequence[str],
        now_us: int,
        seen: UnitsSeen | None = None,
    ) -> None:
        self._plan, self._units, self._dated, self._names = plan, units, dated, names
        self._seen = seen or UnitsSeen()
        self._now_us = now_us
        self._samples: Mapping[int, Samples] = {}
        self._kept: dict[Place, Known] = {}

    def look_at(self, samples: Mapping[int, Samples]) -> None:
        """Samples of the run by their signals."""
        self._samples = samples

    def known(self, signal: int, entity: int, row: int, phase: int) -> Known:
        """The signal as it stood when that row had come."""
        key = (signal, entity, row, phase)
        found = self._kept.get(key)
        if found is None:
            # A rule asks for the same moment several times, one after the other.
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = self._kept[key] = self._known(signal, entity, row, phase)
        return found

    def _known(self, signal: int, entity: int, row: int, phase: int) -> Known:
        samples = self._samples.get(signal)
        at = -1 if samples is None else samples.find(entity, row, phase)
        if samples is None or at < 0:
            return self._before(signal, entity)
        return _known_at(samples, at)

    def _before(self, signal: int, entity: int) -> Known:
        unit = self._units[signal]
        columns = unit.binding.channel.columns
        us = int(columns["us"][entity])
        other = float(columns["other"][entity]) if unit.pairing is not None else None
        return Known(
            us,
            float(columns["value"][entity]),
            bool(columns["seen"][entity] == USABLE),
            int(columns["seq"][entity]),
            other,
            unit.window_at(entity, us),
        )

    def standing(self, rule: RulePlan, entity: int, row: int, phase: int) -> tuple[list[bool], int]:
        """Which leaves of a rule have a figure, and the newest row that its signals have seen."""
        if len(rule.signals) == 1:
            known = self.known(rule.signals[0], entity, row, phase)
            return [known.is_usable] * len(rule.leaves), known.seq
        of = {signal: self.known(signal, entity, row, phase) for signal in rule.signals}
        usable = [of[leaf.signal].is_usable for leaf in rule.leaves]
        return usable, max(known.seq for known in of.values())

    def clock_us(self, rule: RulePlan, entity: int, row: int, phase: int) -> int:
        """Newest time that the signals of the rule have seen; what time brings about before a row
        comes knows nothing of that row."""
        place = (row, phase) if phase else (row - 1, 1)
        return max(self.known(s, entity, *place).us for s in rule.signals)

    def seen(
        self,
        rule: RulePlan,
        moment: tuple[int, int, int],
        before: set[int],
        decided_us: int,
        state: bool,
    ) -> Pending:
        """What is known of a pair that is to become `state`.

        Args:
            moment: row, phase and entity at which it was decided.
            before: its leaves that were on.
        """
        row, phase, entity = moment
        name = self._names[entity]
        seen = tuple(
            self._seen_of(leaf, name, self.known(leaf.signal, entity, row, phase), n in before)
            for n, leaf in enumerate(rule.leaves)
        )
        return Pending(state, decided_us, self._now_us, seen)

    def seen_at(
        self, rule: RulePlan, events: Events, n: int, was_on: bool, decided_us: int, state: bool
    ) -> Pending:
        """The same of a rule of one limit, which turned with an event."""
        us, value, seq, other = events.figure(n)
        known = Known(us, value, True, seq, other, events.points(n))
        name = self._names[events.entity[n]]
        seen = self._seen_of(rule.leaves[0], name, known, was_on)
        return Pending(state, decided_us, self._now_us, (seen,))

    def told(self, pair: Pair) -> tuple[str, Words]:
        """Explanation (JSON) and text of what is pending; what ends has only the text."""
        if pair.pending is None:
            return pair.told
        rule, name, pending = self._plan.rules[pair.rule], self._names[pair.entity], pair.pending
        deciding = _deciding(rule, pending)
        if not pending.state:
            leaf = rule.leaves[deciding]
            term = self._term(leaf, pending.seen[deciding], name, is_whole=False)
            return "", self._said(rule, leaf, term, is_active=False)
        terms = tuple(map(self._term, rule.leaves, pending.seen, repeat(name)))
        text = self._said(rule, rule.leaves[deciding], terms[deciding], is_active=True)
        one = rule.rule
        explanation = Explanation(
            rule=one.id,
            version=one.version,
            entity=name,
            is_active=True,
            decided_at=iso(pending.decided_us),
            takes_effect_at=iso(pair.due_us),
            evaluated_at=iso(pending.evaluated_us),
            tree=rule.tree,
            terms=terms,
            delay_s=one.on_delay_s,
            approved_by=one.approved_by,
            author=one.author,
            note=one.note,
        )
        return _encode(explanation).decode(), text

    def _said(self, rule: RulePlan, leaf: LeafPlan, term: Term, *, is_active: bool) -> Words:
        signal, vocabulary = self._plan.signals[leaf.signal], self._seen.vocabulary
        return said(rule.rule.name, term, signal, vocabulary, is_active=is_active)

    def terms(
        self, rule: RulePlan, entity: int, place: tuple[int, int], before: set[int]
    ) -> tuple[Term, ...]:
        """How each limit of the rule stood at the place; `before`: leaves that were on."""
        seen = self.seen(rule, (*place, entity), before, 0, True).seen
        return tuple(map(self._term, rule.leaves, seen, repeat(self._names[entity])))

    def _seen_of(self, leaf: LeafPlan, entity: str, known: Known, was_on: bool) -> Seen:
        return Seen(
            known.us,
            known.value,
            known.is_usable,
            known.seq,
            was_on,
            self._units[leaf.signal].binding.limit_at(leaf, entity, known.us),
            limit_source(leaf, entity, known.us, self._dated),
            self._seen.unit(leaf.name, known.seq),
            known.other if known.is_usable else None,
            kept(known.points),
        )

    def _term(self, leaf: LeafPlan, seen: Seen, entity: str, *, is_whole: bool = True) -> Term:
        """Whole, or only what is to be read of it."""
        signal = self._plan.signals[leaf.signal]
        value = seen.value if seen.is_usable else None
        reason = NO_LIMIT if seen.limit is None else ""
        if value is None:
            reason = NO_DATA if seen.seq <= 0 else BAD_QUALITY
        own = value if signal.kind in _OWN else None
        if seen.other is not None and value is not None:
            factor, offset = signal.numbers
            own = value + (seen.other * factor + offset)
        is_told = is_whole or seen.other is not None
        return Term(
            attribute=leaf.name,
            figure=signal.kind,
            comparison=leaf.comparison,
            limit=seen.limit,
            deadband=leaf.deadband,
            limit_source=seen.source,
            value=value,
            reason=reason,
            was_on=seen.was_on,
            verdict=_judged(leaf, seen),
            window_s=signal.window_us / 1e6,
            parameters=signal.numbers,
            counts=signal.extra if signal.kind == "count" else None,
            inputs=_input(entity, leaf, signal.slot.dataset, seen, own) if is_told else (),
            other=seen.other,
            points=_points(seen) if is_whole else (),
            unit=seen.unit,
        )


def _deciding(rule: RulePlan, pending: Pending) -> int:
    """The first leaf that decided: what stands in a list is about it."""
    if len(rule.leaves) > 1:
        for n, (leaf, one) in enumerate(zip(rule.leaves, pending.seen, strict=True)):
            if one.is_usable and _judged(leaf, one) is pending.state:
                return n
    return 0


def _judged(leaf: LeafPlan, seen: Seen) -> bool | None:
    return judge(leaf, seen.limit, seen.value if seen.is_usable else None, seen.was_on)


def _input(
    entity: str, leaf: LeafPlan, dataset: str, known: Seen, value: float | None
) -> tuple[Input, ...]:
    if known.seq <= 0 or known.us == NEVER_US:
        # Nothing came yet, or the first that came was a deletion: there is no value to name.
        return ()
    return (
        Input(
            entity=entity,
            attribute=leaf.name,
            observed_at=iso(known.us),
            seq=known.seq,
            value=value,
            dataset=dataset,
        ),
    )


def name_of(rule: Rule) -> Words:
    """All that is said of what ends because its rule holds there no longer."""
    return Words(vi=rule.name.best(), en=rule.name.en or rule.name.vi)


def _known_at(samples: Samples, at: int) -> Known:
    """The sample at this place."""
    return Known(
        int(samples.us[at]),
        float(samples.value[at]),
        bool(samples.is_usable[at]),
        int(samples.seq[at]),
        float(samples.other[at]) if len(samples.other) else None,
        samples.points_of(at),
    )


def _points(seen: Seen) -> tuple[tuple[datetime, float, int], ...]:
    if seen.points is None:
        return ()
    return tuple((iso(us), value, seq) for us, value, seq in listed(seen.points))
