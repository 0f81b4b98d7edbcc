"""Puts together the explanation of what fired, from the samples of the run and what was before."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from dothi.model.rule import Words
from dothi.rules.explanation import (
    MAX_POINTS,
    Explanation,
    Input,
    Term,
    iso,
    judge,
    limit_source,
)
from dothi.rules.limits import DatedLimits
from dothi.rules.pairs import Pair
from dothi.rules.plan import LeafPlan, Plan, RulePlan
from dothi.rules.samples import USABLE, Points, Samples
from dothi.rules.units import SignalUnit
from dothi.rules.units_seen import UnitsSeen
from dothi.rules.wording import said

NO_DATA, BAD_QUALITY, NO_LIMIT = "no_data", "bad_quality", "no_limit"
"""Why a term is undecidable."""
_KEPT = 64


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
        self.samples: Mapping[int, Samples] = {}
        """Of the signals that have some in this run."""
        self.places: Mapping[tuple[int, int, int, int], int] = {}
        """Signal, entity, row and phase -> place of the sample, of those that crossed a limit."""
        self._kept: dict[tuple[int, int, int, int], Known] = {}

    def known(self, signal: int, entity: int, row: int, phase: int) -> Known:
        """The signal as it stood when that row had come."""
        key = (signal, entity, row, phase)
        found = self._kept.get(key)
        if found is None:
            # Rules that share a signal ask for the same moment, one after the other.
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = self._kept[key] = self._known(signal, entity, row, phase)
        return found

    def _known(self, signal: int, entity: int, row: int, phase: int) -> Known:
        samples = self.samples.get(signal)
        if samples is None:
            return self._before(signal, entity)
        place = self.places.get((signal, entity, row, phase), -1)
        if place < 0:
            place = samples.find(entity, row, phase)
        if place < 0:
            return self._before(signal, entity)
        points = None
        if len(samples.low):
            low, high = int(samples.low[place]), int(samples.high[place])
            points = _cut(samples.points, low, high)
        other = float(samples.other[place]) if len(samples.other) else None
        return Known(
            int(samples.us[place]),
            float(samples.value[place]),
            bool(samples.is_usable[place]),
            int(samples.seq[place]),
            other,
            points,
        )

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

    def of_ended(self, rule: RulePlan, pair: Pair, at_us: int) -> tuple[str, Words]:
        """Of a pair that ends because its entity is gone, or out of the scope of the rule."""
        one = rule.rule
        told = Explanation(
            rule=one.id,
            version=one.version,
            entity=self._names[pair.entity],
            is_active=False,
            decided_at=iso(at_us),
            takes_effect_at=iso(at_us),
            evaluated_at=iso(self._now_us),
            tree=("withdrawn",),
            terms=(),
        )
        name = one.name
        return msgspec.json.encode(told).decode(), Words(vi=name.best(), en=name.en or name.vi)

    def explain(
        self,
        rule: RulePlan,
        moment: tuple[int, int, int],
        before: set[int],
        times: tuple[int, int],
        state: bool,
    ) -> tuple[str, Words]:
        """Explanation (JSON) and text of a pair that becomes `state`.

        Args:
            moment: row, phase and entity at which it was decided.
            before: its leaves that were on.
            times: when it was decided, and when it takes effect, in µs.
        """
        row, phase, entity = moment
        terms = self.terms(rule, entity, (row, phase), before)
        one = rule.rule
        delay_s = one.on_delay_s if state else one.off_delay_s
        told = Explanation(
            rule=one.id,
            version=one.version,
            entity=self._names[entity],
            is_active=state,
            decided_at=iso(times[0]),
            takes_effect_at=iso(times[1]),
            evaluated_at=iso(self._now_us),
            tree=rule.tree,
            terms=terms,
            delay_s=delay_s,
            approved_by=one.approved_by,
            author=one.author,
            note=one.note,
        )
        return msgspec.json.encode(told).decode(), self._said(rule, terms, is_active=state)

    def _said(self, rule: RulePlan, terms: Sequence[Term], *, is_active: bool) -> Words:
        """What stands in a list, of the first term that decided."""
        known = [n for n, one in enumerate(terms) if one.value is not None]
        deciding = next((n for n in known if terms[n].verdict is is_active), 0)
        signal = self._plan.signals[rule.leaves[deciding].signal]
        vocabulary = self._seen.vocabulary
        return said(rule.rule.name, terms[deciding], signal, vocabulary, is_active=is_active)

    def terms(
        self, rule: RulePlan, entity: int, place: tuple[int, int], before: set[int]
    ) -> tuple[Term, ...]:
        """How each limit of the rule stood at the place; `before`: leaves that were on."""
        name = self._names[entity]
        return tuple(
            self._term(leaf, name, self.known(leaf.signal, entity, *place), n in before)
            for n, leaf in enumerate(rule.leaves)
        )

    def _term(self, leaf: LeafPlan, entity: str, known: Known, was_on: bool) -> Term:
        signal = self._plan.signals[leaf.signal]
        limit = self._units[leaf.signal].binding.limit_at(leaf, entity, known.us)
        value = known.value if known.is_usable else None
        verdict = judge(leaf, limit, value, was_on)
        reason = NO_LIMIT if limit is None else ""
        if value is None:
            reason = NO_DATA if known.seq <= 0 else BAD_QUALITY
        points = _listed(known.points)
        own = known.value if known.is_usable and signal.kind in {"value", "flag", "fence"} else None
        if known.other is not None and known.is_usable:
            factor, offset = signal.numbers
            own = known.value + (known.other * factor + offset)
        return Term(
            attribute=leaf.name,
            figure=signal.kind,
            comparison=leaf.comparison,
            limit=limit,
            deadband=leaf.deadband,
            limit_source=limit_source(leaf, entity, known.us, self._dated),
            value=value,
            reason=reason,
            was_on=was_on,
            verdict=verdict,
            window_s=signal.window_us / 1e6,
            parameters=signal.numbers,
            counts=signal.extra if signal.kind == "count" else None,
            inputs=_input(entity, leaf, signal.slot.dataset, known, own),
            other=known.other if known.is_usable else None,
            points=points,
            unit=self._seen.unit(leaf.name, known.seq),
        )


def _input(
    entity: str, leaf: LeafPlan, dataset: str, known: Known, value: float | None
) -> tuple[Input, ...]:
    if known.seq <= 0:
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


def _cut(points: Points, low: int, high: int) -> Points:
    return Points(
        points.entity[low:high], points.us[low:high], points.value[low:high], points.seq[low:high]
    )


def _listed(points: Points | None) -> tuple[tuple[datetime, float, int], ...]:
    if points is None or len(points.us) > MAX_POINTS:
        return ()
    at = [iso(int(us)) for us in points.us]
    return tuple(zip(at, points.value.tolist(), points.seq.tolist(), strict=True))
