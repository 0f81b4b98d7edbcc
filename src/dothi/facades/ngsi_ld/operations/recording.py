"""Writing temporal evolutions (clauses 5.6.11 to 5.6.16): the history alone is changed."""

import asyncio
from datetime import timedelta

from msgspec import structs
from msgspec.structs import replace

from dothi.facades.ngsi_ld.errors import bad_request_data, not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.evolution import SCOPE
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.instance import EntityDraft, Instance
from dothi.facades.ngsi_ld.wire.past import (
    PastInstance,
    origin_members,
    past_instances,
    read_instance_id,
)
from dothi.model.series import RawQuery, SeriesKey
from dothi.ports.evolution import EvolutionHead

_ONE_US = timedelta(microseconds=1)
_MOST_MOVES = 64


async def record_evolution(broker: Broker, source: str, draft: EntityDraft) -> bool:
    """Add the instances; whether this made the evolution."""
    async with broker.locks.hold([draft.id]):
        heads = await asyncio.to_thread(broker.evolutions.load, [draft.id], ("",))
        is_new = not heads or not heads[0].is_recorded
        rows = RowBuilder(source)
        if is_new or not set(draft.types) <= set(heads[0].types):
            rows.record_types(draft.id, draft.types)
        _add(broker, rows, draft)
        await broker.write(rows)
    return is_new


async def add_instances(broker: Broker, source: str, draft: EntityDraft) -> None:
    """Add instances to an evolution that is there. Raises ResourceNotFound."""
    async with broker.locks.hold([draft.id]):
        head = await _head(broker, draft.id)
        rows = RowBuilder(source)
        if not set(draft.types) <= set(head.types):
            rows.record_types(draft.id, draft.types)
        _add(broker, rows, draft)
        if len(rows):
            await broker.write(rows)


def _add(broker: Broker, rows: RowBuilder, draft: EntityDraft) -> None:
    times = [one.observed_at for one in draft.instances if one.observed_at is not None]
    for instance in draft.instances:
        if instance.name == SCOPE and instance.observed_at is None:
            # A scope begins when it is set, and holds for what comes together with it.
            begins_at = min([broker.clock.now(), *times])
            rows.record(draft.id, structs.replace(instance, observed_at=begins_at))
        else:
            rows.record(draft.id, instance)


async def forget_evolution(broker: Broker, source: str, entity_id: str) -> None:
    """Delete everything that was recorded of the entity. Raises ResourceNotFound."""
    async with broker.locks.hold([entity_id]):
        await _head(broker, entity_id)
        rows = RowBuilder(source)
        rows.forget_entity(entity_id)
        await broker.write(rows)


async def forget_attribute(
    broker: Broker, source: str, entity_id: str, key: tuple[str, str], *, deletes_all: bool
) -> None:
    """Delete what was recorded of one series (name, dataset), or of all with that name.

    Raises:
        NgsiError: ResourceNotFound, also when nothing of it is told any more.
    """
    name, dataset = key
    async with broker.locks.hold([entity_id]):
        head = await _head(broker, entity_id)
        series = [
            SeriesKey(entity_id, one.name, one.dataset)
            for one in head.series
            if one.name == name and (deletes_all or one.dataset == dataset)
        ]
        query = RawQuery(tuple(series), first_n=1)
        told = await asyncio.to_thread(broker.history.raw, query) if series else None
        if told is None or not told.num_rows:
            which = "" if deletes_all else f" with datasetId {dataset}" if dataset else ""
            raise not_found(f"the evolution of {entity_id} has no attribute {name}{which}")
        rows = RowBuilder(source)
        for one in series:
            rows.forget(entity_id, one.attribute, one.dataset)
        await broker.write(rows)


async def forget_instance(
    broker: Broker, source: str, entity_id: str, name: str, instance_id: str
) -> None:
    """Delete one instance. Raises ResourceNotFound."""
    async with broker.locks.hold([entity_id]):
        instance = await _find(broker, entity_id, name, instance_id)
        rows = RowBuilder(source)
        rows.forget_instance(entity_id, instance)
        await broker.write(rows)


