"""Creating, replacing and deleting entities, reading one (clauses 5.6.1, 5.6.6, 5.6.18, 5.7.1)."""

from collections.abc import Iterable

from dothi.facades.ngsi_ld.errors import already_exists, not_found
from dothi.facades.ngsi_ld.operations.broker import Broker, has_types
from dothi.facades.ngsi_ld.operations.changes import write_changes
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.instance import EntityDraft
from dothi.model.batch import Guards
from dothi.model.condition import Condition
from dothi.ports.entity_query import Form, StoredEntity


async def create_entity(broker: Broker, source: str, draft: EntityDraft) -> None:
    """Store a new entity. Raises NgsiError AlreadyExists."""
    rows = RowBuilder(source)
    create_rows(rows, draft)
    async with broker.locks.hold([draft.id]):
        result = await broker.write(rows, Guards(absent=frozenset({draft.id})))
    if result.refused:
        raise already_exists(f"there is an entity {draft.id} already")


def create_rows(rows: RowBuilder, draft: EntityDraft) -> None:
    """The rows of a whole entity."""
    rows.entity(draft.id, draft.types, draft.scope or (), draft.expires_at)
    for instance in draft.instances:
        rows.assign(draft.id, instance)


async def replace_entity(
    broker: Broker, source: str, draft: EntityDraft, type_selection: Condition | None
) -> None:
    """Put new content in the place of all that is there. Raises ResourceNotFound."""
    async with broker.locks.hold([draft.id]):
        stored = await broker.get(draft.id, type_selection)
        rows = RowBuilder(source)
        replace_rows(rows, [(row.name, row.dataset) for row in stored.attributes], draft)
        await write_changes(broker, rows, draft.id)


def replace_rows(rows: RowBuilder, present: Iterable[tuple[str, str]], draft: EntityDraft) -> None:
    """Rows that leave exactly the draft; instances that stay keep their time of creation.

    Args:
        rows: gathers them.
        present: name and dataset of the instances that are there.
        draft: what is to be there.
    """
    kept = {(instance.name, instance.dataset) for instance in draft.instances}
    for name, dataset in present:
        if (name, dataset) not in kept:
            rows.drop_attribute(draft.id, name, dataset)
    create_rows(rows, draft)


async def delete_entity(
    broker: Broker, source: str, entity_id: str, type_selection: Condition | None
) -> None:
    """Remove an entity from the current state; its history stays. Raises ResourceNotFound."""
    async with broker.locks.hold([entity_id]):
        await broker.get(entity_id, type_selection)
        rows = RowBuilder(source)
        rows.drop_entity(entity_id)
        await write_changes(broker, rows, entity_id)


async def retrieve_entity(
    broker: Broker, entity_id: str, names: tuple[str, ...], type_selection: Condition | None
) -> StoredEntity:
    """The entity, with only these attributes when `names` is given.

    Raises:
        NgsiError: ResourceNotFound, also when it has none of the attributes.
    """
    found = await broker.load([entity_id], names)
    if not found or (names and not found[0].attributes):
        what = f" with any of the attributes {', '.join(names)}" if found else ""
        raise not_found(f"there is no entity {entity_id}{what}")
    if type_selection is not None and not has_types(found[0].types, type_selection):
        raise not_found(f"the entity {entity_id} has other types than the parameter type wants")
    return found[0]


async def retrieve_written(broker: Broker, entity_id: str, form: Form) -> bytes:
    """The whole entity as the form writes it. Raises NgsiError ResourceNotFound."""
    found = await broker.written([entity_id], form)
    if not found:
        raise not_found(f"there is no entity {entity_id}")
    return found[0]
