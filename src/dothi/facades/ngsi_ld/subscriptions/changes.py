"""From rows of the log to changes of entities: created, updated, deleted, and from what."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import replace

from dothi.facades.ngsi_ld.subscriptions.model import Trigger
from dothi.model.row import Change, Kind
from dothi.ports.entity_query import StoredAttribute, StoredEntity
from dothi.ports.entity_states import EarlierRows, EntityState, EntityStates

Series = tuple[str, str]
"""Attribute name and datasetId."""
_COLUMNS = (
    *("seq", "entity", "attribute", "dataset", "observed_at", "number", "text", "body", "unit"),
    *("kind", "change", "batch", "committed_at"),
)
_WRITES = (Change.UPSERT, Change.ASSIGN)


class AttributeChange(Struct, frozen=True):
    trigger: Trigger
    previous: StoredAttribute | None
    """The value before; None for a new attribute, or when nobody knows."""


class EntityChange(Struct):
    """What one batch did to one entity."""

    entity: StoredEntity
    """After the change; of a deleted one what it was before."""
    batch: str
    first_seq: int
    last_seq: int
    is_created: bool = False
    deleted_at: datetime | None = None
    attributes: dict[Series, AttributeChange] = field(default_factory=dict)


class _Group(Struct):
    """Rows of one batch about one entity, in order."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def committed_at(self) -> datetime:
        at: datetime = self.rows[0]["committed_at"]
        return at


def changes_of(rows: pa.Table, states: EntityStates, earlier: EarlierRows) -> list[EntityChange]:
    """The changes that the rows made, in order. Blocking."""
    groups: dict[tuple[str, str], _Group] = {}
    for row in rows.select(list(_COLUMNS)).to_pylist():
        groups.setdefault((row["batch"], row["entity"]), _Group()).rows.append(row)
    found = states.read(uri for _, uri in groups)
    before = _Before(groups.values(), found, earlier)
    made = []
    for (batch, uri), group in groups.items():
        state = found.get(uri)
        if state is None:
            continue
        change = _change(state, group, before)
        if change is not None:
            change.batch = batch
            made.append(change)
    return made


class _Before:
    """Values before the rows of each group, as far as the hot log knows them."""

    def __init__(
        self,
        groups: Iterable[_Group],
        states: Mapping[str, EntityState],
        earlier: EarlierRows,
    ) -> None:
        self._states = states
        places = []
        for group in groups:
            firsts: dict[Series, int] = {}
            for row in group.rows:
                if row["attribute"] and row["change"] in _WRITES:
                    firsts.setdefault((row["attribute"], row["dataset"]), row["seq"])
            for series, seq in firsts.items():
                number = self._number(group.rows[0]["entity"], series)
                if number:
                    places.append((number, seq))
        self._rows: dict[int, list[dict[str, Any]]] = {}
        for row in earlier.rows_before(places).to_pylist():
            self._rows.setdefault(row["series"], []).append(row)

    def row(self, first: Mapping[str, Any]) -> dict[str, Any] | None:
        """The latest row of the same series before this one."""
        series = (first["attribute"], first["dataset"])
        number = self._number(first["entity"], series)
        known = [row for row in self._rows.get(number, ()) if row["seq"] < first["seq"]]
        return {**known[-1], "attribute": series[0], "dataset": series[1]} if known else None

    def _number(self, entity: str, series: Series) -> int:
        state = self._states.get(entity)
        return 0 if state is None else state.series.get(series, 0)


def _change(state: EntityState, group: _Group, before: _Before) -> EntityChange | None:
    rows = group.rows
    places = (rows[0]["seq"], rows[-1]["seq"])
    at = group.committed_at
    if rows[-1]["change"] == Change.DELETE_ENTITY:
        entity = _before_deletion(state, at)
        gone = {
            (a.name, a.dataset): AttributeChange(Trigger.ATTRIBUTE_DELETED, a)
            for a in entity.attributes
        }
        return EntityChange(entity, "", *places, deleted_at=at, attributes=gone)
    base = state.entity if state.deleted_at is None else _before_deletion(state, state.deleted_at)
    change = EntityChange(base, "", *places, is_created=base.created_at == at)
    present = {(a.name, a.dataset): a for a in base.attributes}
    deleted = {(a.name, a.dataset): a for a, _ in state.deleted}
    for series, of_series in _by_series(rows):
        _apply(change, series, of_series, (present, deleted), before)
    change.entity = replace(base, attributes=tuple(present[key] for key in sorted(present)))
    return change if change.attributes or change.is_created else None


def _by_series(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[Series, list[dict[str, Any]]]]:
    found: dict[Series, list[dict[str, Any]]] = {}
    for row in rows:
        if row["attribute"]:
            found.setdefault((row["attribute"], row["dataset"]), []).append(row)
    yield from found.items()


def _apply(
    change: EntityChange,
    series: Series,
    rows: Sequence[dict[str, Any]],
    known: tuple[dict[Series, StoredAttribute], dict[Series, StoredAttribute]],
    before: _Before,
) -> None:
    """What the rows of one series did; `present` becomes what it is after them."""
    present, deleted = known
    last = rows[-1]
    if last["change"] == Change.DELETE_ATTRIBUTE:
        old = deleted.get(series) or present.pop(series, None)
        change.attributes[series] = AttributeChange(Trigger.ATTRIBUTE_DELETED, old)
        return
    if last["change"] not in _WRITES:
        return
    current = present.get(series) or deleted.get(series)
    at: datetime = last["committed_at"]
    if current is not None and current.modified_at < at:
        return  # a late value: it entered the history without becoming the current one
    created_at = current.created_at if current is not None and current.created_at <= at else at
    value = _attribute(last, created_at)
    if current is not None and current.modified_at == at:
        value = current  # the winner of its commit
    is_replaced = any(row["change"] == Change.DELETE_ATTRIBUTE for row in rows)
    previous = before.row(rows[0] if rows[0]["change"] in _WRITES else last)
    present[series] = value
    old_value = None if previous is None else _previous(previous)
    if created_at == at and not is_replaced:
        change.attributes[series] = AttributeChange(Trigger.ATTRIBUTE_CREATED, None)
    elif old_value is None or not _is_same(old_value, value):
        change.attributes[series] = AttributeChange(Trigger.ATTRIBUTE_UPDATED, old_value)


def _previous(row: dict[str, Any]) -> StoredAttribute | None:
    return _attribute(row, row["committed_at"]) if row["change"] in _WRITES else None


def _is_same(old: StoredAttribute, new: StoredAttribute) -> bool:
    """Whether no member differs (clause 5.8.6); the times that the broker keeps do not count."""
    return replace(old, created_at=new.created_at, modified_at=new.modified_at) == new


def _attribute(row: Mapping[str, Any], created_at: datetime) -> StoredAttribute:
    return StoredAttribute(
        row["attribute"],
        row["dataset"],
        Kind(row["kind"]),
        row["number"],
        row["text"],
        row["body"],
        row["unit"] or None,
        row["observed_at"],
        created_at,
        row["committed_at"],
    )


def _before_deletion(state: EntityState, at: datetime) -> StoredEntity:
    """The entity with the attributes that went with it."""
    if state.deleted_at is None:
        return state.entity  # it is there again; what it was is no longer in the state
    gone = tuple(attribute for attribute, deleted_at in state.deleted if deleted_at == at)
    return replace(state.entity, attributes=gone)
