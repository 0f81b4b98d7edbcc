"""Drafts to rows: the one way in which this door writes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from dothi.facades.ngsi_ld.wire.body import Columns, columns
from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.facades.ngsi_ld.wire.times import format_date_time, parse_date_time
from dothi.model.row import ROW_SCHEMA, Change, Kind

_NOTHING = Columns(None, None, None, None)


class RowBuilder:
    """Gathers rows of ROW_SCHEMA."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._rows: list[tuple[Any, ...]] = []
        self.expires_at: datetime | None = None
        """The earliest time at which something that is written here expires."""

    def __len__(self) -> int:
        return len(self._rows)

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
        self._add(uri, "", "", _NOTHING._replace(body=text), Change.UPSERT_ENTITY)

    def assign(self, uri: str, instance: Instance) -> None:
        """Set an attribute instance, whatever its time."""
        if "expiresAt" in instance.members:
            self._note_expiry(parse_date_time(instance.members["expiresAt"]))
        number, text, body, unit = columns(instance)
        self._rows.append(
            (
                self._source,
                uri,
                None,
                instance.name,
                instance.dataset,
                instance.observed_at,
                number,
                text,
                body,
                unit,
                0,
                instance.kind,
                Change.ASSIGN,
            )
        )

    def drop_attribute(self, uri: str, name: str, dataset: str) -> None:
        self._add(uri, name, dataset, _NOTHING, Change.DELETE_ATTRIBUTE)

    def drop_entity(self, uri: str) -> None:
        self._add(uri, "", "", _NOTHING, Change.DELETE_ENTITY)

    def keep(self, count: int) -> None:
        """Forget all rows but the first `count`."""
        del self._rows[count:]

    def table(self) -> pa.Table:
        cells = zip(*self._rows, strict=True) if self._rows else ([] for _ in ROW_SCHEMA)
        arrays = [pa.array(c, f.type) for c, f in zip(cells, ROW_SCHEMA, strict=True)]
        return pa.table(arrays, schema=ROW_SCHEMA)

    def _note_expiry(self, at: datetime | None) -> None:
        if at is not None and (self.expires_at is None or at < self.expires_at):
            self.expires_at = at

    def _add(self, uri: str, name: str, dataset: str, held: Columns, change: Change) -> None:
        head = (self._source, uri, None, name, dataset, None)
        self._rows.append((*head, *held, 0, Kind.PROPERTY, change))
