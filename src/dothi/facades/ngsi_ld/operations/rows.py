"""Drafts to rows: the one way in which this door writes."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from dothi.facades.ngsi_ld.wire.body import Columns, cells
from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.facades.ngsi_ld.wire.past import PastInstance
from dothi.facades.ngsi_ld.wire.times import format_date_time, parse_date_time
from dothi.model.row import Cells, Change, Kind, Row

_UPSERT_ENTITY = Change.UPSERT_ENTITY
_ASSIGN = Change.ASSIGN
_RECORD = Change.RECORD
_RECORD_ENTITY = Change.RECORD_ENTITY
_FORGET = Change.FORGET
_PROPERTY = Kind.PROPERTY
_FORGET_ENTITY = Change.FORGET_ENTITY
_DELETE_ATTRIBUTE = Change.DELETE_ATTRIBUTE
_DELETE_ENTITY = Change.DELETE_ENTITY
Mark = tuple[int, int]
_NOTHING = Columns(None, None, None, None)


class RowBuilder:
    """Gathers rows of ROW_SCHEMA.

    What is written between two calls of `close` is about different series, so deletions may come
    first: the store takes runs of equal rows at once, and would otherwise begin anew at each
    change between deleting and writing.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._closed: list[Row] = []
        self._drops: list[Row] = []
        self._writes: list[Row] = []
        self.expires_at: datetime | None = None
        """The earliest time at which something that is written here expires."""

    def __len__(self) -> int:
        return len(self._closed) + len(self._drops) + len(self._writes)

    def entity(
        self, uri: str, types: Iterable[str], scope: Iterable[str], expires_at: datetime | None
    ) -> None:
        """Make the entity, or set its types, scope and expiry."""
        self._note_expiry(expires_at)
        body = _body(tuple(types), tuple(scope), expires_at)
        head = (self._source, uri, None, "", "", None, None, None, body, None)
        self._writes.append((*head, 0, _PROPERTY, _UPSERT_ENTITY))

    def assign(self, uri: str, instance: Instance) -> None:
        """Set an attribute instance, whatever its time."""
        if "expiresAt" in instance.members:
            self._note_expiry(parse_date_time(instance.members["expiresAt"]))
        self._instance(uri, instance, _ASSIGN)

    def record(self, uri: str, instance: Instance) -> None:
        """Add an attribute instance to the history alone."""
        self._instance(uri, instance, _RECORD)

    def record_types(self, uri: str, types: Iterable[str]) -> None:
        """Add types to those of the evolution of an entity."""
        body = msgspec.json.encode({"types": list(types)}).decode()
        row = self._row(uri, "", "", _NOTHING._replace(body=body), _RECORD_ENTITY)
        self._writes.append(row)

    def forget(self, uri: str, name: str, dataset: str) -> None:
        """No longer tell what was recorded of a series."""
        self._writes.append(self._row(uri, name, dataset, _NOTHING, _FORGET))

    def forget_instance(
        self, uri: str, old: PastInstance, moves_to: Instance | None = None
    ) -> None:
        """No longer tell one instance, or tell where it stands from now on."""
        body: dict[str, Any] = {"seq": old.seq, "stood_at": old.observed_at or old.committed_at}
        if moves_to is not None and moves_to.observed_at is None:
            body["is_moved"] = True
        elif moves_to is not None:
            body["moved_at"] = moves_to.observed_at
        held = _NOTHING._replace(body=msgspec.json.encode(body).decode())
        key = (self._source, uri, None, old.name, old.dataset, old.observed_at)
        self._writes.append((*key, *held, 0, _PROPERTY, _FORGET))

    def forget_entity(self, uri: str) -> None:
        """No longer tell anything that was recorded of an entity."""
        self._writes.append(self._row(uri, "", "", _NOTHING, _FORGET_ENTITY))

    def _instance(self, uri: str, instance: Instance, change: Change) -> None:
        key = (self._source, uri, None, instance.name, instance.dataset, instance.observed_at)
        self._writes.append((*key, *cells(instance), 0, instance.kind, change))

    def drop_attribute(self, uri: str, name: str, dataset: str) -> None:
        self._drops.append(self._row(uri, name, dataset, _NOTHING, _DELETE_ATTRIBUTE))

    def drop_entity(self, uri: str) -> None:
        self._drops.append(self._row(uri, "", "", _NOTHING, _DELETE_ENTITY))

    def close(self) -> None:
        """What follows may be about the same series again."""
        self._closed += self._drops
        self._closed += self._writes
        self._drops, self._writes = [], []

    def mark(self) -> Mark:
        """The place where the next rows will stand, until `close` is called."""
        return len(self._drops), len(self._writes)

    def since(self, mark: Mark) -> list[Row]:
        return self._drops[mark[0] :] + self._writes[mark[1] :]

    def rewind(self, mark: Mark) -> None:
        """Forget the rows since the mark."""
        del self._drops[mark[0] :], self._writes[mark[1] :]

    def cells(self) -> Cells:
        """All that was gathered."""
        return Cells(self._closed + self._drops + self._writes)

    def _note_expiry(self, at: datetime | None) -> None:
        if at is not None and (self.expires_at is None or at < self.expires_at):
            self.expires_at = at

    def _row(self, uri: str, name: str, dataset: str, held: Columns, change: Change) -> Row:
        head = (self._source, uri, None, name, dataset, None)
        return (*head, *held, 0, _PROPERTY, change)


@lru_cache(maxsize=4096)
def _body(types: tuple[str, ...], scope: tuple[str, ...], expires_at: datetime | None) -> str:
    """Of a row that makes or changes an entity; most entities of a kind have the same."""
    body = {
        "types": types,
        "scope": scope,
        "expires_at": None if expires_at is None else format_date_time(expires_at),
    }
    return msgspec.json.encode(body).decode()
