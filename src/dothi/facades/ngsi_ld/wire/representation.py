"""Entities in answers: normalized, concise and simplified, with names of the request's @context."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.wire.body import from_canonical, restore
from dothi.facades.ngsi_ld.wire.geometry import is_geometry
from dothi.facades.ngsi_ld.wire.instance import Instance
from dothi.facades.ngsi_ld.wire.kinds import (
    BARE_WHEN_SIMPLE,
    BY_KIND,
    BY_NAME,
    NAMING_MEMBERS,
    PLAIN_MEMBERS,
    names_kind,
)
from dothi.facades.ngsi_ld.wire.times import format_date_time
from dothi.model.row import Kind
from dothi.ports.entity_query import StoredAttribute, StoredEntity

_VOCAB_MEMBERS = NAMING_MEMBERS


class Format(StrEnum):
    NORMALIZED = "normalized"
    CONCISE = "concise"
    SIMPLIFIED = "simplified"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes with one @context in one format."""

    context: LdContext
    format: Format = Format.NORMALIZED
    has_system_attributes: bool = False

    def entity(self, stored: StoredEntity) -> dict[str, Any]:
        """The JSON object of an entity, without @context."""
        found: dict[str, Any] = {"id": stored.id, "type": self.types(stored.types)}
        if stored.scope:
            found["scope"] = stored.scope[0] if len(stored.scope) == 1 else list(stored.scope)
        if self.has_system_attributes:
            found["createdAt"] = format_date_time(stored.created_at)
            found["modifiedAt"] = format_date_time(stored.modified_at)
        if stored.expires_at is not None:
            found["expiresAt"] = format_date_time(stored.expires_at)
        for name, group in groupby(stored.attributes, key=lambda a: a.name):
            written = self._attribute(group)
            if written is not None:
                found[self.context.wire(name)] = written
        return found

    def types(self, stored: tuple[str, ...]) -> str | list[str]:
        names = [self.context.wire(name) for name in stored]
        return names[0] if len(names) == 1 else names

    def _attribute(self, stored: Iterable[StoredAttribute]) -> Any:
        """All instances of one attribute; None when none of them has a value."""
        written: dict[str, Any] = {}
        for row in stored:
            instance = restore(row.name, row.kind, row, row.dataset, row.observed_at)
            if instance.value is not None:
                written[row.dataset] = self._instance(instance, row)
        if not written:
            return None
        if len(written) == 1 and (self.format is not Format.SIMPLIFIED or "" in written):
            return next(iter(written.values()))
        if self.format is Format.SIMPLIFIED:
            return {"dataset": {dataset or "@none": value for dataset, value in written.items()}}
        return list(written.values())

    def _instance(self, instance: Instance, row: StoredAttribute) -> Any:
        if self.format is Format.SIMPLIFIED:
            return self.simplified(instance)
        found = self.normalized(instance)
        if self.has_system_attributes:
            found["createdAt"] = format_date_time(row.created_at)
            found["modifiedAt"] = format_date_time(row.modified_at)
        return _concise(found) if self.format is Format.CONCISE else found

    def simplified(self, instance: Instance) -> Any:
        """The value alone, or under its key where a bare one could not be told apart."""
        value = self.value(instance)
        if instance.kind in BARE_WHEN_SIMPLE:
            return value
        return {BY_KIND[instance.kind].value_key: value}

    def value(self, instance: Instance) -> Any:
        """The value with names of the @context where it holds names."""
        if instance.kind is Kind.VOCAB_PROPERTY:
            return self._vocabulary(instance.value)
        if instance.kind is Kind.LIST_RELATIONSHIP and self.format is not Format.SIMPLIFIED:
            return [{"object": uri} for uri in instance.value]
        return instance.value

    def normalized(self, instance: Instance) -> dict[str, Any]:
        """type, value, unit, times, datasetId, then the other members."""
        shape = BY_KIND[instance.kind]
        found: dict[str, Any] = {"type": shape.name, shape.value_key: self.value(instance)}
        if instance.unit is not None:
            found["unitCode"] = instance.unit
        if instance.observed_at is not None:
            found["observedAt"] = format_date_time(instance.observed_at)
        if instance.dataset:
            found["datasetId"] = instance.dataset
        for name, member in instance.members.items():
            if name in _VOCAB_MEMBERS:
                found[name] = self._vocabulary(member)
            elif name in PLAIN_MEMBERS:
                found[name] = member
            else:
                found[self.context.wire(name)] = self._sub_attribute(name, member)
        return found

    def _sub_attribute(self, name: str, member: Any) -> Any:
        if isinstance(member, list):
            return [self._sub_attribute(name, part) for part in member]
        if not isinstance(member, dict) or not names_kind(member):
            return member
        found = self.normalized(from_canonical(name, member, BY_NAME[member["type"]].kind))
        return _concise(found) if self.format is Format.CONCISE else found

    def _vocabulary(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._vocabulary(part) for part in value]
        return self.context.wire(value) if isinstance(value, str) else value


def _concise(found: dict[str, Any]) -> Any:
    """Leave out what can be inferred: the type, and the wrapping of a lone value."""
    kind = found.pop("type")
    if kind in {"Property", "GeoProperty"} and found.keys() == {"value"}:
        value = found["value"]
        is_plain = not isinstance(value, dict) or is_geometry(value)
        return value if is_plain else found
    return found


def feature(
    entity: dict[str, Any], geometry: dict[str, Any] | None, context: Any
) -> dict[str, Any]:
    """A GeoJSON Feature of an entity (clause 4.5.16); `context` None leaves @context out."""
    rest = dict(entity)
    found = {
        "id": rest.pop("id"),
        "type": "Feature",
        "geometry": geometry,
        "properties": rest,
    }
    return found if context is None else found | {"@context": context}


def geometry_of(stored: StoredEntity, attribute: str, dataset: str = "") -> dict[str, Any] | None:
    """Value of a GeoProperty instance; None when there is none."""
    for row in stored.attributes:
        if (row.name, row.dataset, row.kind) == (attribute, dataset, Kind.GEO_PROPERTY):
            value = restore(row.name, row.kind, row).value
            return value if is_geometry(value) else None
    return None
