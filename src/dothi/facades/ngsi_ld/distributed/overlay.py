"""Stores that a handler may be given instead of the real ones.

`Overlay` shows entities of other brokers among ours, so that every representation, projection and
page is made by the same code as for local requests. `Nowhere` and `Nothing` let a handler check a
request without reading or writing anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from dothi.facades.ngsi_ld.distributed.merge import merged
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.data import Mode
from dothi.model.batch import Batch, CommitResult
from dothi.ports.entity_query import Entities, EntitySearch, Form, Found, StoredEntity
from dothi.ports.ingest import Ingest

Remote = Mapping[str, Sequence[tuple[Mode, StoredEntity]]]
"""Entity id -> what each source gave of it."""


class Overlay:
    """The local entities together with those that other sources gave."""

    def __init__(self, local: Entities, remote: Remote, now: datetime) -> None:
        self._local = local
        self._remote = remote
        self._now = now

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

    def written(self, ids: Sequence[str], form: Form) -> list[bytes]:
        return [form.write(entity) for entity in self.load(ids)]

    def find(self, search: EntitySearch) -> list[str]:
        """Local entities come first, then those that only others hold."""
        others = self._only_remote(search)
        count = self._local.count(search)
        found = self._local.find(search) if search.offset < count else []
        start = max(search.offset - count, 0)
        if search.limit is None:
            return found + others[start:]
        return found + others[start : start + search.limit - len(found)]

    def count(self, search: EntitySearch) -> int:
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
        ids = [uri for uri in self._remote if not search.ids or uri in search.ids]
        if not ids:
            return []
        here = set(self._local.find(replace(search, ids=tuple(ids), offset=0, limit=None)))
        return [uri for uri in ids if uri not in here]


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

    def written(self, _ids: Sequence[str], _form: Form) -> list[bytes]:
        return []

    def find(self, _search: EntitySearch) -> list[str]:
        return []

    def count(self, _search: EntitySearch) -> int:
        return 0

    def load(self, _ids: Sequence[str], _names: Sequence[str] = ()) -> list[StoredEntity]:
        return []


class Nothing:
    """Takes every batch and stores none."""

    async def submit(self, batch: Batch) -> CommitResult:
        """Say that all went well."""
        count = batch.rows.num_rows
        return CommitResult(batch.id, count, count, 0, ())


def with_remote(broker: Broker, remote: Remote) -> Broker:
    """The broker with entities of others among its own."""
    overlay = Overlay(broker.entities, remote, broker.clock.now())
    return replace(broker, entities=cast(Entities, overlay))


def checking(broker: Broker) -> Broker:
    """A broker that checks requests and does nothing."""
    ingest: Ingest = Nothing()
    return replace(broker, ingest=ingest, entities=cast(Entities, Nowhere(broker.entities)))
