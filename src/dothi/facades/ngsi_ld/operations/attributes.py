"""Changing attributes of an entity (clauses 5.6.2 to 5.6.5)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from dothi.facades.ngsi_ld.errors import bad_request_data, not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.body import restore
from dothi.facades.ngsi_ld.wire.instance import ABSENT, EntityDraft, Instance
from dothi.facades.ngsi_ld.wire.kinds import BY_KIND, NGSI_NULL
from dothi.model.batch import Guards
from dothi.model.condition import Condition
from dothi.ports.entity_query import StoredAttribute, StoredEntity


@dataclass(slots=True)
class UpdateResult:
    """Which attributes (stored names) were changed and which not, with the reason."""

    updated: list[str] = field(default_factory=list)
    not_updated: dict[str, str] = field(default_factory=dict)


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
        result = UpdateResult()
        rows = RowBuilder(source)
        _grow_entity(rows, stored, draft, result, keeps_scope=bool(stored.scope) and not overwrites)
        present = {(a.name, a.dataset) for a in stored.attributes}
        for instance in draft.instances:
            if not overwrites and (instance.name, instance.dataset) in present:
                result.not_updated[instance.name] = (
                    "it exists already and noOverwrite was asked for"
                )
            else:
                rows.assign(draft.id, instance)
                result.updated.append(instance.name)
        await _write(broker, rows, draft.id)
        return result


async def update_attributes(
    broker: Broker, source: str, draft: EntityDraft, type_selection: Condition | None
) -> UpdateResult:
    """Replace the given attributes, add missing ones, delete those given as NGSI-LD null."""
    async with broker.locks.hold([draft.id]):
        stored = await broker.get(draft.id, type_selection)
        result = UpdateResult()
        rows = RowBuilder(source)
        _grow_entity(rows, stored, draft, result, keeps_scope=not stored.scope)
        present = {(a.name, a.dataset) for a in stored.attributes}
        for instance in draft.instances:
            if not instance.is_null:
                rows.assign(draft.id, instance)
            elif (instance.name, instance.dataset) in present:
                rows.drop_attribute(draft.id, instance.name, instance.dataset)
            else:
                result.not_updated[instance.name] = "there is no such attribute to delete"
                continue
            result.updated.append(instance.name)
        await _write(broker, rows, draft.id)
        return result


async def update_one_attribute(
    broker: Broker,
    source: str,
    entity_id: str,
    fragment: Instance,
    type_selection: Condition | None,
    *,
    names_kind: bool,
) -> None:
    """Change the given members of one attribute instance and leave the others (clause 5.6.4)."""
    async with broker.locks.hold([entity_id]):
        stored = await broker.get(entity_id, type_selection)
        row = _find(stored, fragment.name, fragment.dataset)
        if names_kind and row.kind is not fragment.kind:
            raise bad_request_data(
                f"the attribute is a {BY_KIND[row.kind].name}, not a {BY_KIND[fragment.kind].name}"
            )
        rows = RowBuilder(source)
        if fragment.is_null:
            rows.drop_attribute(entity_id, row.name, row.dataset)
        else:
            rows.assign(entity_id, _merged(row, fragment))
        await _write(broker, rows, entity_id)


async def delete_attribute(
    broker: Broker,
    source: str,
    entity_id: str,
    key: tuple[str, str],
    type_selection: Condition | None,
    *,
    deletes_all: bool,
) -> None:
    """Delete one instance (name, dataset) of an attribute, or all of them."""
    name, dataset = key
    async with broker.locks.hold([entity_id]):
        stored = await broker.get(entity_id, type_selection)
        rows = RowBuilder(source)
        if deletes_all:
            for row in _instances(stored, name):
                rows.drop_attribute(entity_id, name, row.dataset)
        else:
            _find(stored, name, dataset)
            rows.drop_attribute(entity_id, name, dataset)
        await _write(broker, rows, entity_id)


def _grow_entity(
    rows: RowBuilder,
    stored: StoredEntity,
    draft: EntityDraft,
    result: UpdateResult,
    *,
    keeps_scope: bool,
) -> None:
    """Types are added; a scope replaces the one before unless it must be kept."""
    types = tuple(dict.fromkeys((*stored.types, *draft.types)))
    scope = stored.scope
    if draft.scope is not None and keeps_scope:
        result.not_updated["scope"] = (
            "the entity has a scope already" if stored.scope else "the entity has no scope"
        )
    elif draft.scope is not None:
        scope = draft.scope
        result.updated.append("scope")
    expires_at = draft.expires_at or stored.expires_at
    if (types, scope, expires_at) != (stored.types, stored.scope, stored.expires_at):
        rows.entity(draft.id, types, scope, expires_at)


def _merged(row: StoredAttribute, fragment: Instance) -> Instance:
    old = restore(row.name, row.kind, row, row.dataset, row.observed_at)
    value: Any = old.value
    if fragment.value is not ABSENT:
        if fragment.kind is not row.kind:
            raise bad_request_data(
                f"the attribute is a {BY_KIND[row.kind].name}; its value differs"
            )
        value = fragment.value
    gone = {name for name, member in fragment.members.items() if member == NGSI_NULL}
    members = {k: v for k, v in (old.members | fragment.members).items() if k not in gone}
    return replace(
        old,
        value=value,
        members=members,
        unit=None if "unitCode" in gone else fragment.unit or old.unit,
        observed_at=None if "observedAt" in gone else fragment.observed_at or old.observed_at,
    )


def _instances(stored: StoredEntity, name: str) -> Iterable[StoredAttribute]:
    found = [a for a in stored.attributes if a.name == name]
    if not found:
        raise not_found(f"the entity {stored.id} has no attribute {name}")
    return found


def _find(stored: StoredEntity, name: str, dataset: str) -> StoredAttribute:
    for row in _instances(stored, name):
        if row.dataset == dataset:
            return row
    which = f"with datasetId {dataset}" if dataset else "without datasetId"
    raise not_found(f"the attribute {name} of {stored.id} has no instance {which}")


async def _write(broker: Broker, rows: RowBuilder, entity_id: str) -> None:
    if not len(rows):
        return
    result = await broker.write(rows, Guards(present=frozenset({entity_id})))
    if result.refused:
        raise not_found(f"there is no entity {entity_id}")
