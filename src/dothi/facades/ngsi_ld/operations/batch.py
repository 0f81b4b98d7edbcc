"""Batch upsert (clause 5.6.8): items in order, each as good or bad as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entities import add_entity
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.instance import EntityDraft
from dothi.ports.entity_query import StoredEntity


@dataclass(slots=True)
class BatchResult:
    """Ids that were created and changed, and what went wrong with the others."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    errors: list[tuple[str, NgsiError]] = field(default_factory=list)


async def upsert(
    broker: Broker, source: str, drafts: Sequence[EntityDraft], *, replaces: bool
) -> BatchResult:
    """Create the entities that are not there, replace or update those that are."""
    result = BatchResult()
    for wave in _waves(drafts):
        ids = [draft.id for draft in wave]
        async with broker.locks.hold(ids):
            stored = {entity.id: entity for entity in await broker.load(ids)}
            try:
                await broker.write(_rows(source, wave, stored, replaces=replaces))
            except NgsiError as error:
                await _one_by_one(broker, source, wave, stored, result, replaces=replaces)
                if not result.errors:
                    raise error
                continue
        _record(result, wave, stored)
    return result


def _record(
    result: BatchResult, wave: Sequence[EntityDraft], stored: dict[str, StoredEntity]
) -> None:
    for draft in wave:
        (result.updated if draft.id in stored else result.created).append(draft.id)


def _waves(drafts: Sequence[EntityDraft]) -> list[list[EntityDraft]]:
    """Split so that no id stands twice in one part, keeping the order per id."""
    waves: list[list[EntityDraft]] = []
    seen: dict[str, int] = {}
    for draft in drafts:
        at = seen.get(draft.id, 0)
        seen[draft.id] = at + 1
        if at == len(waves):
            waves.append([])
        waves[at].append(draft)
    return waves


async def _one_by_one(
    broker: Broker,
    source: str,
    wave: Sequence[EntityDraft],
    stored: dict[str, StoredEntity],
    result: BatchResult,
    *,
    replaces: bool,
) -> None:
    """The store refused something: find out what, and keep the rest."""
    for draft in wave:
        try:
            await broker.write(_rows(source, [draft], stored, replaces=replaces))
        except NgsiError as error:
            result.errors.append((draft.id, error))
        else:
            _record(result, [draft], stored)


def _rows(
    source: str, wave: Sequence[EntityDraft], stored: dict[str, StoredEntity], *, replaces: bool
) -> RowBuilder:
    rows = RowBuilder(source)
    for draft in wave:
        old = stored.get(draft.id)
        if old is None:
            add_entity(rows, draft)
        elif replaces:
            _replace(rows, draft, old)
        else:
            _update(rows, draft, old)
    return rows


def _replace(rows: RowBuilder, draft: EntityDraft, old: StoredEntity) -> None:
    kept = {(instance.name, instance.dataset) for instance in draft.instances}
    for row in old.attributes:
        if (row.name, row.dataset) not in kept:
            rows.drop_attribute(draft.id, row.name, row.dataset)
    add_entity(rows, draft)


def _update(rows: RowBuilder, draft: EntityDraft, old: StoredEntity) -> None:
    types = tuple(dict.fromkeys((*old.types, *draft.types)))
    scope = old.scope if draft.scope is None else draft.scope
    rows.entity(draft.id, types, scope, draft.expires_at or old.expires_at)
    for instance in draft.instances:
        rows.assign(draft.id, instance)
