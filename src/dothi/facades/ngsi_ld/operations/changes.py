"""What the attribute operations share: rows of a changed entity, instances found or missing."""

from collections.abc import Iterable

from msgspec import Struct, field

from dothi.facades.ngsi_ld.errors import not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.body import restore
from dothi.facades.ngsi_ld.wire.instance import EntityDraft, Instance
from dothi.model.batch import Guards
from dothi.ports.entity_query import StoredAttribute, StoredEntity


class UpdateResult(Struct):
    """Which attributes (stored names) were changed and which not, with the reason."""

    updated: list[str] = field(default_factory=list)
    not_updated: dict[str, str] = field(default_factory=dict)


def grow_entity(
    rows: RowBuilder, stored: StoredEntity, draft: EntityDraft, scope: tuple[str, ...] | None = None
) -> None:
    """Types are added; `scope` replaces the one before; the expiry is set or dropped."""
    types = tuple(dict.fromkeys((*stored.types, *draft.types)))
    scope = stored.scope if scope is None else scope
    expires_at = None if draft.drops_expiry else draft.expires_at or stored.expires_at
    if (types, scope, expires_at) != (stored.types, stored.scope, stored.expires_at):
        rows.entity(draft.id, types, scope, expires_at)


def present_in(stored: StoredEntity) -> set[tuple[str, str]]:
    """(name, dataset) of every instance."""
    return {(row.name, row.dataset) for row in stored.attributes}


def instances_of(stored: StoredEntity, name: str) -> Iterable[StoredAttribute]:
    """All instances of an attribute. Raises ResourceNotFound."""
    found = [row for row in stored.attributes if row.name == name]
    if not found:
        raise not_found(f"the entity {stored.id} has no attribute {name}")
    return found


def find_instance(stored: StoredEntity, name: str, dataset: str) -> StoredAttribute:
    """One instance of an attribute. Raises ResourceNotFound."""
    for row in instances_of(stored, name):
        if row.dataset == dataset:
            return row
    which = f"with datasetId {dataset}" if dataset else "without datasetId"
    raise not_found(f"the attribute {name} of {stored.id} has no instance {which}")


def restored(row: StoredAttribute) -> Instance:
    return restore(row.name, row.kind, row, row.dataset, row.observed_at)


async def write_changes(broker: Broker, rows: RowBuilder, entity_id: str) -> None:
    """Commit rows of an entity that must be there. Raises ResourceNotFound."""
    if not len(rows):
        return
    result = await broker.write(rows, Guards(present=frozenset({entity_id})))
    if result.refused:
        raise not_found(f"there is no entity {entity_id}")
