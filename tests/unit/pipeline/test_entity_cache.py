"""The cache never shows a state before a write that somebody knows of."""

import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dothi.model.condition import Compare, Comparison, HasType, Target
from dothi.model.row import Kind
from dothi.pipeline.entity_cache import EntityCache
from dothi.ports.entity_query import (
    EntitySearch,
    Expiring,
    Form,
    Found,
    Keys,
    StoredAttribute,
    StoredEntity,
)
from log_in_memory import FixedClock

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def entity(id_: str, level: float, expires_at: datetime | None = None) -> StoredEntity:
    level_row = StoredAttribute("level", "", Kind.PROPERTY, level, None, None, "MTR", NOW, NOW, NOW)
    return StoredEntity(id_, ("Gauge",), ("/VN",), NOW, NOW, expires_at, (level_row,))


class Store:
    """ports.entity_query.Entities over a dictionary; `during` runs inside a load."""

    def __init__(self) -> None:
        self.held: dict[str, StoredEntity] = {}
        self.loads = 0
        self.during = lambda: None
        self.ends: list[Expiring] = []

    def find(self, search: EntitySearch) -> list[str]:
        found = sorted(self.held)
        self.during()
        return found

    def glance(self, searches: Sequence[EntitySearch]) -> list[list[str] | None]:
        return [self.find(search) if search.offset else None for search in searches]

    def count(self, search: EntitySearch) -> int:
        found = len(self.held)
        self.during()
        return found

    def expiring(self, until: datetime, limit: int) -> list[Expiring]:
        return self.ends

    def peek(self, ids: Sequence[str]) -> list[StoredEntity] | None:
        return None

    def peek_found(self, search: EntitySearch, *, counts: bool) -> Found | None:
        return None

    def keys(self, ids: Sequence[str]) -> dict[str, Keys]:
        return {}

    def peek_written(self, ids: Sequence[str], form: Form) -> list[bytes] | None:
        return None

    def written(self, ids: Sequence[str], form: Form) -> list[bytes]:
        return [form.write(entity) for entity in self.load(ids)]

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        self.loads += 1
        found = [self.held[i] for i in ids if i in self.held]
        self.during()
        return found


def opened(store: Store, max_bytes: int = 1_000_000) -> EntityCache:
    return EntityCache(store, FixedClock(NOW), max_bytes)


def test_what_was_read_is_at_hand_until_it_is_written() -> None:
    store = Store()
    store.held = {i: entity(i, 1.5) for i in ("urn:a", "urn:b")}
    cache = opened(store)
    assert cache.is_idle
    assert cache.peek(["urn:a"]) is None
    assert cache.load(["urn:b", "urn:a", "urn:c"]) == [store.held["urn:b"], store.held["urn:a"]]
    assert cache.peek(["urn:a", "urn:b"]) == [store.held["urn:a"], store.held["urn:b"]]
    store.held["urn:a"] = entity("urn:a", 2.5)
    cache.forget(["urn:a", "urn:zzz"])
    assert cache.peek(["urn:a"]) is None
    assert cache.load(["urn:a", "urn:b"]) == [store.held["urn:a"], store.held["urn:b"]]
    assert store.loads == 2


def test_a_read_that_a_write_overtakes_is_not_kept() -> None:
    store = Store()
    store.held = {"urn:a": entity("urn:a", 1.0)}
    cache = opened(store)

    def write() -> None:
        store.held["urn:a"] = entity("urn:a", 2.0)
        cache.forget(["urn:a"])

    store.during = write
    assert cache.load(["urn:a"])[0].attributes[0].number == 1.0
    store.during = lambda: None
    assert cache.peek(["urn:a"]) is None
    assert cache.load(["urn:a"])[0].attributes[0].number == 2.0


def test_what_has_expired_is_gone() -> None:
    store = Store()
    store.held = {"urn:a": entity("urn:a", 1.0, NOW + timedelta(seconds=1))}
    clock = FixedClock(NOW)
    cache = EntityCache(store, clock, 1_000_000)
    assert len(cache.load(["urn:a"])) == 1
    clock.at = NOW + timedelta(seconds=2)
    assert cache.peek(["urn:a"]) == []
    assert cache.load(["urn:a"]) == []


