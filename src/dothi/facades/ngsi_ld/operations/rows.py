"""Drafts to rows: the one way in which this door writes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from dothi.facades.ngsi_ld.wire.body import columns
from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.facades.ngsi_ld.wire.past import PastInstance
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.row import ROW_SCHEMA, Change, Kind

_NAMES = ROW_SCHEMA.names


class RowBuilder:
    """Gathers rows of ROW_SCHEMA column by column."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._columns: dict[str, list[Any]] = {name: [] for name in _NAMES}

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
        text = msgspec.json.encode(body).decode()
        self._add(entity=uri, body=text, change=Change.UPSERT_ENTITY)

    def assign(self, uri: str, instance: Instance) -> None:
        """Set an attribute instance, whatever its time."""
        self._instance(uri, instance, Change.ASSIGN)

    def record(self, uri: str, instance: Instance) -> None:
        """Add an attribute instance to the history alone."""
        self._instance(uri, instance, Change.RECORD)

    def record_types(self, uri: str, types: Iterable[str]) -> None:
        """Add types to those of the evolution of an entity."""
        body = msgspec.json.encode({"types": list(types)}).decode()
        self._add(entity=uri, body=body, change=Change.RECORD_ENTITY)

    def forget(self, uri: str, name: str, dataset: str) -> None:
        """No longer tell what was recorded of a series."""
        self._add(entity=uri, attribute=name, dataset=dataset, change=Change.FORGET)

    def forget_instance(
        self, uri: str, old: PastInstance, moves_to: Instance | None = None
    ) -> None:
        """No longer tell one instance, or tell where it stands from now on."""
        body: dict[str, Any] = {"seq": old.seq, "stood_at": old.observed_at or old.committed_at}
        if moves_to is not None and moves_to.observed_at is None:
            body["is_moved"] = True
        elif moves_to is not None:
            body["moved_at"] = moves_to.observed_at
        self._add(
            entity=uri,
            attribute=old.name,
            dataset=old.dataset,
            observed_at=old.observed_at,
            body=msgspec.json.encode(body).decode(),
            change=Change.FORGET,
        )

    def forget_entity(self, uri: str) -> None:
        """No longer tell anything that was recorded of an entity."""
        self._add(entity=uri, change=Change.FORGET_ENTITY)

    def _instance(self, uri: str, instance: Instance, change: Change) -> None:
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
            change=change,
        )

    def drop_attribute(self, uri: str, name: str, dataset: str) -> None:
        self._add(entity=uri, attribute=name, dataset=dataset, change=Change.DELETE_ATTRIBUTE)

    def drop_entity(self, uri: str) -> None:
        self._add(entity=uri, change=Change.DELETE_ENTITY)

    def table(self) -> pa.Table:
        return pa.table(self._columns, schema=ROW_SCHEMA)

    def _add(self, **cells: Any) -> None:
        row = {"source": self._source, "attribute": "", "dataset": "", "quality": 0}
        row |= {"kind": Kind.PROPERTY, **cells}
        for name in _NAMES:
            self._columns[name].append(row.get(name))
