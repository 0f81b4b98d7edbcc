"""Rules that only set limits to one number, over a long history: no row is looked at twice.

Rows become *marks*: how a number stands to the limits. A row with the same mark as the one before
changes nothing, so only the others are kept, from pieces of the history that are read side by side
and in any order. What is left is the same as what the engine would have decided on, and delays are
a matter of how long it stayed so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np

from dothi.model.moments import at_of, us_of
from dothi.model.quality import USABLE
from dothi.model.rule import Rule
from dothi.model.rule_condition import DatedLimit
from dothi.model.series import RawQuery, ScanQuery, SeriesKey
from dothi.ports.history import Scans, Stretches
from dothi.rules.arrays import Floats, Ints
from dothi.rules.firings import STILL_US, Firings, Told
from dothi.rules.limits import DatedLimits, edges
from dothi.rules.pairs import Pair
from dothi.rules.plan import Plan, RulePlan, compile_rules, verdict
from dothi.rules.scope import ScopeIndex
from dothi.rules.telling import Known, Telling
from dothi.rules.wiring import wire

MOST_LEAVES = 3
_UNUSABLE = 64
_IS_USABLE = np.zeros(256, np.bool_)
_IS_USABLE[list(USABLE)] = True


@dataclass(frozen=True, slots=True)
class Marks:
    """Rows at which the mark of a series changes, or a stretch begins."""

    k: Ints
    us: Ints
    mark: Ints
    """Bit n: leaf n is on; bit 3 + n: within its deadband; _UNUSABLE: undecidable."""


@dataclass(frozen=True, slots=True)
class _Folded:
    marks: Marks
    stretches: tuple[Ints, Ints, Ints, Ints]
    """Of each: series, first and last time, rows."""


@dataclass(frozen=True, slots=True)
class Swept:
    firings: Firings
    rows: int
    left: list[str]
    """Entities that were not looked at: their rows in different files lie between each other, or
    a limit of theirs is not known all the time."""


@dataclass(frozen=True)
class Levels:
    """A rule of that kind."""

    rule: Rule
    plan: Plan
    dated: DatedLimits

    @property
    def one(self) -> RulePlan:
        return self.plan.rules[0]

    def sweep(
        self,
        entities: Sequence[str],
        span: tuple[datetime, datetime],
        history: Scans,
        is_cancelled: Callable[[], bool],
    ) -> Swept:
        """What the rule would have done at these entities (sorted), seen from the end."""
        slot = self.plan.signals[0].slot
        limits = self._limits_over(entities, span)
        is_known = np.all([~np.isnan(one).any(axis=0) for _, _, one in limits], axis=0)
        names = [name for name, known in zip(entities, is_known.tolist(), strict=True) if known]
        slot = self.plan.signals[0].slot
        series = tuple(SeriesKey(name, slot.attribute, slot.dataset) for name in names)
        parts: list[_Folded] = []
        for start_at, end_at, limit in limits:
            own = _Limits(self.one, limit[:, is_known])

            def fold(some: Stretches, own: _Limits = own) -> _Folded | None:
                return None if is_cancelled() else own.fold(some)

            query = ScanQuery(series, start_at, end_at, own.all_edges())
            parts += [one for one in history.scan(query, fold) if one is not None]
        k, first_us, last_us, rows = _together([one.stretches for one in parts], 4)
        tangled = _tangled(k, first_us, last_us)
        marks = _together([(one.marks.k, one.marks.us, one.marks.mark) for one in parts], 3)
        is_plain = ~np.isin(marks[0], tangled)
        found = self._firings(Marks(*(c[is_plain] for c in marks)), us_of(span[1]), series, history)
        left = [name for name, known in zip(entities, is_known.tolist(), strict=True) if not known]
        left += [names[n] for n in tangled.tolist()]
        return Swept(found, int(rows[~np.isin(k, tangled)].sum()), sorted(left))

    def _limits_over(
        self, entities: Sequence[str], span: tuple[datetime, datetime]
    ) -> list[tuple[datetime, datetime, Floats]]:
        """Times between which no limit changes, with those that are valid then."""
        start_us, end_us = us_of(span[0]), us_of(span[1])
        has_dated = any(isinstance(leaf.limit, DatedLimit) for leaf in self.one.leaves)
        inside = [us for us in self.dated.edges_us if has_dated and start_us < us < end_us]
        times = [start_us, *inside, end_us]
        return [
            (at_of(low), at_of(high), self._limits(entities, low)) for low, high in pairwise(times)
        ]

    def _limits(self, entities: Sequence[str], us: int) -> Floats:
        """Limit of each leaf at each entity from that time on; NaN: unknown."""
        found = np.empty((len(self.one.leaves), len(entities)))
        for n, leaf in enumerate(self.one.leaves):
            if not isinstance(leaf.limit, DatedLimit):
                found[n] = leaf.limit
                continue
            for place, entity in enumerate(entities):
                limit = self.dated.find(leaf.limit, entity, us)
                found[n, place] = np.nan if limit is None else limit.value
        return found

    def _firings(
        self, marks: Marks, end_us: int, series: Sequence[SeriesKey], history: Scans
    ) -> Firings:
        found = _Decided.of(self.one, marks, end_us)

        def tell(n: int) -> Told:
            return self._tell(series[int(found.k[n])], found, n, end_us, history)

        names = [one.entity for one in series]
        at = np.arange(len(found.k))
        return Firings(names, found.k, found.start_us, found.end_us, tell, at).ordered()

    def _tell(self, key: SeriesKey, found: "_Decided", n: int, end_us: int, history: Scans) -> Told:
        """As the engine would have told it: from the row that decided."""
        decided_us = int(found.decided_us[n])
        query = RawQuery((key,), at_of(decided_us), at_of(decided_us + 1))
        row = history.raw(query).to_pylist()[0]
        _, units = wire(self.plan, self.dated, ScopeIndex())
        known = Known(decided_us, row["number"], True, row["seq"])
        telling = _OneRow(self.plan, units, self.dated, [key.entity], end_us)
        telling.row = known
        before = {leaf for leaf in range(len(self.one.leaves)) if int(found.before[n]) >> leaf & 1}
        pair = Pair(0, 0, clock_us=decided_us, due_us=int(found.start_us[n]))
        explanation, text = telling.explain(self.one, pair, (0, 1), before, True)
        return text, explanation


class _OneRow(Telling):
    """Where one row is all that there is to know."""

    row: Known

    def known(self, signal: int, entity: int, row: int, phase: int) -> Known:
        """See Telling."""
        return self.row


def levels_of(rule: Rule, dated: DatedLimits) -> Levels | None:
    """None: the rule is of another kind."""
    plan = compile_rules([rule])
    if len(plan.signals) != 1 or len(plan.leaves) > MOST_LEAVES:
        return None
    signal = plan.signals[0]
    is_plain = signal.kind == "value" and not signal.slot.sources
    # A place decides where rules hold, so it is never just a number.
    return Levels(rule, plan, dated) if is_plain and signal.slot.attribute != "location" else None


class _Limits:
    """The limits of the leaves between two days on which some change."""

    def __init__(self, rule: RulePlan, limits: Floats) -> None:
        """limits: leaf, series."""
        self._leaves = rule.leaves
        self._count = limits.shape[1]
        self._edges: list[tuple[Floats, Floats]] = []
        for leaf, limit in zip(rule.leaves, limits, strict=True):
            distinct, place = np.unique(limit, return_inverse=True)
            both = np.array([edges(leaf, one) for one in distinct.tolist()]).reshape(-1, 2)
            on, off = both[:, 0], both[:, 1]
            is_one = len(distinct) == 1
            self._edges.append((on, off) if is_one else (on[place], off[place]))

    def all_edges(self) -> tuple[float, ...]:
        """Numbers that lie between the same two have the same mark at every series."""
        found: set[float] = set()
        for leaf, both in zip(self._leaves, self._edges, strict=True):
            for edge in np.unique(np.concatenate(both)).tolist():
                # -v >= e is v <= -e, which ends with the next number.
                found.add(edge if leaf.sign > 0 else float(np.nextafter(-edge, np.inf)))
        return tuple(sorted(found))

    def fold(self, some: Stretches) -> _Folded:
        """The rows that count of some rows."""
        mark = self._marks(some)
        changes = np.empty(len(mark), np.bool_)
        np.not_equal(mark[1:], mark[:-1], out=changes[1:])
        changes[some.starts] = True
        at = np.flatnonzero(changes)
        k = some.k[np.searchsorted(some.starts, at, side="right") - 1]
        last = np.append(some.starts[1:], len(mark)) - 1
        stretches = (some.k, some.us[some.starts], some.us[last], some.rows)
        return _Folded(Marks(k, some.us[at], mark[at].astype(np.int64)), stretches)

    def _marks(self, some: Stretches) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        number = some.number
        counts = np.diff(np.append(some.starts, len(number)))
        mark = np.zeros(len(number), np.uint8)
        for n, (leaf, both) in enumerate(zip(self._leaves, self._edges, strict=True)):
            on, off = (e if len(e) == 1 else np.repeat(e[some.k], counts) for e in both)
            value = number if leaf.sign > 0 else -number
            is_on = value >= on
            mark |= is_on.view(np.uint8) << np.uint8(n)
            if leaf.deadband:
                mark |= (~is_on & (value >= off)).view(np.uint8) << np.uint8(MOST_LEAVES + n)
        is_bad = ~np.isfinite(number)
        if isinstance(some.quality, int):
            is_bad |= not _IS_USABLE[some.quality]
        else:
            is_bad |= ~_IS_USABLE[some.quality]
        mark[is_bad] = _UNUSABLE
        return mark


@dataclass(frozen=True, slots=True)
class _Decided:
    """When the rule became active."""

    k: Ints
    decided_us: Ints
    start_us: Ints
    end_us: Ints
    before: Ints
    """Leaves that were on before the row that decided, as bits."""

    @staticmethod
    def of(rule: RulePlan, marks: Marks, end_us: int) -> "_Decided":
        """From marks in any order."""
        order = np.lexsort((marks.us, marks.k))
        k, us, mark = marks.k[order], marks.us[order], marks.mark[order]
        on = _leaves_on(k, mark, len(rule.leaves))
        table = [_truth(rule, bits) for bits in range(2 ** len(rule.leaves))]
        state = np.where(mark == _UNUSABLE, -1, np.array(table, np.int64)[on])
        starts = np.append(True, k[1:] != k[:-1])[: len(k)]
        before = np.append(0, on[:-1])[: len(k)]
        before[starts] = 0
        begins = starts | np.append(True, state[1:] != state[:-1])[: len(k)]
        k, us, state, before = k[begins], us[begins], state[begins], before[begins]
        # How long it stayed so decides whether a delay ran out.
        until = np.append(us[1:], end_us)[: len(us)]
        until[np.flatnonzero(k[1:] != k[:-1])] = end_us
        one = rule.rule
        delays = [round(one.off_delay_s * 1e6), round(one.on_delay_s * 1e6), 0]
        at_us = us + np.array(delays)[state]
        lasted = (state >= 0) & (at_us <= until)
        k, us, state, at_us, before = (c[lasted] for c in (k, us, state, at_us, before))
        was = np.append(0, state[:-1])[: len(state)]
        was[np.append(True, k[1:] != k[:-1])[: len(k)]] = 0
        turns = state != was
        k, us, state, at_us, before = (c[turns] for c in (k, us, state, at_us, before))
        is_begin = state == 1
        follows = np.append((k[1:] == k[:-1]), False)[: len(k)]
        ends = np.where(follows, np.append(at_us[1:], 0)[: len(k)], STILL_US)
        return _Decided(
            k[is_begin], us[is_begin], at_us[is_begin], ends[is_begin], before[is_begin]
        )


def _truth(rule: RulePlan, bits: int) -> int:
    return int(verdict(rule.tree, [bool(bits >> n & 1) for n in range(len(rule.leaves))]) is True)


def _leaves_on(k: Ints, mark: Ints, leaves: int) -> Ints:
    """Which leaves are on after each mark, as bits; in its deadband a leaf stays as it was."""
    places = np.arange(len(k))
    starts = np.append(True, k[1:] != k[:-1])[: len(k)]
    begin = np.maximum.accumulate(np.where(starts, places, 0)) if len(k) else places
    found = np.zeros(len(k), np.int64)
    for n in range(leaves):
        is_said = (mark != _UNUSABLE) & (mark >> (MOST_LEAVES + n) & 1 == 0)
        last = np.maximum.accumulate(np.where(is_said, places, -1)) if len(k) else places
        is_on = (last >= begin) & (mark[np.maximum(last, 0)] >> n & 1 == 1)
        found |= is_on.astype(np.int64) << n
    return found


def _tangled(k: Ints, first_us: Ints, last_us: Ints) -> Ints:
    """Series of which some stretches overlap in time."""
    order = np.lexsort((last_us, first_us, k))
    k, first_us, last_us = k[order], first_us[order], last_us[order]
    if len(k) < 2:
        return k[:0]
    # In order of their beginnings it is enough to look at neighbours for some overlap.
    return np.unique(k[1:][(k[1:] == k[:-1]) & (first_us[1:] <= last_us[:-1])])


def _together(parts: Sequence[tuple[Ints, ...]], columns: int) -> tuple[Ints, ...]:
    if not parts:
        return tuple(np.zeros(0, np.int64) for _ in range(columns))
    return tuple(np.concatenate(one) for one in zip(*parts, strict=True))