def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    store = Store()
    store.held = {f"urn:{n}": entity(f"urn:{n}", n) for n in range(100)}
    cache = opened(store, max_bytes=4_000)
    cache.load(sorted(store.held))
    kept = [id_ for id_ in store.held if cache.peek([id_])]
    assert 5 < len(kept) < 20
    assert cache.measures()[0].samples[0][1] <= 4_000
    cache.peek([kept[0]])
    cache.load(["urn:1"])
    assert cache.peek([kept[0]])
    assert opened(store, max_bytes=0).load(["urn:5"]) == [store.held["urn:5"]]


def test_readers_and_a_writer_side_by_side() -> None:
    """After a write was acknowledged nobody reads an older value."""
    store = Store()
    ids = [f"urn:{n}" for n in range(20)]
    store.held = {i: entity(i, 0) for i in ids}
    cache = opened(store)
    acknowledged = dict.fromkeys(ids, 0.0)
    errors: list[str] = []
    is_over = threading.Event()

    def read(seed: int) -> None:
        chance = random.Random(seed)
        while not is_over.is_set():
            id_ = chance.choice(ids)
            before = acknowledged[id_]
            found = cache.peek([id_]) or cache.load([id_])
            if found[0].attributes[0].number < before:
                errors.append(id_)

    readers = [threading.Thread(target=read, args=(n,)) for n in range(3)]
    for reader in readers:
        reader.start()
    chance = random.Random(9)
    for n in range(1, 3000):
        id_ = chance.choice(ids)
        store.held[id_] = entity(id_, n)
        cache.forget([id_])
        acknowledged[id_] = float(n)
    is_over.set()
    for reader in readers:
        reader.join()
    assert errors == []


def form(key: str | None, written: list[str] | None = None) -> Form:
    def write(one: StoredEntity) -> bytes:
        if written is not None:
            written.append(one.id)
        return f"{key}:{one.id}={one.attributes[0].number}".encode()

    return Form(key, write)


def test_forms_are_written_once_and_go_with_their_entity() -> None:
    store = Store()
    store.held = {i: entity(i, 1.0) for i in ("urn:a", "urn:b")}
    cache = opened(store)
    made: list[str] = []
    first = form("x", made)
    assert cache.peek_written(["urn:a"], first) is None
    assert cache.written(["urn:a", "urn:c", "urn:b"], first) == [b"x:urn:a=1.0", b"x:urn:b=1.0"]
    assert cache.peek_written(["urn:b", "urn:a"], first) == [b"x:urn:b=1.0", b"x:urn:a=1.0"]
    assert cache.peek_written(["urn:a"], form("y", made)) is None
    assert cache.written(["urn:a"], form("y", made)) == [b"y:urn:a=1.0"]
    # Only the second form makes it worth to keep the entity itself.
    assert made == ["urn:a", "urn:b", "urn:a"]
    assert store.loads == 2
    assert cache.peek_written(["urn:a"], form("z")) == [b"z:urn:a=1.0"]
    assert cache.peek_written(["urn:a"], first) == [b"x:urn:a=1.0"]
    assert cache.peek(["urn:b"]) is None
    assert cache.peek(["urn:a"]) == [store.held["urn:a"]]
    store.held["urn:a"] = entity("urn:a", 2.0)
    cache.forget(["urn:a"], only_values=True)
    assert cache.peek_written(["urn:a"], first) is None
    for wanted in (first, form("y")):
        assert cache.written(["urn:a"], wanted) == [f"{wanted.key}:urn:a=2.0".encode()]
    assert store.loads == 4


