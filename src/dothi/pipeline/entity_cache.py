"""Entities that were asked for lately, packed in memory, so that most reads need no database.

The store stays the truth: what a commit touches is dropped before the commit is acknowledged, so
nobody who knows of a write reads the state before it.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from dothi.model.measure import Measure, counter, gauge
from dothi.ports.clock import Clock
from dothi.ports.entity_query import Entities, EntitySearch, StoredEntity

_ENTRY_BYTES = 250
"""What an entry takes beside its packed entity: its id, and its place in the dictionary."""
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(StoredEntity)


@dataclass(slots=True, eq=False)
class _Load:
    """A read of the store that is under way."""

    ids: frozenset[str]
    changed: set[str] = field(default_factory=set)
    """Those of them that were written meanwhile: what was read may be the state before."""


class EntityCache:
    """ports.entity_query.Entities over another one. Any thread."""

    def __init__(self, entities: Entities, clock: Clock, max_bytes: int) -> None:
        self._entities = entities
        self._clock = clock
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._packed: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._loads: list[_Load] = []
        self._hits = self._misses = 0

    def find(self, search: EntitySearch) -> list[str]:
        """See ports.entity_query.Entities."""
        return self._entities.find(search)

    def count(self, search: EntitySearch) -> int:
        """See ports.entity_query.Entities."""
        return self._entities.count(search)

    def peek(self, ids: Sequence[str]) -> list[StoredEntity] | None:
        """See ports.entity_query.Entities."""
        packed: list[bytes] = []
        with self._lock:
            for id_ in ids:
                found = self._packed.get(id_)
                if found is None:
                    self._misses += 1
                    return None
                self._packed.move_to_end(id_)
                packed.append(found)
            self._hits += 1
        return self._alive([_DECODER.decode(one) for one in packed])

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """See ports.entity_query.Entities."""
        if names:
            return self._entities.load(ids, names)
        wanted = list(dict.fromkeys(ids))
        with self._lock:
            known = {id_: self._packed[id_] for id_ in wanted if id_ in self._packed}
        missing = [id_ for id_ in wanted if id_ not in known]
        fresh = {entity.id: entity for entity in self._read(missing)}
        found = [
            fresh.get(i) or (_DECODER.decode(known[i]) if i in known else None) for i in wanted
        ]
        return self._alive([entity for entity in found if entity is not None])

    def forget(self, ids: Collection[str]) -> None:
        """These entities were written. Called before the write is acknowledged."""
        with self._lock:
            for load in self._loads:
                load.changed |= load.ids.intersection(ids)
            if self._packed:
                for id_ in ids:
                    self._drop(id_)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing that a write could make wrong."""
        return not (self._packed or self._loads)

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        return (
            gauge("dothi_entity_cache_bytes", "Entities kept in memory", self._bytes),
            counter("dothi_entity_cache_hits_total", "Reads answered from memory", self._hits),
            counter("dothi_entity_cache_misses_total", "Reads of the store", self._misses),
        )

    def _read(self, ids: list[str]) -> list[StoredEntity]:
        if not ids:
            return []
        load = _Load(frozenset(ids))
        with self._lock:
            self._loads.append(load)
        packed: list[tuple[str, bytes]] = []
        try:
            found = self._entities.load(ids)
            packed = [(entity.id, _ENCODER.encode(entity)) for entity in found]
        finally:
            # In one step: a write between the two would go unnoticed.
            with self._lock:
                self._loads.remove(load)
                self._keep([one for one in packed if one[0] not in load.changed])
        return found

    def _keep(self, packed: list[tuple[str, bytes]]) -> None:
        for id_, content in packed:
            self._drop(id_)
            self._packed[id_] = content
            self._bytes += len(content) + _ENTRY_BYTES
        while self._bytes > self._max_bytes and self._packed:
            self._drop(next(iter(self._packed)))

    def _drop(self, id_: str) -> None:
        content = self._packed.pop(id_, None)
        if content is not None:
            self._bytes -= len(content) + _ENTRY_BYTES

    def _alive(self, entities: list[StoredEntity]) -> list[StoredEntity]:
        if all(entity.expires_at is None for entity in entities):
            return entities
        now = self._clock.now()
        return [e for e in entities if e.expires_at is None or e.expires_at > now]
