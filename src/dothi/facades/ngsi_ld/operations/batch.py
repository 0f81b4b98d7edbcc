"""Batch operations (clauses 5.6.7 to 5.6.10 and 5.6.20): items in order, each as good as it is."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec import Struct, field

from dothi.facades.ngsi_ld.context.names import iri_of_stored
from dothi.facades.ngsi_ld.errors import NgsiError, already_exists, bad_request_data, not_found
from dothi.facades.ngsi_ld.operations.attributes import append_rows, update_rows
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entities import create_rows, replace_rows
from dothi.facades.ngsi_ld.operations.evolving import evolved
from dothi.facades.ngsi_ld.operations.merge import merge_rows
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.instance import EntityDraft
from dothi.model.batch import Guards
from dothi.ports.entity_query import Keys, StoredEntity


class Item(Struct, frozen=True):
    """One element of the array."""

    id: str
    draft: Callable[[StoredEntity | None], EntityDraft]
    """Its content; in a merge it depends on what is stored. Raises NgsiError."""


class BatchResult(Struct):
    """Ids that were created and changed, and what went wrong with the others."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    errors: list[tuple[str, NgsiError]] = field(default_factory=list)

    def add(self, done: "Done") -> None:
        item, outcome = done
        if outcome.error is not None:
            self.errors.append((item.id, outcome.error))
        else:
            (self.created if outcome.is_created else self.updated).append(item.id)


class Outcome(Struct, frozen=True):
    """What became of one item."""

    is_created: bool = False
    error: NgsiError | None = None
    """The item was not done, or in part only."""


Done = tuple[Item, Outcome]
State = dict[str, StoredEntity | None]
AddRows = Callable[[RowBuilder, Item, StoredEntity | None], Outcome]
"""Adds the rows of one item. Raises NgsiError; rows that it added by then are forgotten."""


def created(rows: RowBuilder, item: Item, stored: StoredEntity | None) -> Outcome:
    """Clause 5.6.7."""
    draft = item.draft(None)
    if stored is not None:
        raise already_exists(f"there is an entity {item.id} already")
    create_rows(rows, draft)
    return Outcome(is_created=True)


def replaced(rows: RowBuilder, item: Item, stored: StoredEntity | None) -> Outcome:
    """Clause 5.6.8, mode replace."""
    present = None if stored is None else [(row.name, row.dataset) for row in stored.attributes]
    return _replaced(rows, item, present)


def _replaced_by(
    keys: Mapping[str, Keys], rows: RowBuilder, item: Item, _stored: StoredEntity | None
) -> Outcome:
    """The same when nothing else is known of what is stored."""
    return _replaced(rows, item, keys.get(item.id))


def _replaced(rows: RowBuilder, item: Item, present: Sequence[tuple[str, str]] | None) -> Outcome:
    """`present`: the instances that are there; None: there is no such entity."""
    replace_rows(rows, present or (), item.draft(None))
    return Outcome(is_created=present is None)


def updated(rows: RowBuilder, item: Item, stored: StoredEntity | None) -> Outcome:
    """Clause 5.6.8, mode update: as Update Attributes where the entity is there."""
    draft = item.draft(stored)
    if stored is not None:
        update_rows(rows, stored, draft)
        return Outcome()
    if any(instance.is_null for instance in draft.instances):
        raise bad_request_data(f"there is no entity {item.id} to delete attributes of")
    create_rows(rows, draft)
    return Outcome(is_created=True)


def appended(rows: RowBuilder, item: Item, stored: StoredEntity | None) -> Outcome:
    """Clause 5.6.9."""
    return _appended(rows, item, stored, overwrites=True)


def appended_without_overwriting(
    rows: RowBuilder, item: Item, stored: StoredEntity | None
) -> Outcome:
    """Clause 5.6.9 with noOverwrite: an attribute that was left alone makes an error."""
    return _appended(rows, item, stored, overwrites=False)


def _appended(
    rows: RowBuilder, item: Item, stored: StoredEntity | None, *, overwrites: bool
) -> Outcome:
    draft = item.draft(stored)
    result = append_rows(rows, _there(item, stored), draft, overwrites=overwrites)
    if not result.not_updated:
        return Outcome()
    names = ", ".join(iri_of_stored(name) for name in result.not_updated)
    return Outcome(error=already_exists(f"left alone, since noOverwrite was asked for: {names}"))


