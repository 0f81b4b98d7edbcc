"""Temporal representations: every instance, or [value, time] pairs (clauses 4.5.6 to 4.5.9)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.wire.body import restore
from dothi.facades.ngsi_ld.wire.kinds import BY_KIND
from dothi.facades.ngsi_ld.wire.representation import Format, Writer
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.row import Kind
from dothi.ports.entity_query import StoredEntity


class TemporalFormat(StrEnum):
    NORMALIZED = "normalized"
    VALUES = "temporalValues"
    AGGREGATED = "aggregatedValues"


class PastInstance(Protocol):
    """One row of the history."""

    @property
    def number(self) -> float | None: ...
    @property
    def text(self) -> str | None: ...
    @property
    def body(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def dataset(self) -> str: ...
    @property
    def observed_at(self) -> datetime | None: ...
    @property
    def committed_at(self) -> datetime: ...
    @property
    def instance_id(self) -> str: ...


class TemporalWriter:
    """Writes evolutions with one @context in one format."""

    def __init__(
        self, context: LdContext, chosen: TemporalFormat, has_system_attributes: bool = False
    ) -> None:
        self._context = context
        self._format = chosen
        self._has_system_attributes = has_system_attributes
        simple = Format.SIMPLIFIED if chosen is TemporalFormat.VALUES else Format.NORMALIZED
        self._writer = Writer(context, simple)

    def head(self, entity: StoredEntity) -> dict[str, Any]:
        """id, type, scope and the times of the entity."""
        found: dict[str, Any] = {"id": entity.id, "type": self._writer.types(entity.types)}
        if entity.scope:
            found["scope"] = entity.scope[0] if len(entity.scope) == 1 else list(entity.scope)
        if self._has_system_attributes:
            found["createdAt"] = format_date_time(entity.created_at)
            found["modifiedAt"] = format_date_time(entity.modified_at)
        return found

    def entity(
        self, entity: StoredEntity, rows: Mapping[str, Sequence[PastInstance]]
    ) -> dict[str, Any]:
        """The JSON object of an evolution; `rows` by stored attribute name."""
        found = self.head(entity)
        for name, instances in rows.items():
            if not instances:
                continue
            if self._format is TemporalFormat.VALUES:
                found[self._context.wire(name)] = self._values(name, instances)
            else:
                found[self._context.wire(name)] = [self._instance(name, i) for i in instances]
        return found

    def _instance(self, name: str, row: PastInstance) -> dict[str, Any]:
        instance = restore(name, row.kind, row, row.dataset, row.observed_at)
        found = self._writer.normalized(instance)
        found["instanceId"] = row.instance_id
        if self._has_system_attributes:
            found["modifiedAt"] = format_date_time(row.committed_at)
        return found

    def _values(self, name: str, rows: Sequence[PastInstance]) -> Any:
        """One object per datasetId with its [value, time] pairs."""
        by_dataset: dict[tuple[str, Kind], list[list[Any]]] = {}
        for row in rows:
            instance = restore(name, row.kind, row)
            pair = [
                self._writer.value(instance),
                format_date_time(row.observed_at or row.committed_at),
            ]
            by_dataset.setdefault((row.dataset, row.kind), []).append(pair)
        found = []
        for (dataset, kind), pairs in by_dataset.items():
            shape = BY_KIND[kind]
            one: dict[str, Any] = {"type": shape.name, shape.values_key: pairs}
            found.append(one | ({"datasetId": dataset} if dataset else {}))
        return found[0] if len(found) == 1 else found
