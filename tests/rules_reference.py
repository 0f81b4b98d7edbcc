"""The meaning of rules, written as slowly and plainly as possible: every row decides everything
again from all rows before it. The engine on columns must say the same."""

import math
from dataclasses import dataclass, field
from typing import Any

from dothi.model.quality import USABLE
from dothi.model.rule import Rule
from dothi.model.rule_condition import (
    AllOf,
    AnyOf,
    AtLeast,
    Compare,
    Flagged,
    Geofence,
    NoData,
    Not,
    Range,
    Rate,
    Stuck,
    Window,
)

US = 1_000_000
NAMES = {1: "good", 3: "uncertain", 4: "bad", 5: "estimated", 6: "hand_entered", 9: "missing"}


@dataclass
class Row:
    """One value; `gone`: the attribute was deleted."""

    entity: str
    attribute: str
    us: int
    number: float | None
    quality: int = 1
    seq: int = 0
    gone: bool = False
    arrived: int = 0
    """Time of the commit in µs; 0: that of the observation."""

    @property
    def seen(self) -> int:
        return self.arrived or self.us

    @property
    def usable(self) -> bool:
        return self.quality in USABLE and self.number is not None and not self.gone


@dataclass
class Side:
    """A limit on one figure, with its memory."""

    condition: Any
    comparison: str
    limit: float
    deadband: float
    on: bool = False
    value: float | None = None