def merged(rows: RowBuilder, item: Item, stored: StoredEntity | None) -> Outcome:
    """Clause 5.6.20: wrong data come before an entity that is missing."""
    draft = item.draft(stored)
    merge_rows(rows, _there(item, stored), draft)
    return Outcome()


def deleted(rows: RowBuilder, item: Item, stored: StoredEntity | None) -> Outcome:
    """Clause 5.6.10."""
    rows.drop_entity(_there(item, stored).id)
    return Outcome()


def _there(item: Item, stored: StoredEntity | None) -> StoredEntity:
    if stored is None:
        raise not_found(f"there is no entity {item.id}")
    return stored


async def run_batch(
    broker: Broker, source: str, items: Sequence[Item], add_rows: AddRows
) -> BatchResult:
    """Do the items in one commit; those of one id after the other (clause 5.5.11).

    When the store refuses it, each item is committed for itself, so that the good ones are kept.
    """
    result = BatchResult()
    ids = list(dict.fromkeys(item.id for item in items))
    async with broker.locks.hold(ids):
        try:
            done = await _together(broker, source, items, add_rows)
        except NgsiError:
            for item in items:
                result.add(await _alone(broker, source, item, add_rows))
            return result
    for one in done:
        result.add(one)
    return result


async def _together(
    broker: Broker, source: str, items: Sequence[Item], add_rows: AddRows
) -> list[Done]:
    ids = list(dict.fromkeys(item.id for item in items))
    if add_rows is replaced and len(ids) == len(items):
        # Whole entities take the place of others: nobody asks what those were.
        keys = await asyncio.to_thread(broker.entities.keys, ids)
        guards = Guards(present=frozenset(keys))
        return await _commit(broker, source, items, {}, partial(_replaced_by, keys), guards)
    stored: State = {entity.id: entity for entity in await broker.load(ids)}
    return await _commit(broker, source, items, stored, add_rows, _guards(stored, items, add_rows))


async def _alone(broker: Broker, source: str, item: Item, add_rows: AddRows) -> Done:
    stored: State = {entity.id: entity for entity in await broker.load([item.id])}
    try:
        guards = _guards(stored, [item], add_rows)
        [done] = await _commit(broker, source, [item], stored, add_rows, guards)
    except NgsiError as error:
        return item, Outcome(error=error)
    return done


async def _commit(
    broker: Broker,
    source: str,
    items: Sequence[Item],
    stored: State,
    add_rows: AddRows,
    guards: Guards,
) -> list[Done]:
    """What became of each item. Raises NgsiError when the store takes none of them."""
    rows = RowBuilder(source)
    done: list[Done] = []
    state = dict(stored)
    for wave in _waves(items):
        for item in wave:
            mark = rows.mark()
            before = state.get(item.id)
            try:
                outcome = add_rows(rows, item, before)
            except NgsiError as error:
                rows.rewind(mark)
                outcome = Outcome(error=error)
            else:
                if len(wave) < len(items):
                    state[item.id] = evolved(before, rows.since(mark), item.id, broker.clock.now())
            done.append((item, outcome))
        rows.close()
    if not len(rows):
        return done
    answer = await broker.write(rows, guards)
    if not answer.refused:
        return done
    if add_rows is created:
        raise already_exists(f"there is an entity {answer.refused} already")
    raise not_found(f"there is no entity {answer.refused}")


def _guards(stored: State, items: Sequence[Item], add_rows: AddRows) -> Guards:
    """Another door may have made or removed an entity since it was read."""
    ids = {item.id for item in items}
    if add_rows is created:
        return Guards(absent=frozenset(ids - stored.keys()))
    return Guards(present=frozenset(ids & stored.keys()))


def _waves(items: Sequence[Item]) -> list[list[Item]]:
    """Split so that no id stands twice in one part, keeping the order per id."""
    waves: list[list[Item]] = []
    seen: dict[str, int] = {}
    for item in items:
        at = seen.get(item.id, 0)
        seen[item.id] = at + 1
        if at == len(waves):
            waves.append([])
        waves[at].append(item)
    return waves
