"""What the engine remembers over a restart, as states that are stored with the cursor.

Pairs have a state each. What all rules share (newest times, numbers, points of windows) is written
as a journal: each run adds what it touched, and every `_ROUNDS` runs one snapshot replaces it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np

from dothi.model.moments import at_of, us_of
from dothi.model.priority import Priority
from dothi.model.rule import Rule
from dothi.model.transition import NOTHING, Evaluated, StoredState, Transition
from dothi.rules.arrays import Columns, Ints
from dothi.rules.entities import Known
from dothi.rules.pairs import Fired, Pair, Pairs
from dothi.rules.plan import Plan
from dothi.rules.samples import Points
from dothi.rules.units import SignalUnit, SlotUnit

_ROUNDS = 64
_SNAPSHOT, _JOURNAL = "snapshot", "journal/"
_NONE = np.zeros(0, np.int64)


class _Part(msgspec.Struct, array_like=True):
    """Some columns of some entities, or points."""

    entities: bytes
    columns: dict[str, bytes]


class _Shared(msgspec.Struct, array_like=True):
    first: int
    """Number of the first of `names`."""
    names: list[str]
    types: dict[int, str]
    slots: dict[str, _Part]
    points: dict[str, _Part]
    signals: dict[str, _Part]
    extras: dict[str, _Part]
    forgotten: list[int]


class Memory:
    """Of one engine, from one `load` to the next."""

    def __init__(
        self, plan: Plan, slots: Sequence[SlotUnit], units: Sequence[SignalUnit], entities: Known
    ) -> None:
        self._plan, self._slots, self._units, self._entities = plan, slots, units, entities
        self._slot_touched: dict[int, list[Ints]] = {}
        self._signal_touched: dict[int, list[Ints]] = {}
        self._forgotten: list[int] = []
        self._stored_names = 0
        self._round = 0
        self.withdrawn: list[tuple[str, int, str]] = []
        """Rule, version and entity of what was active under a rule that holds there no longer."""

    def touch(self, signal: int, entities: Ints) -> None:
        self._signal_touched.setdefault(signal, []).append(entities)

    def touch_slot(self, slot: int, entities: Ints) -> None:
        self._slot_touched.setdefault(slot, []).append(entities)

    def forget(self, entity: int) -> None:
        self._forgotten.append(entity)
        for n in range(len(self._slots)):
            self.touch_slot(n, np.array([entity]))
        for n in range(len(self._units)):
            self.touch(n, np.array([entity]))

    def evaluated(self, fired: Sequence[Fired], pairs: Pairs) -> Evaluated:
        """Transitions and changed states; the changes count as stored from now on."""
        transitions = tuple(self._transition(one) for one in fired)
        states = [self._state(pair, pairs) for pair in pairs.changed.values()]
        pairs.changed = {}
        if self._slot_touched or self._signal_touched or self._forgotten:
            states += self._shared_states()
        if not (transitions or states):
            return NOTHING
        return Evaluated(transitions, tuple(states))

    def restore(self, states: Iterable[StoredState], pairs: Pairs) -> None:
        """Put back what was stored; rules that are no longer in force are left out."""
        states = list(states)
        shared = {state.entity: state.body for state in states if not state.rule and state.body}
        rules = {rule.rule.id: rule for rule in self._plan.rules}
        if _SNAPSHOT in shared:
            self._put_back(shared.pop(_SNAPSHOT))
        journal = sorted(shared, key=lambda name: int(name.removeprefix(_JOURNAL)))
        for name in journal:
            self._put_back(shared[name])
        self._round = len(journal)
        self._stored_names = len(self._entities.names)
        for state in states:
            if state.rule and state.body and state.rule not in rules:
                version = Pair.active_version(state.body)
                if version:
                    self.withdrawn.append((state.rule, version, state.entity))
            elif state.rule and state.body:
                rule = rules[state.rule]
                entity = self._entities.add(state.entity)
                version = rule.rule.version
                pairs.put(Pair.unpack(rule.number, entity, version, state.body))
        pairs.changed = {}
        # Whatever was not in a state of its own must come with the next ones.
        if not shared:
            self._round = _ROUNDS

    def expect_silence(self) -> None:
        """Entities that a rule names are missed from its approval on, also if they never sent."""
        for rule in self._plan.rules:
            since = rule.rule.approved_at
            for signal in rule.signals if since is not None else ():
                unit = self._units[signal]
                if unit.signal.kind == "silence" and since is not None:
                    named = [self._entities.add(name) for name in rule.rule.scope.ids]
                    unit.reach(len(self._entities.names))
                    unit.expect(np.array(named, np.int64), us_of(since.astimezone(UTC)))

    def withdraw(self, pairs: Pairs, holds: Callable[[Rule, int], bool]) -> None:
        """What is active, but out of the scope of its rule, ends with the next tick."""
        for of_entity in list(pairs.at.values()):
            for pair in list(of_entity.values()):
                rule = self._plan.rules[pair.rule].rule
                if pair.is_active and not holds(rule, pair.entity):
                    name = self._entities.names[pair.entity]
                    self.withdrawn.append((rule.id, rule.version, name))
                    pairs.put(Pair(pair.rule, pair.entity))
        pairs.changed = {}

    def with_withdrawn(self, found: Evaluated, now: datetime) -> Evaluated:
        """Also the ends of what is withdrawn, once."""
        if not self.withdrawn:
            return found
        gone, self.withdrawn = self.withdrawn, []
        ends = [
            Transition(
                *(rule, version, entity, False, now, 0, Priority.LOW, "", ""),
            )
            for rule, version, entity in gone
        ]
        states = [StoredState(rule, entity, b"") for rule, _, entity in gone]
        return Evaluated((*found.transitions, *ends), (*found.states, *states))

    def _transition(self, fired: Fired) -> Transition:
        rule = self._plan.rules[fired.pair.rule].rule
        return Transition(
            rule.id,
            rule.version,
            self._entities.names[fired.pair.entity],
            fired.is_active,
            at_of(fired.at_us),
            fired.seq,
            Priority(rule.priority),
            fired.text.vi,
            fired.explanation,
            fired.text.en,
        )

    def _state(self, pair: Pair, pairs: Pairs) -> StoredState:
        rule = self._plan.rules[pair.rule].rule
        current = pairs.get(pair.rule, pair.entity) or Pair(pair.rule, pair.entity)
        name = self._entities.names[pair.entity]
        return StoredState(rule.id, name, current.pack(rule.version))

    def _shared_states(self) -> list[StoredState]:
        is_full = self._round >= _ROUNDS
        body = msgspec.msgpack.encode(self._pack(is_full=is_full))
        self._stored_names = len(self._entities.names)
        self._slot_touched, self._signal_touched, self._forgotten = {}, {}, []
        for slot in self._slots:
            if slot.store is not None:
                slot.store.added = _no_points()
        if not is_full:
            self._round += 1
            return [StoredState("", f"{_JOURNAL}{self._round}", body)]
        self._round = 0
        emptied = [StoredState("", f"{_JOURNAL}{n}", b"") for n in range(1, _ROUNDS + 1)]
        return [StoredState("", _SNAPSHOT, body), *emptied]

    def _pack(self, *, is_full: bool) -> _Shared:
        count = len(self._entities.names)
        first = 0 if is_full else self._stored_names
        every = np.arange(count)
        slots, points, signals, extras = {}, {}, {}, {}
        for n, slot in enumerate(self._slots):
            some = every if is_full else _all(self._slot_touched.get(n))
            slots[repr(slot.slot)] = _part(some, slot.state.columns)
            if slot.store is not None:
                kept = slot.store.points if is_full else slot.store.added
                points[repr(slot.slot)] = _points_part(kept)
        for n, unit in enumerate(self._units):
            some = every if is_full else _all(self._signal_touched.get(n))
            signals[repr(unit.signal)] = _part(some, unit.binding.channel.columns)
            own = unit.extras()
            if own is not None:
                extras[repr(unit.signal)] = _part(some, own)
        types = {n: t for n, t in self._entities.types().items() if n >= first}
        names = self._entities.names[first:]
        gone = [] if is_full else self._forgotten
        return _Shared(first, names, types, slots, points, signals, extras, gone)

    def _put_back(self, body: bytes) -> None:
        shared = msgspec.msgpack.decode(body, type=_Shared)
        for n, name in enumerate(shared.names, shared.first):
            added = self._entities.add(name, shared.types.get(n))
            assert added == n, "entities keep their numbers"
        count = len(self._entities.names)
        for entity in shared.forgotten:
            for slot in self._slots:
                slot.forget(entity)
        for slot in self._slots:
            slot.state.columns.reach(count)
            _unpack(shared.slots.get(repr(slot.slot)), slot.state.columns)
            part = shared.points.get(repr(slot.slot))
            if part is not None and slot.store is not None:
                slot.store.add(_points_of(part))
        for unit in self._units:
            unit.reach(count)
            columns = unit.binding.channel.columns
            _unpack(shared.signals.get(repr(unit.signal)), columns)
            # No epoch is like this one: the next number is held against every limit, new ones too.
            columns["epoch"][:] = -1
            own = unit.extras()
            if own is not None:
                _unpack(shared.extras.get(repr(unit.signal)), own)


def _all(parts: list[Ints] | None) -> Ints:
    if parts and len(parts) == 1:
        return parts[0]
    return np.unique(np.concatenate(parts)) if parts else _NONE


def _part(entities: Ints, columns: Columns) -> _Part:
    return _Part(entities.tobytes(), columns.packed(entities))


def _unpack(part: _Part | None, columns: Columns) -> None:
    if part is not None:
        columns.unpack(np.frombuffer(part.entities, np.int64), part.columns)


def _points_part(points: Points) -> _Part:
    columns = {"us": points.us, "value": points.value, "seq": points.seq}
    return _Part(points.entity.tobytes(), {n: c.tobytes() for n, c in columns.items()})


def _points_of(part: _Part) -> Points:
    columns = part.columns
    return Points(
        np.frombuffer(part.entities, np.int64),
        np.frombuffer(columns["us"], np.int64),
        np.frombuffer(columns["value"], np.float64),
        np.frombuffer(columns["seq"], np.int64),
    )


def _no_points() -> Points:
    return Points(_NONE, _NONE, np.zeros(0), _NONE)