async def modify_instance(
    broker: Broker, source: str, entity_id: str, fragment: Instance, instance_id: str
) -> None:
    """Put an instance in the place of another, which keeps its id. Raises ResourceNotFound.

    A fragment without observedAt leaves the instance at its time.
    """
    async with broker.locks.hold([entity_id]):
        old = await _find(broker, entity_id, fragment.name, instance_id)
        new = structs.replace(
            fragment,
            observed_at=fragment.observed_at or old.observed_at,
            members=fragment.members | origin_members(old),
        )
        rows = RowBuilder(source)
        is_same_key = (new.dataset, new.observed_at) == (old.dataset, old.observed_at)
        if new.observed_at is None or not is_same_key:
            rows.forget_instance(entity_id, old, moves_to=new)
        rows.record(entity_id, new)
        await broker.write(rows)


async def end_recorded_attribute(
    broker: Broker, source: str, entity_id: str, key: tuple[str, str], *, deletes_all: bool
) -> bool:
    """Note the deletion of an attribute of an entity that never was in the current state.

    Deleting through the core API ends an attribute in the evolution; an entity that is known by
    its evolution alone has no other place for that. False: there is no such attribute.
    """
    name, dataset = key
    async with broker.locks.hold([entity_id]):
        heads = await asyncio.to_thread(broker.evolutions.load, [entity_id], (name,))
        if not heads or not heads[0].is_recorded or heads[0].deleted_at != heads[0].created_at:
            return False
        rows = RowBuilder(source)
        for one in heads[0].series:
            if deletes_all or one.dataset == dataset:
                rows.drop_attribute(entity_id, name, one.dataset)
        if len(rows):
            await broker.write(rows)
    return bool(len(rows))


async def _head(broker: Broker, entity_id: str) -> EvolutionHead:
    heads = await asyncio.to_thread(broker.evolutions.load, [entity_id])
    if not heads or not heads[0].is_recorded:
        raise not_found(f"there is no temporal evolution of {entity_id}")
    return heads[0]


async def _find(broker: Broker, entity_id: str, name: str, instance_id: str) -> PastInstance:
    head = await _head(broker, entity_id)
    series = tuple(
        SeriesKey(entity_id, one.name, one.dataset) for one in head.series if one.name == name
    )
    if name == SCOPE:
        raise bad_request_data("a scope has no instances with an id; add a new one, or delete it")
    found = await asyncio.to_thread(_look_up, broker, series, instance_id) if series else None
    if found is None:
        raise not_found(f"the attribute {name} of {entity_id} has no instance {instance_id}")
    return found


def _look_up(
    broker: Broker, series: tuple[SeriesKey, ...], instance_id: str
) -> PastInstance | None:
    place = read_instance_id(instance_id)
    if place is None:
        return None
    seq, first_at = place
    pending, seen = [first_at], {first_at}
    while pending and len(seen) < _MOST_MOVES:
        at = pending.pop()
        query = RawQuery(series, at, at + _ONE_US)
        rows = list(past_instances(broker.history.raw(query)))
        for row in rows:
            if row.instance_id == instance_id:
                return row
        corrected = _corrected(broker, query, seq, rows)
        if corrected is not None:
            return corrected
        moved = broker.evolutions.moved((series[0].entity, series[0].attribute), at)
        pending += [one for one in moved if one not in seen]
        seen.update(moved)
    return None


def _corrected(
    broker: Broker, query: RawQuery, seq: int, rows: list[PastInstance]
) -> PastInstance | None:
    """The value in force in the place of the row with this number."""
    earlier = broker.history.raw(replace(query, all_revisions=True))
    for row in past_instances(earlier):
        if row.seq == seq and row.observed_at is not None:
            return next((r for r in rows if r.dataset == row.dataset and r.observed_at), None)
    return None
