"""Drafts to rows: the one way in which this door writes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from dothi.facades.ngsi_ld.wire.body import columns
from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.facades.ngsi_ld.wire.times import format_date_time, parse_date_time
from dothi.model.row import ROW_SCHEMA, Change, Kind

_NAMES = ROW_SCHEMA.names


class RowBuilder:
    """Gathers rows of ROW_SCHEMA column by column."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._columns: dict[str, list[Any]] = {name: [] for name in _NAMES}
        self.expires_at: datetime | None = None
        """The earliest time at which something that is written here expires."""

    def __len__(self) -> int:
        return len(self._columns["entity"])

    def entity(
        self, uri: str, types: Iterable[str], scope: Iterable[str], expires_at: datetime | None
    ) -> None:
        """Make the entity, or set its types, scope and expiry."""
        body = {
            "types": list(types),
            "scope": list(scope),
            "expires_at": None if expires_at is None else format_date_time(expires_at),
        }
        self._note_expiry(expires_at)
        text = msgspec.json.encode(body).decode()
        self._add(entity=uri, body=text, change=Change.UPSERT_ENTITY)

    def assign(self, uri: str, instance: Instance) -> None:
        """Set an attribute instance, whatever its time."""
        if "expiresAt" in instance.members:
            self._note_expiry(parse_date_time(instance.members["expiresAt"]))
        held = columns(instance)
        self._add(
            entity=uri,
            attribute=instance.name,
            dataset=instance.dataset,
            observed_at=instance.observed_at,
            number=held.number,
            text=held.text,
            body=held.body,
            unit=held.unit,
            kind=instance.kind,
            change=Change.ASSIGN,
        )

    def drop_attribute(self, uri: str, name: str, dataset: str) -> None:
        self._add(entity=uri, attribute=name, dataset=dataset, change=Change.DELETE_ATTRIBUTE)

    def drop_entity(self, uri: str) -> None:
        self._add(entity=uri, change=Change.DELETE_ENTITY)

    def keep(self, count: int) -> None:
        """Forget all rows but the first `count`."""
        for column in self._columns.values():
            del column[count:]

    def table(self) -> pa.Table:
        return pa.table(self._columns, schema=ROW_SCHEMA)

    def _note_expiry(self, at: datetime | None) -> None:
        if at is not None and (self.expires_at is None or at < self.expires_at):
            self.expires_at = at

    def _add(self, **cells: Any) -> None:
        row = {"source": self._source, "attribute": "", "dataset": "", "quality": 0}
        row |= {"kind": Kind.PROPERTY, **cells}
        for name in _NAMES:
            self._columns[name].append(row.get(name))
