"""One rule at one entity: verdict, delays, and what became of them."""

from collections.abc import Callable

import msgspec
import numpy as np
from msgspec import Struct, field

from dothi.model.rule import Words
from dothi.rules.arrays import NEVER_US, Ints
from dothi.rules.pending import Pending

_ENTITY_BITS = 32
NOTHING = ("", Words())


class _Stored(msgspec.Struct, array_like=True):
    version: int
    on: list[int]
    is_active: bool
    clock_us: int
    due_us: int
    seq: int
    explanation: str = ""
    """This and the texts: as they were stored before there was `pending`."""
    text: str = ""
    text_en: str = ""
    pending: Pending | None = None


class Pair(Struct):
    """What is remembered; it is forgotten when nothing of it is true, active or pending."""

    rule: int
    entity: int
    on: set[int] = field(default_factory=set)
    """Leaves that are on."""
    is_active: bool = False
    clock_us: int = NEVER_US
    """Newest time that is known to have passed here."""
    due_us: int = NEVER_US
    """When the pending change takes place; NEVER_US: none is pending."""
    seq: int = 0
    """Row that started the pending change."""
    pending: Pending | None = None
    """What was known when it was decided."""
    told: tuple[str, Words] = NOTHING
    """Explanation and text of what an earlier version of the program left pending."""

    @property
    def key(self) -> int:
        return (self.rule << _ENTITY_BITS) | self.entity

    @property
    def is_idle(self) -> bool:
        return not (self.on or self.is_active or self.due_us != NEVER_US)

    def await_nothing(self) -> None:
        """No change is pending."""
        if self.due_us != NEVER_US:
            self.due_us, self.pending, self.told = NEVER_US, None, NOTHING

    def pack(self, version: int) -> bytes:
        if self.is_idle:
            return b""
        explanation, text = self.told
        stored = _Stored(
            version, sorted(self.on), self.is_active, self.clock_us, self.due_us, self.seq,
            explanation, text.vi, text.en, self.pending,
        )  # fmt: skip
        return msgspec.msgpack.encode(stored)

    @staticmethod
    def active_version(body: bytes) -> int:
        """Version of the rule that is active; 0: none is."""
        stored = msgspec.msgpack.decode(body, type=_Stored)
        return stored.version if stored.is_active else 0

    @staticmethod
    def unpack(rule: int, entity: int, version: int, body: bytes) -> "Pair":
        """Raises msgspec.DecodeError: not what `pack` made.

        Of another version of the rule only remains whether an alarm is on: its limits and terms
        may mean something else.
        """
        stored = msgspec.msgpack.decode(body, type=_Stored)
        pair = Pair(rule, entity, is_active=stored.is_active, clock_us=stored.clock_us)
        if stored.version == version:
            pair.on = set(stored.on)
            pair.due_us, pair.seq = stored.due_us, stored.seq
            pair.pending = stored.pending
            pair.told = stored.explanation, Words(vi=stored.text, en=stored.text_en)
        return pair


class Fired(Struct, frozen=True):
    """A pair became active, or returned to normal."""

    pair: Pair
    is_active: bool
    at_us: int
    seq: int
    explanation: str
    text: Words


Tell = Callable[[Pair], tuple[str, Words]]
"""Explanation (JSON) and text of the pending change of a pair."""


def decide(
    pair: Pair, verdict: bool | None, delay_us: int, seq: int, seen: Callable[[bool], Pending]
) -> None:
    """Take a verdict at the pair's clock; `delay_us` is the one that such a change must wait for.
    What is known then is asked for when the verdict is news."""
    if verdict is None or verdict == pair.is_active:
        pair.await_nothing()
    elif pair.due_us == NEVER_US:
        pair.due_us, pair.seq = pair.clock_us + delay_us, seq
        pair.pending = seen(verdict)


def settle(pair: Pair, up_to_us: int, tell: Tell) -> Fired | None:
    """What was pending takes place when its time has come."""
    if pair.due_us == NEVER_US or pair.due_us > up_to_us:
        return None
    pair.is_active = not pair.is_active
    explanation, text = tell(pair)
    fired = Fired(pair, pair.is_active, pair.due_us, pair.seq, explanation, text)
    pair.await_nothing()
    return fired


class Pairs:
    """All pairs of which something is remembered."""

    def __init__(self) -> None:
        self._all: dict[int, Pair] = {}
        self.at: dict[int, dict[int, Pair]] = {}
        """Entity -> rule -> pair."""
        self.pending: dict[int, Pair] = {}
        self.changed: dict[int, Pair] = {}
        """Since the states were last taken."""
        self._keys: Ints | None = None

    def get(self, rule: int, entity: int) -> Pair | None:
        return self._all.get((rule << _ENTITY_BITS) | entity)

    def make(self, rule: int, entity: int) -> Pair:
        """The pair, a new one when nothing is remembered."""
        pair = self.get(rule, entity)
        return Pair(rule, entity) if pair is None else pair

    def put(self, pair: Pair) -> None:
        """Remember what became of it, or forget it."""
        key = pair.key
        was_there = key in self._all
        if pair.is_idle:
            if not was_there:
                return
            del self._all[key]
            of_entity = self.at[pair.entity]
            del of_entity[pair.rule]
            if not of_entity:
                del self.at[pair.entity]
        elif not was_there or self._all[key] is not pair:
            self._all[key] = pair
            self.at.setdefault(pair.entity, {})[pair.rule] = pair
        if pair.due_us == NEVER_US:
            self.pending.pop(key, None)
        else:
            self.pending[key] = pair
        self.changed[key] = pair
        self._keys = None if pair.is_idle or not was_there else self._keys

    def is_known(self, rule: Ints, entity: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which pairs are remembered."""
        if self._keys is None:
            self._keys = np.sort(np.fromiter(self._all, np.int64, len(self._all)))
        return np.isin((rule << _ENTITY_BITS) | entity, self._keys)

    def __len__(self) -> int:
        return len(self._all)
