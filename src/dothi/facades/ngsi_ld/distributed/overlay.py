"""Stores that a handler may be given instead of the real ones.

`Overlay` shows entities of other brokers among ours, so that every representation, projection and
page is made by the same code as for local requests. `Nowhere` and `Nothing` let a handler check a
request without reading or writing anything.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import pyarrow as pa
from msgspec.structs import replace

from dothi.facades.ngsi_ld.distributed.merge import merged
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.data import Mode
from dothi.facades.ngsi_ld.registrations.matching import finds
from dothi.model.batch import Batch, CommitResult
from dothi.model.condition import Condition
from dothi.pipeline.matching import matches
from dothi.ports.entity_maps import EntityMap, EntityMaps
from dothi.ports.entity_query import Entities, EntitySearch, Form, Found, Keys, StoredEntity
from dothi.ports.evolution import EvolutionHead, EvolutionSearch
from dothi.ports.ingest import Ingest

Remote = Mapping[str, Sequence[tuple[Mode, StoredEntity]]]
"""Entity id -> what each source gave of it."""
Holders = Mapping[str, Sequence[str]]
"""Entity id -> the registrations whose sources gave something of it."""


class Overlay:
    """The local entities together with those that other sources gave."""

    def __init__(
        self, local: Entities, remote: Remote, now: datetime, *, is_split: bool = False
    ) -> None:
        """`is_split`: sources did not filter; the whole of an entity must meet the search."""
        self._local = local
        self._remote = remote
        self._now = now
        self._is_split = is_split

    def __getattr__(self, name: str) -> Any:
        """What distribution does not concern is asked of the real store."""
        return getattr(self._local, name)

    def peek(self, _ids: Sequence[str]) -> None:
        """Nothing is at hand without looking."""
        return

    def peek_found(self, _search: EntitySearch, *, counts: bool) -> None:
        """Nor is this."""
        return

    def peek_written(self, _ids: Sequence[str], _form: Form) -> None:
        """Nor is this."""
        return

    def glance(self, searches: Sequence[EntitySearch]) -> list[list[str] | None]:
        """Nor is this: a glance sees the local store alone."""
        return [None] * len(searches)

    def written(self, ids: Sequence[str], form: Form) -> list[bytes]:
        return [form.write(entity) for entity in self.load(ids)]

    def find(self, search: EntitySearch) -> list[str]:
        """Local entities come first, then those that only others hold."""
        if self._is_split:
            return self._find_whole(search)
        others = self._only_remote(search)
        count = self._local.count(search)
        found = self._local.find(search) if search.offset < count else []
        start = max(search.offset - count, 0)
        if search.limit is None:
            return found + others[start:]
        return found + others[start : start + search.limit - len(found)]

    def count(self, search: EntitySearch) -> int:
        if self._is_split:
            here, fitting = self._judged(search)
            return self._local.count(search) - len(here - fitting) + len(fitting - here)
        return self._local.count(search) + len(self._only_remote(search))

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """Merged entities, in the order of `ids`."""
        local = {entity.id: entity for entity in self._local.load(ids, names)}
        wanted = frozenset(names)
        found = []
        for uri in dict.fromkeys(ids):
            remote = [(mode, _only(e, wanted)) for mode, e in self._remote.get(uri, ())]
            entity = merged(local.get(uri), remote, self._now) if remote else local.get(uri)
            if entity is not None:
                found.append(entity)
        return found

    def _only_remote(self, search: EntitySearch) -> list[str]:
        """Ids that no local entity of the search has."""
        ids = self._shared(search)
        here = self._found_here(search, ids)
        return [uri for uri in ids if uri not in here]

    def _find_whole(self, search: EntitySearch) -> list[str]:
        """As `find`, judging entities that lie in pieces by all their pieces."""
        here, fitting = self._judged(search)
        wrong = here - fitting
        most = None if search.limit is None else search.offset + search.limit + len(wrong)
        local = self._local.find(replace(search, offset=0, limit=most))
        found = [uri for uri in local if uri not in wrong]
        found += [uri for uri in self._remote if uri in fitting and uri not in here]
        end = None if search.limit is None else search.offset + search.limit
        return found[search.offset : end]

    def _judged(self, search: EntitySearch) -> tuple[set[str], set[str]]:
        """Of the entities that others hold a piece of: those whose piece here meets the search,
        and those that meet it as a whole."""
        ids = self._shared(search)
        wanted = frozenset(search.attributes)
        fitting = {
            entity.id
            for entity in self.load(ids)
            if (not wanted or not wanted.isdisjoint(row.name for row in entity.attributes))
            and (search.condition is None or matches(entity, search.condition, self.load))
        }
        return self._found_here(search, ids), fitting

    def _shared(self, search: EntitySearch) -> list[str]:
        return [
            uri
            for uri in self._remote
            if (not search.ids or uri in search.ids)
            and (not search.id_pattern or finds(search.id_pattern, uri))
        ]

    def _found_here(self, search: EntitySearch, ids: Sequence[str]) -> set[str]:
        if not ids:
            return set()
        return set(self._local.find(replace(search, ids=tuple(ids), offset=0, limit=None)))


def _only(entity: StoredEntity, names: frozenset[str]) -> StoredEntity:
    if not names:
        return entity
    return StoredEntity(
        entity.id,
        entity.types,
        entity.scope,
        entity.created_at,
        entity.modified_at,
        entity.expires_at,
        tuple(row for row in entity.attributes if row.name in names),
    )


class Nowhere:
    """A store without entities."""

    def __init__(self, real: Entities) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def peek(self, _ids: Sequence[str]) -> list[StoredEntity]:
        return []

    def peek_found(self, _search: EntitySearch, *, counts: bool) -> Found:
        return Found([], 0 if counts else None)

    def peek_written(self, _ids: Sequence[str], _form: Form) -> list[bytes]:
        return []

    def glance(self, searches: Sequence[EntitySearch]) -> list[list[str] | None]:
        return [[] for _ in searches]

    def written(self, _ids: Sequence[str], _form: Form) -> list[bytes]:
        return []

    def find(self, _search: EntitySearch) -> list[str]:
        return []

    def count(self, _search: EntitySearch) -> int:
        return 0

    def load(self, _ids: Sequence[str], _names: Sequence[str] = ()) -> list[StoredEntity]:
        return []

    def keys(self, _ids: Sequence[str]) -> dict[str, Keys]:
        return {}


class NoEvolutions:
    """A store without a past."""

    def find(
        self, _search: EvolutionSearch, after: str = "", limit: int | None = None
    ) -> list[str]:
        return []

    def load(self, _ids: Sequence[str], _names: Sequence[str] = ()) -> list[EvolutionHead]:
        return []

    def moved(self, _series: tuple[str, str], _at: datetime) -> list[datetime]:
        return []

    def matching(
        self, _condition: Condition, _heads: Sequence[EvolutionHead], _rows: pa.Table
    ) -> set[str]:
        return set()


class NoMaps:
    """Entity maps that are not kept."""

    def add(self, _entity_map: EntityMap) -> None:
        return

    def find(self, _map_id: str) -> EntityMap | None:
        return None

    def replace(self, _entity_map: EntityMap) -> bool:
        return False

    def delete(self, _map_id: str) -> bool:
        return False


class Nothing:
    """Takes every batch and stores none."""

    async def submit(self, batch: Batch) -> CommitResult:
        """Say that all went well."""
        count = batch.rows.num_rows
        return CommitResult(batch.id, count, count, 0, ())


def with_remote(
    broker: Broker, remote: Remote, holders: Holders | None = None, *, is_split: bool = False
) -> Broker:
    """The broker with entities of others among its own."""
    overlay = Overlay(broker.entities, remote, broker.clock.now(), is_split=is_split)
    return replace(
        broker,
        entities=cast(Entities, overlay),
        others=None if holders is None else held_by(broker.entities, holders),
    )


def held_by(local: Entities, holders: Holders) -> Callable[[Sequence[str]], Holders]:
    """Tells who holds entities, for EntityMaps (clause 5.2.39)."""

    def tell(ids: Sequence[str]) -> Holders:
        here = set(local.find(EntitySearch(ids=tuple(ids), limit=None))) if ids else set()
        return {
            uri: (*(["@none"] if uri in here else []), *dict.fromkeys(holders.get(uri, ())))
            for uri in ids
        }

    return tell


def checking(broker: Broker) -> Broker:
    """A broker that checks requests and does nothing."""
    ingest: Ingest = Nothing()
    maps: EntityMaps = NoMaps()
    return replace(
        broker,
        ingest=ingest,
        entities=cast(Entities, Nowhere(broker.entities)),
        evolutions=NoEvolutions(),
        maps=maps,
    )