@dataclass
class Watch:
    """One rule at one entity."""

    rule: Rule
    rows: dict[str, list[Row]] = field(default_factory=dict)
    current: dict[str, Row] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    clock: int = -(2**62)
    active: bool = False
    due: int | None = None
    seq: int = 0
    fired: list[tuple[bool, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sides: list[Side] = []
        self.tree = self._build(self.rule.condition)

    def _build(self, c: Any) -> Any:
        if isinstance(c, Not):
            return ("not", [self._build(c.of)])
        if isinstance(c, AllOf | AnyOf | AtLeast):
            need = {AllOf: len(c.of), AnyOf: 1}.get(type(c)) or c.count
            return (need, [self._build(p) for p in c.of])
        if isinstance(c, Range):
            first, second = (">=", "<=") if c.is_inside else ("<", ">")
            both = [
                self._side(c, first, c.low, c.deadband),
                self._side(c, second, c.high, c.deadband),
            ]
            return (2 if c.is_inside else 1, both)
        comparison = getattr(c, "comparison", ">=")
        limit: Any = 1.0
        if isinstance(c, NoData):
            limit = c.for_s * US
        elif isinstance(c, Stuck):
            limit = -c.tolerance
        elif isinstance(c, Compare):
            limit = 0.0
        elif not isinstance(c, Geofence | Flagged):
            limit = c.limit
        return self._side(c, comparison, limit, getattr(c, "deadband", 0.0))

    def _side(self, c: Any, comparison: str, limit: float, deadband: float) -> Side:
        self.sides.append(Side(c, comparison, limit, deadband))
        return self.sides[-1]

    def attributes(self) -> set[str]:
        found = {s.condition.attribute for s in self.sides}
        return found | {s.condition.other for s in self.sides if isinstance(s.condition, Compare)}

    def row(self, row: Row) -> None:
        if row.attribute not in self.attributes():
            return
        self._time_passes(row)
        name = row.attribute
        self.rows.setdefault(name, []).append(row)
        newest = self.newest.get(name, -(2**62))
        if row.us >= newest or row.gone:
            self.current[name] = row
        self.newest[name] = max(newest, row.us)
        if row.gone:
            self.since.pop(name, None)
        elif row.quality != 9:
            self.since[name] = max(self.since.get(name, -(2**62)), row.seen)
        for side in self.sides:
            self._take(side, self._figure(side.condition, row))
        self._decide(max([self.clock, *self._times()]), row.seq)

    def _time_passes(self, row: Row) -> None:
        """What happened between the last row and this one."""
        at = []
        for side in self.sides:
            c = side.condition
            if c.attribute != row.attribute:
                continue
            if isinstance(c, NoData) and not row.gone and row.quality != 9:
                since = self.since.get(row.attribute)
                is_long = since is not None and row.seen - since >= side.limit
                if is_long and self._turns(side, float(row.seen - since)):
                    at.append(since + int(side.limit))
            if isinstance(c, Window | Stuck | Rate):
                points = self._points(c.attribute)
                length = self._length(c) + (not isinstance(c, Window))
                newest = max(self.newest.get(row.attribute, row.us), row.us)
                if points and points[-1].us + length <= newest:
                    is_zero = isinstance(c, Window) and c.function in ("count", "sum")
                    if self._turns(side, 0.0 if is_zero else None):
                        at.append(points[-1].us + length)
        if at:
            self._decide(max([self.clock, *at]), row.seq)

    def _turns(self, side: Side, value: float | None) -> bool:
        """Take the value; whether the verdict is another one."""
        before = side.on if side.value is not None else None
        self._take(side, value)
        return before != (side.on if side.value is not None else None)

    def _length(self, c: Any) -> int:
        return round(getattr(c, "over_s", getattr(c, "for_s", 0)) * US)

    def _points(self, name: str) -> list[Row]:
        """Usable values by time; of one time the last that came."""
        longest = max(
            [self._length(s.condition) for s in self.sides if s.condition.attribute == name],
            default=0,
        )
        by_time: dict[int, Row] = {}
        newest = -(2**62)
        for row in self.rows.get(name, []):
            newest = max(newest, row.us)
            if not row.gone and row.us >= newest - longest:
                by_time[row.us] = row
        return [by_time[us] for us in sorted(by_time) if by_time[us].usable]

    def _take(self, side: Side, value: float | None) -> None:
        side.value = value
        if value is None:
            return
        sign = 1 if side.comparison.startswith(">") else -1
        on = sign * side.limit
        off = on - side.deadband
        strict = len(side.comparison) == 1
        v = sign * value
        if v > on or (v == on and not strict):
            side.on = True
        elif v < off or (v == off and strict):
            side.on = False

    def _figure(self, c: Any, row: Row) -> float | None:
        current = self.current.get(c.attribute)
        if isinstance(c, NoData):
            if c.attribute not in self.since:
                return None
            if row.attribute == c.attribute and self.since[c.attribute] == row.seen:
                return 0.0 if row.quality != 9 else self._kept(c)
            return self._kept(c)
        if isinstance(c, Window | Stuck | Rate):
            return self._window(c, row)
        if current is None:
            return None
        if isinstance(c, Flagged):
            quality = 9 if current.gone else current.quality
            return None if current.gone else float(NAMES[quality] in c.flags)
        if isinstance(c, Compare):
            other = self.current.get(c.other)
            if not current.usable or other is None or not other.usable:
                return None
            if c.within_s and abs(current.us - other.us) > c.within_s * US:
                return None
            assert current.number is not None and other.number is not None
            return current.number - (other.number * c.factor + c.offset)
        return current.number if current.usable else None

    def _kept(self, c: Any) -> float | None:
        return next(s.value for s in self.sides if s.condition is c)

    def _window(self, c: Any, row: Row) -> float | None:
        if row.attribute != c.attribute:
            return self._kept(c)
        if row.gone:
            return None
        at, length = self.newest[c.attribute], self._length(c)
        points = self._points(c.attribute)
        first = at - length - (not isinstance(c, Window))
        inside = [p for p in points if first < p.us <= at]
        values = [p.number for p in inside if p.number is not None]
        if isinstance(c, Rate):
            if len(inside) < 2:
                return None
            return (values[-1] - values[0]) * c.per_s / ((inside[-1].us - inside[0].us) / 1e6)
        if isinstance(c, Stuck):
            if len(inside) < c.min_count or points[0].us > at - length:
                return None
            return min(values) - max(values)
        if c.function == "count":
            return float(sum(c.where is None or _meets(c.where, v) for v in values))
        if c.function == "sum":
            return math.fsum(values)
        if len(values) < max(c.min_count, 1):
            return None
        folds = {"mean": lambda v: math.fsum(v) / len(v), "min": min, "max": max}
        return float(folds[c.function](values))

    def _times(self) -> list[int]:
        found = []
        for side in self.sides:
            c = side.condition
            if isinstance(c, NoData):
                found.append(self.since.get(c.attribute, -(2**62)))
            elif isinstance(c, Window | Stuck | Rate):
                found.append(self.newest.get(c.attribute, -(2**62)))
            else:
                names = [c.attribute] + ([c.other] if isinstance(c, Compare) else [])
                found += [self.current[n].us for n in names if n in self.current]
        return found

    def _verdict(self, node: Any) -> bool | None:
        if isinstance(node, Side):
            return None if node.value is None else node.on
        kind, parts = node
        found = [self._verdict(p) for p in parts]
        if kind == "not":
            return None if found[0] is None else not found[0]
        if found.count(True) >= kind:
            return True
        return None if found.count(True) + found.count(None) >= kind else False

    def _decide(self, clock: int, seq: int) -> None:
        self.clock = clock
        self.settle(clock)
        verdict = self._verdict(self.tree)
        if verdict is None or verdict == self.active:
            self.due = None
        elif self.due is None:
            delay = self.rule.on_delay_s if verdict else self.rule.off_delay_s
            self.due, self.seq = clock + round(delay * US), seq
            self.settle(clock)

    def settle(self, clock: int) -> None:
        if self.due is not None and self.due <= clock:
            self.active = not self.active
            self.fired.append((self.active, self.due, self.seq))
            self.due = None


def _meets(where: Any, value: float) -> bool:
    return {
        ">": value > where.limit,
        ">=": value >= where.limit,
        "<": value < where.limit,
        "<=": value <= where.limit,
    }[where.comparison]


def run(rules: list[Rule], rows: list[Row]) -> dict[tuple[str, str], list[tuple[bool, int]]]:
    """Transitions of each rule and entity: new state and time in µs."""
    watches: dict[tuple[str, str], Watch] = {}
    for row in rows:
        for rule in rules:
            if rule.scope.ids and row.entity not in rule.scope.ids:
                continue
            watch = watches.setdefault((rule.id, row.entity), Watch(rule))
            watch.row(row)
    return {
        key: [(is_active, at) for is_active, at, _ in w.fired]
        for key, w in watches.items()
        if w.fired
    }