def test_forms_without_a_key_and_too_many_forms_are_not_kept() -> None:
    store = Store()
    store.held = {"urn:a": entity("urn:a", 1.0)}
    cache = opened(store)
    made: list[str] = []
    for _ in range(2):
        cache.written(["urn:a"], form(None, made))
    assert len(made) == 2
    empty = cache.measures()[0].samples[0][1]
    for n in range(50):
        assert cache.written(["urn:a"], form(str(n))) == [f"{n}:urn:a=1.0".encode()]
    assert empty < cache.measures()[0].samples[0][1] < empty + 1_500
    cache.forget(["urn:a"])
    assert cache.measures()[0].samples[0][1] == 0


def test_a_form_that_a_write_overtakes_is_not_kept() -> None:
    store = Store()
    store.held = {"urn:a": entity("urn:a", 1.0)}
    cache = opened(store)
    cache.load(["urn:a"])

    def write(one: StoredEntity) -> bytes:
        store.held["urn:a"] = entity("urn:a", 2.0)
        cache.forget(["urn:a"])
        return str(one.attributes[0].number).encode()

    assert cache.peek_written(["urn:a"], Form("x", write)) == [b"1.0"]
    assert cache.peek_written(["urn:a"], form("x")) is None
    assert cache.written(["urn:a"], form("x")) == [b"x:urn:a=2.0"]


def test_what_has_expired_is_in_no_form() -> None:
    store = Store()
    store.held = {"urn:a": entity("urn:a", 1.0, NOW + timedelta(seconds=1))}
    clock = FixedClock(NOW)
    cache = EntityCache(store, clock, 1_000_000)
    assert cache.written(["urn:a"], form("x")) == [b"x:urn:a=1.0"]
    clock.at = NOW + timedelta(seconds=2)
    assert cache.peek_written(["urn:a"], form("x")) == []
    assert cache.written(["urn:a"], form("x")) == []


OF_TYPE = EntitySearch(condition=HasType("Gauge"))
OF_VALUE = EntitySearch(condition=Compare(Target("level"), Comparison.GREATER, 1.0))


def test_searches_that_look_at_no_values_outlive_new_values() -> None:
    store = Store()
    store.held = {"urn:a": entity("urn:a", 1.0)}
    cache = opened(store)
    assert cache.peek_found(OF_TYPE, counts=False) is None
    for search in (OF_TYPE, OF_VALUE):
        assert cache.find(search) == ["urn:a"]
        assert cache.count(search) == 1
        assert cache.peek_found(search, counts=True) == (["urn:a"], 1)
    cache.load(["urn:a"])
    cache.forget(["urn:a"], only_values=True)
    assert cache.peek_found(OF_TYPE, counts=True) == (["urn:a"], 1)
    assert cache.peek_found(OF_VALUE, counts=False) is None
    # Nobody knows whether this one was there before.
    cache.forget(["urn:b"], only_values=True)
    assert cache.peek_found(OF_TYPE, counts=False) is None
    cache.find(OF_TYPE)
    cache.forget(["urn:a"], only_values=False)
    assert cache.peek_found(OF_TYPE, counts=False) is None
    cache.find(OF_TYPE)
    # It may be gone now, so that its next value makes it anew.
    cache.forget(["urn:a"], only_values=True)
    assert cache.peek_found(OF_TYPE, counts=False) is None


def test_a_search_that_a_write_overtakes_is_not_remembered() -> None:
    store = Store()
    cache = opened(store)
    store.during = lambda: cache.forget(["urn:a"], only_values=False)
    cache.find(OF_TYPE)
    cache.count(OF_TYPE)
    assert cache.peek_found(OF_TYPE, counts=False) is None


def test_a_search_holds_until_the_next_entity_expires() -> None:
    store = Store()
    store.held = {"urn:a": entity("urn:a", 1.0)}
    store.ends = [Expiring("urn:a", "", "", NOW + timedelta(seconds=1))]
    clock = FixedClock(NOW)
    cache = EntityCache(store, clock, 1_000_000)
    cache.find(OF_TYPE)
    assert cache.peek_found(OF_TYPE, counts=False) == (["urn:a"], None)
    clock.at = NOW + timedelta(seconds=1)
    assert cache.peek_found(OF_TYPE, counts=False) is None
