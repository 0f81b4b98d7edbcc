"""Rules that only set limits to one number, over a long history: no row is looked at twice.

Rows become *marks*: how a number stands to the limits. A row with the same mark as the one before
changes nothing, so only the others are kept, from pieces of the history that are read side by side
and in any order. What is left is the same as what the engine would have decided on, and delays are
a matter of how long it stayed so.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise

import numpy as np
from msgspec import Struct

from dothi.model.moments import at_of, us_of
from dothi.model.quality import USABLE
from dothi.model.rule import Rule, Words
from dothi.model.rule_condition import DatedLimit
from dothi.model.series import RawQuery, ScanQuery, SeriesKey
from dothi.ports.history import Scans, Stretches
from dothi.rules.arrays import Bools, Floats, Ints
from dothi.rules.firings import STILL_US, Firings, Told
from dothi.rules.limits import DatedLimits, edges
from dothi.rules.pairs import Pair
from dothi.rules.plan import Plan, RulePlan, compile_rules, verdict
from dothi.rules.samples import group_starts, shifted
from dothi.rules.scope import ScopeIndex
from dothi.rules.telling import Known, Telling
from dothi.rules.units_seen import UnitsSeen
from dothi.rules.wiring import wire
from dothi.rules.wording import NO_WORDS, Vocabulary

MOST_LEAVES = 3
_UNUSABLE = 64
_IS_USABLE = np.zeros(256, np.bool_)
_IS_USABLE[list(USABLE)] = True


class Marks(Struct, frozen=True):
    """Rows at which the mark of a series changes, or a stretch begins."""

    k: Ints
    us: Ints
    mark: Ints
    """Bit n: leaf n is on; bit 3 + n: within its deadband; _UNUSABLE: undecidable."""
    number: Floats
    """NaN: none, or it has to be looked up."""

    def taken(self, at: Ints | Bools) -> "Marks":
        return Marks(self.k[at], self.us[at], self.mark[at], self.number[at])


class _Folded(Struct, frozen=True):
    marks: Marks
    stretches: tuple[Ints, Ints, Ints, Ints]
    """Of each: series, first and last time, rows."""


class Swept(Struct, frozen=True):
    firings: Firings
    rows: int
    left: list[str]
    """Entities that were not looked at: their rows in different files lie between each other, or
    a limit of theirs is not known all the time."""


class Levels(Struct, frozen=True):
    """A rule of that kind."""

    rule: Rule
    plan: Plan
    dated: DatedLimits
    vocabulary: Vocabulary

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
        marks = _all_marks([one.marks for one in parts])
        marks = marks.taken(~np.isin(marks.k, tangled))
        found = self._firings(marks, us_of(span[1]), series, history)
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
            return _Told(self, series[int(found.k[n])], found, n, (end_us, history))

        names = [one.entity for one in series]
        at = np.arange(len(found.k))
        return Firings(names, found.k, found.start_us, found.end_us, tell, at).ordered()


class _Told(Struct, frozen=True):
    """As the engine would have told it, from the row that decided."""

    levels: Levels
    key: SeriesKey
    found: "_Decided"
    n: int
    seen: tuple[int, Scans]
    """When it is told, and where rows are looked up."""

    @property
    def text(self) -> str:
        return self._said().vi

    @property
    def text_en(self) -> str:
        return self._said().en

    @property
    def explanation(self) -> str:
        return self._explain(*self._row())[0]

    def _said(self) -> Words:
        number = float(self.found.number[self.n])
        unit = self.levels.vocabulary.units.get(self.key.attribute)
        is_known = unit is not None and not np.isnan(number)
        return self._explain(*((number, 1, "") if is_known else self._row()))[1]

    def _row(self) -> tuple[float, int, str]:
        """Number, seq and unit."""
        us = int(self.found.decided_us[self.n])
        query = RawQuery((self.key,), at_of(us), at_of(us + 1))
        row = self.seen[1].raw(query).to_pylist()[0]
        return row["number"], row["seq"], row["unit"] or ""

    def _explain(self, number: float, seq: int, unit: str) -> tuple[str, Words]:
        """Explanation and text."""
        levels, found, n = self.levels, self.found, self.n
        decided_us = int(found.decided_us[n])
        _, units = wire(levels.plan, levels.dated, ScopeIndex())
        seen = UnitsSeen(levels.vocabulary)
        seen.note(levels.one.leaves[0].name, unit)
        telling = _OneRow(levels.plan, units, levels.dated, [self.key.entity], self.seen[0], seen)
        telling.row = Known(decided_us, number, True, seq)
        leaves = range(len(levels.one.leaves))
        before = {leaf for leaf in leaves if int(found.before[n]) >> leaf & 1}
        pair = Pair(0, 0, clock_us=decided_us, due_us=int(found.start_us[n]))
        pair.pending = telling.seen(levels.one, (0, 1, pair.entity), before, decided_us, True)
        return telling.told(pair)


class _OneRow(Telling):
    """Where one row is all that there is to know."""

    row: Known

    def known(self, signal: int, entity: int, row: int, phase: int) -> Known:
        """See Telling."""
        return self.row


def levels_of(rule: Rule, dated: DatedLimits, vocabulary: Vocabulary = NO_WORDS) -> Levels | None:
    """None: the rule is of another kind."""
    plan = compile_rules([rule])
    if len(plan.signals) != 1 or len(plan.leaves) > MOST_LEAVES:
        return None
    signal = plan.signals[0]
    is_plain = signal.kind == "value" and not signal.slot.sources
    # A place decides where rules hold, so it is never just a number.
    if not is_plain or signal.slot.attribute == "location":
        return None
    return Levels(rule, plan, dated, vocabulary)


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
        number = some.number[at] if some.is_exact else np.full(len(at), np.nan)
        return _Folded(Marks(k, some.us[at], mark[at].astype(np.int64), number), stretches)

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


class _Decided(Struct, frozen=True):
    """When the rule became active."""

    k: Ints
    decided_us: Ints
    start_us: Ints
    end_us: Ints
    before: Ints
    """Leaves that were on before the row that decided, as bits."""

    number: Floats

    @staticmethod
    def of(rule: RulePlan, marks: Marks, end_us: int) -> "_Decided":
        """From marks in any order."""
        marks = marks.taken(np.lexsort((marks.us, marks.k)))
        on = _leaves_on(marks, len(rule.leaves))
        table = [_truth(rule, bits) for bits in range(2 ** len(rule.leaves))]
        state = np.where(marks.mark == _UNUSABLE, -1, np.array(table, np.int64)[on])
        before = shifted(on, group_starts(marks.k), np.zeros_like(on))
        at = np.flatnonzero(group_starts(marks.k) | group_starts(state))
        # How long it stayed so decides whether a delay ran out.
        k, us, state = marks.k[at], marks.us[at], state[at]
        until = np.append(us[1:], end_us)[: len(us)]
        until[np.append(group_starts(k)[1:], True)[: len(k)]] = end_us
        delays_us = np.array(
            [round(d * 1e6) for d in (rule.rule.off_delay_s, rule.rule.on_delay_s)]
        )
        at_us = us + delays_us[state]
        lasted = np.flatnonzero((state >= 0) & (at_us <= until))
        k, state, at_us, at = k[lasted], state[lasted], at_us[lasted], at[lasted]
        was = shifted(state, group_starts(k), np.zeros_like(state))
        turns = np.flatnonzero(state != was)
        k, state, at_us, at = k[turns], state[turns], at_us[turns], at[turns]
        # Ends follow beginnings.
        is_last = np.append(group_starts(k)[1:], True)[: len(k)]
        ends_us = np.where(is_last, STILL_US, np.append(at_us[1:], 0)[: len(k)])
        begun = state == 1
        row = at[begun]
        return _Decided(
            k[begun], marks.us[row], at_us[begun], ends_us[begun], before[row], marks.number[row]
        )


def _truth(rule: RulePlan, bits: int) -> int:
    return int(verdict(rule.tree, [bool(bits >> n & 1) for n in range(len(rule.leaves))]) is True)


def _leaves_on(marks: Marks, leaves: int) -> Ints:
    """Which leaves are on after each mark, as bits; in its deadband a leaf stays as it was."""
    places = np.arange(len(marks.k))
    begin = np.maximum.accumulate(np.where(group_starts(marks.k), places, 0))
    found = np.zeros(len(places), np.int64)
    for n in range(leaves):
        is_said = (marks.mark != _UNUSABLE) & (marks.mark >> (MOST_LEAVES + n) & 1 == 0)
        last = np.maximum.accumulate(np.where(is_said, places, -1))
        is_on = (last >= begin) & (marks.mark[np.maximum(last, 0)] >> n & 1 == 1)
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


def _all_marks(parts: Sequence[Marks]) -> Marks:
    ints = np.zeros(0, np.int64)
    parts = parts or [Marks(ints, ints, ints, np.zeros(0))]
    return Marks(
        np.concatenate([one.k for one in parts]),
        np.concatenate([one.us for one in parts]),
        np.concatenate([one.mark for one in parts]),
        np.concatenate([one.number for one in parts]),
    )


def _together(parts: Sequence[tuple[Ints, ...]], columns: int) -> tuple[Ints, ...]:
    if not parts:
        return tuple(np.zeros(0, np.int64) for _ in range(columns))
    return tuple(np.concatenate(one) for one in zip(*parts, strict=True))
