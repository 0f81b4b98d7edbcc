"""Batch operations (clauses 5.6.7 to 5.6.10 and 5.6.20): items in order, each as good as it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dothi.facades.ngsi_ld.context.names import iri_of_stored
from dothi.facades.ngsi_ld.errors import NgsiError, already_exists, bad_request_data, not_found
from dothi.facades.ngsi_ld.operations.attributes import append_rows, update_rows
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.entities import create_rows, replace_rows
from dothi.facades.ngsi_ld.operations.merge import merge_rows
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.facades.ngsi_ld.wire.instance import EntityDraft
from dothi.model.batch import Guards
from dothi.ports.entity_query import StoredEntity


@dataclass(frozen=True, slots=True)
class Item:
    """One element of the array."""

    id: str
    draft: Callable[[StoredEntity | None], EntityDraft]
    """Its content; in a merge it depends on what is stored. Raises NgsiError."""


@dataclass(slots=True)
class BatchResult:
    """Ids that were created and changed, and what went wrong with the others."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    errors: list[tuple[str, NgsiError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item whose rows are kept."""

    is_created: bool = False
    error: NgsiError | None = None
    """The item was done in part only."""


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
    draft = item.draft(stored)
    if stored is None:
        create_rows(rows, draft)
    else:
        replace_rows(rows, stored, draft)
    return Outcome(is_created=stored is None)


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
    """Clause 5.6.20."""
    there = _there(item, stored)
    merge_rows(rows, there, item.draft(there))
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
    """Do the items; those of one id after the other, as if each had come for itself (5.5.11)."""
    result = BatchResult()
    for wave in _waves(items):
        ids = [item.id for item in wave]
        async with broker.locks.hold(ids):
            stored = {entity.id: entity for entity in await broker.load(ids)}
            await _run_wave(broker, _Wave(source, wave, stored, add_rows), result)
    return result


@dataclass(frozen=True, slots=True)
class _Wave:
    """Items of different entities."""

    source: str
    items: Sequence[Item]
    stored: dict[str, StoredEntity]
    add_rows: AddRows

    def guards(self) -> Guards:
        """Another door may have made or removed an entity since it was read."""
        if self.add_rows is created:
            return Guards(absent=frozenset(item.id for item in self.items))
        there = frozenset(item.id for item in self.items if item.id in self.stored)
        return Guards(present=there)


async def _run_wave(broker: Broker, wave: _Wave, result: BatchResult) -> None:
    """All good items in one commit; when the store refuses it, each for itself."""
    rows = RowBuilder(wave.source)
    done: list[tuple[Item, Outcome]] = []
    for item in wave.items:
        before = len(rows)
        try:
            done.append((item, wave.add_rows(rows, item, wave.stored.get(item.id))))
        except NgsiError as error:
            rows.keep(before)
            result.errors.append((item.id, error))
    good = _Wave(wave.source, [item for item, _ in done], wave.stored, wave.add_rows)
    try:
        await _commit(broker, rows, good)
    except NgsiError as error:
        if len(done) == 1:
            result.errors.append((done[0][0].id, error))
            return
        for item, _ in done:
            alone = _Wave(wave.source, [item], wave.stored, wave.add_rows)
            await _run_wave(broker, alone, result)
        return
    for item, outcome in done:
        if outcome.error is not None:
            result.errors.append((item.id, outcome.error))
        else:
            (result.created if outcome.is_created else result.updated).append(item.id)


async def _commit(broker: Broker, rows: RowBuilder, wave: _Wave) -> None:
    if not len(rows):
        return
    answer = await broker.write(rows, wave.guards())
    if not answer.refused:
        return
    if wave.add_rows is created:
        raise already_exists(f"there is an entity {answer.refused} already")
    raise not_found(f"there is no entity {answer.refused}")


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
