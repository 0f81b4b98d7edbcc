"""Temporal representations: every instance, or [value, time] pairs (clauses 4.5.6 to 4.5.9)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.wire.body import restore
from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.facades.ngsi_ld.wire.kinds import BY_KIND, NGSI_NULL
from dothi.facades.ngsi_ld.wire.languages import in_language
from dothi.facades.ngsi_ld.wire.names import attribute_name
from dothi.facades.ngsi_ld.wire.past import ORIGIN_MEMBERS, PastInstance
from dothi.facades.ngsi_ld.wire.representation import Format, Writer
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.row import Kind
from dothi.ports.evolution import EvolutionHead

_SCOPE = "scope"


class TemporalFormat(StrEnum):
    NORMALIZED = "normalized"
    VALUES = "temporalValues"
    AGGREGATED = "aggregatedValues"


class TemporalWriter(Struct, frozen=True):
    """Writes evolutions with one @context in one format."""

    context: LdContext
    format: TemporalFormat
    time_of: Callable[[PastInstance], datetime]
    """The time that stands beside a value in a pair."""
    has_system_attributes: bool = False
    language: str = ""

    def head(self, head: EvolutionHead) -> dict[str, Any]:
        """id, type and the times of the entity."""
        found: dict[str, Any] = {"id": head.id}
        if head.types:
            found["type"] = self._writer().types(head.types)
        if self.has_system_attributes and self.format is TemporalFormat.NORMALIZED:
            found["createdAt"] = format_date_time(head.created_at)
            found["modifiedAt"] = format_date_time(head.modified_at)
            if head.deleted_at is not None and head.deleted_at > head.created_at:
                found["deletedAt"] = format_date_time(head.deleted_at)
        return found

    def entity(
        self, head: EvolutionHead, rows: Mapping[str, Sequence[PastInstance]]
    ) -> dict[str, Any]:
        """The JSON object of an evolution; `rows` by stored attribute name."""
        found = self.head(head)
        kinds = {series.name: series.kind for series in head.series}
        for name, instances in rows.items():
            wire = name if name == _SCOPE else attribute_name(self.context, name)
            if self.format is TemporalFormat.VALUES:
                found[wire] = self._values(name, instances, kinds.get(name, Kind.PROPERTY))
            else:
                found[wire] = [self._instance(row) for row in instances]
        return found

    def _instance(self, row: PastInstance) -> dict[str, Any]:
        found = self._writer().normalized(self._restored(row))
        if row.name != _SCOPE:
            # A scope has no other sub-Properties than its times (clause 4.5.6).
            found["instanceId"] = row.instance_id
        if self.has_system_attributes and not row.is_deletion:
            found["createdAt"] = format_date_time(row.created_at)
            found["modifiedAt"] = format_date_time(row.committed_at)
        if row.is_deletion:
            found["deletedAt"] = format_date_time(row.committed_at)
        return found

    def _values(self, name: str, rows: Sequence[PastInstance], kind: Kind) -> Any:
        """One object per datasetId with its [value, time] pairs."""
        by_dataset: dict[tuple[str, Kind], list[list[Any]]] = {}
        writer = self._writer()
        for row in rows:
            instance = self._restored(row)
            pair = [writer.simplified(instance), format_date_time(self.time_of(row))]
            by_dataset.setdefault((row.dataset, instance.kind), []).append(pair)
        if not rows:
            by_dataset["", kind] = []
        found = []
        for (dataset, of_kind), pairs in sorted(by_dataset.items()):
            shape = BY_KIND[of_kind]
            one: dict[str, Any] = {"type": shape.name}
            one |= {"datasetId": dataset} if dataset else {}
            found.append(one | {shape.values_key: pairs})
        return found[0] if len(found) == 1 else found

    def _restored(self, row: PastInstance) -> Instance:
        if row.is_deletion:
            return Instance(row.name, row.kind, _null(row), row.dataset)
        instance = restore(row.name, row.kind, row, row.dataset, row.observed_at)
        for name in ORIGIN_MEMBERS:
            instance.members.pop(name, None)
        if row.name == _SCOPE and isinstance(instance.value, list) and len(instance.value) == 1:
            return replace(instance, value=instance.value[0])
        return in_language(instance, self.language) if self.language else instance

    def _writer(self) -> Writer:
        is_simple = self.format is TemporalFormat.VALUES
        of_instances = Format.SIMPLIFIED if is_simple else Format.NORMALIZED
        return Writer(self.context, of_instances, self.has_system_attributes)


def _null(row: PastInstance) -> Any:
    """What stands for the value that a deleted attribute no longer has (clauses 4.5.7, 4.5.8)."""
    if row.name == _SCOPE:
        return []
    return {"@none": NGSI_NULL} if row.kind is Kind.LANGUAGE_PROPERTY else NGSI_NULL
