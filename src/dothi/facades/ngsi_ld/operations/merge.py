"""Merging a fragment into an entity (clause 5.6.17)."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.changes import grow_entity, restored, write_changes
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.instance import EntityDraft, Instance, Patch
from dothi.facades.ngsi_ld.wire.merging import appended, merged
from dothi.model.condition import Condition
from dothi.ports.entity_query import StoredAttribute, StoredEntity

ReadPatches = Callable[[StoredEntity | None], EntityDraft]
"""Reads the fragment: what a bare value means depends on the kind of the stored attribute."""


async def merge_entity(
    broker: Broker,
    source: str,
    entity_id: str,
    read: ReadPatches,
    type_selection: Condition | None,
    observed_at: datetime | None,
) -> None:
    """Merge into an entity that is there; `observed_at` stamps merged attributes that had a time.

    Raises:
        NgsiError: ResourceNotFound, BadRequestData.
    """
    async with broker.locks.hold([entity_id]):
        try:
            stored = await broker.get(entity_id, type_selection)
        except NgsiError:
            read(None)  # wrong data come before an entity that is missing (5.6.17.4)
            raise
        rows = RowBuilder(source)
        merge_rows(rows, stored, read(stored), observed_at)
        await write_changes(broker, rows, entity_id)


def merge_rows(
    rows: RowBuilder, stored: StoredEntity, draft: EntityDraft, observed_at: datetime | None = None
) -> None:
    """Only what is given is touched. Raises BadRequestData; then no row was added."""
    present = {(row.name, row.dataset): row for row in stored.attributes}
    changed: list[Instance | Patch] = []
    for patch in draft.patches:
        row = present.get((patch.name, patch.dataset))
        if patch.is_null:
            if row is not None:
                changed.append(patch)
        elif row is None:
            changed.append(appended(patch))
        else:
            changed.append(_merged(row, patch, observed_at))
    grow_entity(rows, stored, draft, draft.scope)
    for change in changed:
        if isinstance(change, Patch):
            rows.drop_attribute(stored.id, change.name, change.dataset)
        else:
            rows.assign(stored.id, change)


def _merged(row: StoredAttribute, patch: Patch, observed_at: datetime | None) -> Instance:
    found = merged(restored(row), patch)
    is_stamped = observed_at is not None and row.observed_at is not None
    if is_stamped and "observedAt" not in patch.members:
        members = {name: m for name, m in found.members.items() if name != "observedAt"}
        return replace(found, observed_at=observed_at, members=members)
    return found
