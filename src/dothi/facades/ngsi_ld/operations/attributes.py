"""Changing attributes of an entity (clauses 5.6.2 to 5.6.5 and 5.6.19)."""

from dothi.facades.ngsi_ld.errors import not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.changes import (
    UpdateResult,
    find_instance,
    grow_entity,
    instances_of,
    present_in,
    restored,
    write_changes,
)
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.instance import EntityDraft, Instance, Patch
from dothi.facades.ngsi_ld.wire.merging import partially_updated
from dothi.model.condition import Condition
from dothi.ports.entity_query import StoredEntity

SCOPE = "scope"


async def append_attributes(
    broker: Broker,
    source: str,
    draft: EntityDraft,
    type_selection: Condition | None,
    *,
    overwrites: bool,
) -> UpdateResult:
    """Add attributes; existing instances are replaced, or left alone and reported."""
    async with broker.locks.hold([draft.id]):
        stored = await broker.get(draft.id, type_selection)
        rows = RowBuilder(source)
        result = append_rows(rows, stored, draft, overwrites=overwrites)
        await write_changes(broker, rows, draft.id)
        return result


def append_rows(
    rows: RowBuilder, stored: StoredEntity, draft: EntityDraft, *, overwrites: bool
) -> UpdateResult:
    """Clause 5.6.3: scopes are added, not replaced, where nothing may be overwritten."""
    result = UpdateResult()
    scope = draft.scope
    if scope is not None:
        result.updated.append(SCOPE)
        if not overwrites:
            scope = tuple(dict.fromkeys((*stored.scope, *scope)))
    grow_entity(rows, stored, draft, scope)
    present = set() if overwrites else present_in(stored)
    for instance in draft.instances:
        if (instance.name, instance.dataset) in present:
            result.not_updated[instance.name] = "it exists already and noOverwrite was asked for"
        else:
            rows.assign(draft.id, instance)
            result.updated.append(instance.name)
    return result


async def update_attributes(
    broker: Broker, source: str, draft: EntityDraft, type_selection: Condition | None
) -> UpdateResult:
    """Replace the given attributes, add missing ones, delete those given as NGSI-LD Null."""
    async with broker.locks.hold([draft.id]):
        stored = await broker.get(draft.id, type_selection)
        rows = RowBuilder(source)
        result = update_rows(rows, stored, draft)
        await write_changes(broker, rows, draft.id)
        return result


def update_rows(rows: RowBuilder, stored: StoredEntity, draft: EntityDraft) -> UpdateResult:
    """Clause 5.6.2: a scope replaces one that is there, else it is left out and reported."""
    result = UpdateResult()
    scope = draft.scope
    if scope is not None and not stored.scope:
        result.not_updated[SCOPE] = "the entity has no scope"
        scope = None
    elif scope is not None:
        result.updated.append(SCOPE)
    grow_entity(rows, stored, draft, scope)
    present = present_in(stored)
    for instance in draft.instances:
        if not instance.is_null:
            rows.assign(draft.id, instance)
        elif (instance.name, instance.dataset) in present:
            rows.drop_attribute(draft.id, instance.name, instance.dataset)
        else:
            result.not_updated[instance.name] = "there is no such attribute to delete"
            continue
        result.updated.append(instance.name)
    return result


async def update_one_attribute(
    broker: Broker, source: str, entity_id: str, patch: Patch, type_selection: Condition | None
) -> None:
    """Change the given members of one attribute instance and leave the others (clause 5.6.4)."""
    async with broker.locks.hold([entity_id]):
        stored = await broker.get(entity_id, type_selection, [patch.name])
        row = find_instance(stored, patch.name, patch.dataset)
        rows = RowBuilder(source)
        if patch.is_null:
            rows.drop_attribute(entity_id, row.name, row.dataset)
        else:
            rows.assign(entity_id, partially_updated(restored(row), patch))
        await write_changes(broker, rows, entity_id)


async def replace_attribute(
    broker: Broker,
    source: str,
    entity_id: str,
    instance: Instance,
    type_selection: Condition | None,
) -> None:
    """Put one attribute instance in the place of the one that is there (clause 5.6.19)."""
    async with broker.locks.hold([entity_id]):
        stored = await broker.get(entity_id, type_selection, [instance.name])
        find_instance(stored, instance.name, instance.dataset)
        rows = RowBuilder(source)
        rows.assign(entity_id, instance)
        await write_changes(broker, rows, entity_id)


async def delete_attribute(
    broker: Broker,
    source: str,
    entity_id: str,
    key: tuple[str, str],
    type_selection: Condition | None,
    *,
    deletes_all: bool,
) -> None:
    """Delete one instance (name, dataset) of an attribute, all of them, or the scope."""
    name, dataset = key
    async with broker.locks.hold([entity_id]):
        stored = await broker.get(entity_id, type_selection)
        rows = RowBuilder(source)
        if name == SCOPE:
            if not stored.scope:
                raise not_found(f"the entity {entity_id} has no scope")
            rows.entity(entity_id, stored.types, (), stored.expires_at)
        elif deletes_all:
            for row in instances_of(stored, name):
                rows.drop_attribute(entity_id, name, row.dataset)
        else:
            find_instance(stored, name, dataset)
            rows.drop_attribute(entity_id, name, dataset)
        await write_changes(broker, rows, entity_id)
