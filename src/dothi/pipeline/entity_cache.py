"""Entities that were asked for lately, packed in memory, so that most reads need no database.

Beside an entity lie the forms in which it was written for somebody, ready to be sent again. The
store stays the truth: what a commit touches is dropped before the commit is acknowledged, so nobody
who knows of a write reads the state before it.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct, field

from dothi.model.measure import Measure, counter, gauge
from dothi.pipeline.remembered_searches import RememberedSearches
from dothi.ports.clock import Clock
from dothi.ports.entity_query import (
    Entities,
    EntitySearch,
    Expiring,
    Form,
    Found,
    Keys,
    StoredEntity,
    with_only,
)

_ENTRY_BYTES = 400
"""What an entry takes beside its packed entity: its id, and its place in the dictionary."""
_FORM_BYTES = 150
"""What a form takes beside its bytes."""
_MAX_FORMS = 4
"""Of one entity."""
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(StoredEntity)


class _Load(Struct, eq=False):
    """A read of the store that is under way."""

    ids: frozenset[str]
    changed: set[str] = field(default_factory=set)
    """Those of them that were written meanwhile: what was read may be the state before."""


class _Entry(Struct, eq=False):
    packed: bytes | None
    """None: only one form was asked for; the entity itself would double the memory."""
    expires_at: datetime | None
    ages: bool
    """Whether parts of it end without a commit: forms of it are not kept."""
    forms: dict[Hashable, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        forms = sum(len(form) + _FORM_BYTES for form in self.forms.values())
        return len(self.packed or b"") + _ENTRY_BYTES + forms

    def has(self, form: Form | None) -> bool:
        """Whether it can be given in this form; None: as an entity."""
        return self.packed is not None or (form is not None and form.key in self.forms)


class EntityCache:
    """ports.entity_query.Entities over another one. Any thread."""

    def __init__(self, entities: Entities, clock: Clock, max_bytes: int) -> None:
        self._entities = entities
        self._clock = clock
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0
        self._loads: list[_Load] = []
        self._searches = RememberedSearches(entities, clock, is_on=max_bytes > 0)
        self._hits = self._misses = 0
        self._is_used = False

    def find(self, search: EntitySearch) -> list[str]:
        """See ports.entity_query.Entities."""
        return self._searches.find(search)

    def glance(self, searches: Sequence[EntitySearch]) -> list[list[str] | None]:
        """See ports.entity_query.Entities."""
        return self._searches.glance(searches)

    def count(self, search: EntitySearch) -> int:
        """See ports.entity_query.Entities."""
        return self._searches.count(search)

    def peek_found(self, search: EntitySearch, *, counts: bool) -> Found | None:
        """See ports.entity_query.Entities."""
        return self._searches.peek(search, counts=counts)

    def expiring(self, until: datetime, limit: int) -> list[Expiring]:
        """See ports.entity_query.Entities."""
        return self._entities.expiring(until, limit)

    def peek(self, ids: Sequence[str]) -> list[StoredEntity] | None:
        """See ports.entity_query.Entities."""
        entries = self._at_hand(ids, None)
        if entries is None:
            return None
        return [_unpacked(entry) for entry in entries if self._is_alive(entry)]

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """See ports.entity_query.Entities."""
        wanted = list(dict.fromkeys(ids))
        known = self._known(wanted, None)
        missing = [id_ for id_ in wanted if id_ not in known]
        if names and missing:
            return self._entities.load(ids, names)
        fresh = {entity.id: entity for entity in self._read(missing)}
        found = [
            _unpacked(known[id_]) if id_ in known else fresh[id_]
            for id_ in wanted
            if (self._is_alive(known[id_]) if id_ in known else id_ in fresh)
        ]
        return [with_only(entity, names) for entity in found] if names else found

    def keys(self, ids: Sequence[str]) -> dict[str, Keys]:
        """See ports.entity_query.Entities."""
        return self._entities.keys(ids)

    def peek_written(self, ids: Sequence[str], form: Form) -> list[bytes] | None:
        """See ports.entity_query.Entities."""
        entries = self._at_hand(ids, form)
        if entries is None:
            return None
        return [
            entry.forms.get(form.key) or self._write(id_, entry, form)
            for id_, entry in zip(ids, entries, strict=True)
            if self._is_alive(entry)
        ]

    def written(self, ids: Sequence[str], form: Form) -> list[bytes]:
        """See ports.entity_query.Entities."""
        wanted = list(dict.fromkeys(ids))
        known = self._known(wanted, form)
        missing = [id_ for id_ in wanted if id_ not in known]
        made = dict.fromkeys(missing, b"")
        self._read(missing, form, made)
        for id_, entry in known.items():
            if self._is_alive(entry):
                made[id_] = entry.forms.get(form.key) or self._write(id_, entry, form)
        return [content for id_ in wanted if (content := made.get(id_))]

    def forget(self, ids: Collection[str], *, only_values: bool = False) -> None:
        """These entities were written. Called before the write is acknowledged.

        `only_values`: none of them was deleted, and none got other types, a scope or an end.
        """
        with self._lock:
            self._searches.forget(ids, only_values=only_values)
            for load in self._loads:
                load.changed |= load.ids.intersection(ids)
            if self._entries:
                for id_ in ids:
                    self._drop(id_)

    @property
    def is_idle(self) -> bool:
        """Whether nobody has read anything yet that a write could make wrong."""
        return not (self._is_used or self._searches.is_used)

    def measures(self) -> Sequence[Measure]:
        """See ports.measured.Measured."""
        return (
            gauge("dothi_entity_cache_bytes", "Entities kept in memory", self._bytes),
            counter("dothi_entity_cache_hits_total", "Reads answered from memory", self._hits),
            counter("dothi_entity_cache_misses_total", "Reads of the store", self._misses),
        )

    def _known(self, ids: list[str], form: Form | None) -> dict[str, _Entry]:
        with self._lock:
            found = {id_: self._entries.get(id_) for id_ in ids}
            return {id_: e for id_, e in found.items() if e is not None and e.has(form)}

    def _at_hand(self, ids: Sequence[str], form: Form | None) -> list[_Entry] | None:
        entries: list[_Entry] = []
        with self._lock:
            for id_ in ids:
                found = self._entries.get(id_)
                if found is None or not found.has(form):
                    self._misses += 1
                    return None
                self._entries.move_to_end(id_)
                entries.append(found)
            self._hits += 1
        return entries

    def _read(
        self, ids: list[str], form: Form | None = None, made: dict[str, bytes] | None = None
    ) -> list[StoredEntity]:
        """Entities of the store, which are kept; with a form they are also written, into `made`."""
        if not ids:
            return []
        load = _Load(frozenset(ids))
        with self._lock:
            self._is_used = True
            self._loads.append(load)
        entries: list[tuple[StoredEntity, _Entry]] = []
        try:
            found = self._entities.load(ids)
            for entity in found:
                entry = _Entry(None, entity.expires_at, _ages(entity))
                entries.append((entity, entry))
                if form is None or form.key is None or entry.ages:
                    entry.packed = _ENCODER.encode(entity)
                if form is not None and made is not None:
                    made[entity.id] = content = form.write(entity)
                    if form.key is not None and not entry.ages:
                        entry.forms[form.key] = content
        finally:
            # In one step: a write between the two would go unnoticed.
            with self._lock:
                self._loads.remove(load)
                kept = [one for one in entries if one[0].id not in load.changed]
                self._searches.note_existing([entity.id for entity, _ in kept])
                self._keep(kept)
        return found

    def _write(self, id_: str, entry: _Entry, form: Form) -> bytes:
        content = form.write(_unpacked(entry))
        if form.key is None or entry.ages:
            return content
        with self._lock:
            if self._entries.get(id_) is entry:
                self._bytes -= entry.size
                if len(entry.forms) >= _MAX_FORMS:
                    del entry.forms[next(iter(entry.forms))]
                entry.forms[form.key] = content
                self._bytes += entry.size
                self._make_room()
        return content

    def _keep(self, entries: list[tuple[StoredEntity, _Entry]]) -> None:
        for entity, entry in entries:
            other = self._drop(entity.id)
            if other is not None:
                # It was written in another form before, and nothing has changed since.
                entry.forms = dict([*other.forms.items(), *entry.forms.items()][-_MAX_FORMS:])
                entry.packed = other.packed or _ENCODER.encode(entity)
            self._entries[entity.id] = entry
            self._bytes += entry.size
        self._make_room()

    def _make_room(self) -> None:
        while self._bytes > self._max_bytes and self._entries:
            self._drop(next(iter(self._entries)))

    def _drop(self, id_: str) -> _Entry | None:
        entry = self._entries.pop(id_, None)
        if entry is not None:
            self._bytes -= entry.size
        return entry

    def _is_alive(self, entry: _Entry) -> bool:
        return entry.expires_at is None or entry.expires_at > self._clock.now()


def _unpacked(entry: _Entry) -> StoredEntity:
    """Of an entry that has it."""
    return _DECODER.decode(entry.packed or b"")


def _ages(entity: StoredEntity) -> bool:
    """Whether an attribute, or one inside it, may have an end."""
    return any(row.body is not None and '"expiresAt"' in row.body for row in entity.attributes)
