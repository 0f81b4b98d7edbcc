"""One rule at one entity: verdict, delays, and what became of them."""

from collections.abc import Callable

import msgspec
import numpy as np
from msgspec import Struct, field

from dothi.model.rule import Words
from dothi.rules.arrays import NEVER_US, Ints

_ENTITY_BITS = 32
NOTHING = Words()
Tell = Callable[[], tuple[str, Words]]
"""Explanation (JSON) and text."""


class _Stored(msgspec.Struct, array_like=True):
    version: int
    on: list[int]
    is_active: bool
    clock_us: int
    due_us: int
    seq: int
    explanation: str
    text: str
    text_en: str = ""


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
    explanation: str = ""
    text: Words = NOTHING
    tell: Tell | None = None
    """Gives the two above, for as long as it is not certain that anybody will read them; what it
    knows is known only while the rows that decided are at hand."""

    @property
    def key(self) -> int:
        return (self.rule << _ENTITY_BITS) | self.entity

    @property
    def is_idle(self) -> bool:
        return not (self.on or self.is_active or self.due_us != NEVER_US)

    def be_told(self) -> None:
        """Have explanation and text of the pending change."""
        if self.tell is not None:
            self.explanation, self.text = self.tell()
            self.tell = None

    def await_nothing(self) -> None:
        """No change is pending."""
        self.due_us, self.explanation, self.text, self.tell = NEVER_US, "", NOTHING, None

    def pack(self, version: int) -> bytes:
        if self.is_idle:
            return b""
        stored = _Stored(
            version, sorted(self.on), self.is_active, self.clock_us, self.due_us, self.seq,
            self.explanation, self.text.vi, self.text.en,
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
            pair.explanation = stored.explanation
            pair.text = Words(vi=stored.text, en=stored.text_en)
        return pair


class Fired(Struct, frozen=True):
    """A pair became active, or returned to normal."""

    pair: Pair
    is_active: bool
    at_us: int
    seq: int
    explanation: str
    text: Words


Explain = Callable[[bool], Tell]
"""Given the new state of a pair whose change has just been decided."""


def decide(
    pair: Pair, verdict: bool | None, delay_s: float, seq: int, explain: Explain
) -> Fired | None:
    """Take a verdict at the pair's clock; `delay_s` is the one that such a change must wait for."""
    if verdict is None or verdict == pair.is_active:
        pair.await_nothing()
        return None
    if pair.due_us != NEVER_US:
        return None
    pair.due_us, pair.seq = pair.clock_us + round(delay_s * 1_000_000), seq
    pair.tell = explain(verdict)
    return settle(pair, pair.clock_us)


def settle(pair: Pair, up_to_us: int) -> Fired | None:
    """What was pending takes place when its time has come."""
    if pair.due_us == NEVER_US or pair.due_us > up_to_us:
        return None
    pair.is_active = not pair.is_active
    pair.be_told()
    fired = Fired(pair, pair.is_active, pair.due_us, pair.seq, pair.explanation, pair.text)
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
        self._untold: list[Pair] = []

    def be_told(self) -> None:
        """What is still pending must be told before what was known then is no longer known."""
        for pair in self._untold:
            pair.be_told()
        self._untold.clear()

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
        else:
            self._all[key] = pair
            self.at.setdefault(pair.entity, {})[pair.rule] = pair
        if pair.due_us == NEVER_US:
            self.pending.pop(key, None)
        else:
            self.pending[key] = pair
        if pair.tell is not None:
            self._untold.append(pair)
        self.changed[key] = pair
        self._keys = None if pair.is_idle or not was_there else self._keys

    def is_known(self, rule: Ints, entity: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which pairs are remembered."""
        if self._keys is None:
            self._keys = np.sort(np.fromiter(self._all, np.int64, len(self._all)))
        return np.isin((rule << _ENTITY_BITS) | entity, self._keys)

    def __len__(self) -> int:
        return len(self._all)
