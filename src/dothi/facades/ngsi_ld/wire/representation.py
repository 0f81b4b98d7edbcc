"""Entities in answers: normalized, concise and simplified, with names of the request's @context."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

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
from dothi.facades.ngsi_ld.wire.language import LanguageFilter
from dothi.facades.ngsi_ld.wire.names import attribute_name
from dothi.facades.ngsi_ld.wire.projection import WHOLE, Projection
from dothi.facades.ngsi_ld.wire.times import format_date_time, is_over, parse_date_time
from dothi.model.row import Kind
from dothi.ports.entity_query import StoredAttribute, StoredEntity

_VOCAB_MEMBERS = NAMING_MEMBERS
_WRITTEN_AS_IS = PLAIN_MEMBERS | {"observedAt"}
_BARE = frozenset({"Property", "GeoProperty"})


class Format(StrEnum):
    NORMALIZED = "normalized"
    CONCISE = "concise"
    SIMPLIFIED = "simplified"


class Budget(Struct):
    """How many entities may still be written inside others: graphs unfold without bounds."""

    left: int = 10_000

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


class Links(Struct, frozen=True):
    """Linked entities that are written inside the relationships that lead to them."""

    entities: Mapping[str, StoredEntity]
    levels: int
    """How many more links may be followed."""
    passed: frozenset[str] = frozenset()
    """Ids on the way here; they are not written again."""
    budget: Budget = field(default_factory=Budget)

    def next(self, entity_id: str) -> "Links | None":
        """The links of an entity that these lead to; None when it is not written."""
        if not self.levels or entity_id in self.passed or entity_id not in self.entities:
            return None
        if not self.budget.take():
            return None
        return Links(self.entities, self.levels - 1, self.passed | {entity_id}, self.budget)


_NO_LINKS = Links({}, 0)


class Writer(Struct, frozen=True):
    """Writes with one @context in one format."""

    context: LdContext
    format: Format = Format.NORMALIZED
    has_system_attributes: bool = False
    language: LanguageFilter | None = None
    """Reduces language maps to one language (clause 4.15)."""
    datasets: frozenset[str] = field(default_factory=frozenset)
    """Only instances of these; the default one is "". Empty: all."""

    def entity(
        self, stored: StoredEntity, projection: Projection = WHOLE, links: Links = _NO_LINKS
    ) -> dict[str, Any]:
        """The JSON object of an entity, without @context."""
        found: dict[str, Any] = {"id": stored.id, "type": self.types(stored.types)}
        if stored.scope:
            found["scope"] = stored.scope[0] if len(stored.scope) == 1 else list(stored.scope)
        if projection is not WHOLE:
            found = {name: value for name, value in found.items() if projection.keeps(name)}
        if self.has_system_attributes:
            found["createdAt"] = format_date_time(stored.created_at)
            found["modifiedAt"] = format_date_time(stored.modified_at)
            if stored.expires_at is not None:
                found["expiresAt"] = format_date_time(stored.expires_at)
        for name, rows in _by_name(stored.attributes):
            if projection is not WHOLE and not projection.keeps(name):
                continue
            below = projection if projection is WHOLE else projection.below(name)
            if len(rows) == 1 and not (rows[0].dataset or self.datasets or links.levels):
                written = self._alone(rows[0])
            else:
                written = self._attribute(rows, below, links)
            if written is not None:
                found[attribute_name(self.context, name)] = written
        return found

    def types(self, stored: tuple[str, ...]) -> str | list[str]:
        names = [self.context.wire(name) for name in stored]
        return names[0] if len(names) == 1 else names

    def _alone(self, row: StoredAttribute) -> Any:
        """The only instance of an attribute, a default one; None when it is not to be shown."""
        instance = restore(row.name, row.kind, row, "", row.observed_at)
        return None if instance.value is None else self._instance(instance, row)

    def _attribute(
        self, stored: Iterable[StoredAttribute], projection: Projection, links: Links
    ) -> Any:
        """All instances of one attribute; None when none of them is to be shown."""
        written: dict[str, Any] = {}
        for row in stored:
            if self.datasets and row.dataset not in self.datasets:
                continue
            instance = restore(row.name, row.kind, row, row.dataset, row.observed_at)
            if instance.value is None:
                continue
            found = self._instance(instance, row)
            if links.levels and instance.kind in _LINKING:
                found = self._linked(instance, found, projection, links)
            written[row.dataset] = found
        if not written:
            return None
        if len(written) == 1 and (self.format is not Format.SIMPLIFIED or "" in written):
            return next(iter(written.values()))
        if self.format is Format.SIMPLIFIED:
            return {"dataset": {dataset or "@none": value for dataset, value in written.items()}}
        return list(written.values())

    def _linked(self, instance: Instance, found: Any, projection: Projection, links: Links) -> Any:
        """The relationship with the entities that it leads to (clause 4.5.23.2)."""
        is_many = isinstance(instance.value, list)
        written = {
            uri: self.entity(links.entities[uri], projection, onward)
            for uri in (instance.value if is_many else [instance.value])
            if (onward := links.next(uri)) is not None
        }
        if not written:
            return found
        if self.format is Format.SIMPLIFIED:
            whole = [written.get(uri, uri) for uri in instance.value] if is_many else None
            return whole or next(iter(written.values()))
        if instance.kind is Kind.LIST_RELATIONSHIP:
            return {**found, "entityList": list(written.values())}
        many = list(written.values())
        return {**found, "entity": many if is_many else many[0]}

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
        if self.language is not None and instance.kind is Kind.LANGUAGE_PROPERTY:
            return instance.value[self.language.choose(instance.value)]
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
        if self.language is not None and instance.kind is Kind.LANGUAGE_PROPERTY:
            tag = self.language.choose(instance.value)
            found: dict[str, Any] = {"type": "Property", "value": instance.value[tag], "lang": tag}
        else:
            shape = BY_KIND[instance.kind]
            value = self.value(instance) if instance.kind in _RENAMED else instance.value
            found = {"type": shape.name, shape.value_key: value}
        if instance.unit is not None:
            found["unitCode"] = instance.unit
        if instance.observed_at is not None:
            found["observedAt"] = format_date_time(instance.observed_at)
        if instance.dataset:
            found["datasetId"] = instance.dataset
        for name, member in instance.members.items():
            if name in _VOCAB_MEMBERS:
                found[name] = self._vocabulary(member)
            elif name not in _WRITTEN_AS_IS:
                below = self._sub_attribute(name, member)
                if below is not None:
                    found[self.context.wire(name)] = below
            elif self._is_shown(name, member, instance):
                found[name] = member
        return found

    def _is_shown(self, name: str, member: Any, instance: Instance) -> bool:
        if name == "observedAt":
            # Whoever wrote a newer value may have left the text of an older time.
            return parse_date_time(member) == instance.observed_at
        return name != "expiresAt" or self.has_system_attributes

    def _sub_attribute(self, name: str, member: Any) -> Any:
        """One sub-attribute, or all instances of it; None when it has expired."""
        if isinstance(member, list):
            parts = [self._sub_attribute(name, part) for part in member]
            return [part for part in parts if part is not None] or None
        if not isinstance(member, dict) or not names_kind(member):
            return member
        if "expiresAt" in member and is_over(member["expiresAt"]):
            return None
        found = self.normalized(from_canonical(name, member, BY_NAME[member["type"]].kind))
        return _concise(found) if self.format is Format.CONCISE else found

    def _vocabulary(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._vocabulary(part) for part in value]
        return self.context.wire(value) if isinstance(value, str) else value


def _by_name(rows: tuple[StoredAttribute, ...]) -> Iterable[tuple[str, Sequence[StoredAttribute]]]:
    """Each attribute with its instances, which stand together."""
    start = 0
    for end in range(1, len(rows) + 1):
        name = rows[start].name
        if end == len(rows) or rows[end].name != name:
            yield name, rows[start:end]
            start = end


_RENAMED = frozenset({Kind.VOCAB_PROPERTY, Kind.LIST_RELATIONSHIP})
"""Kinds whose value is written otherwise than it is held."""
_LINKING = frozenset({Kind.RELATIONSHIP, Kind.LIST_RELATIONSHIP})


def _concise(found: dict[str, Any]) -> Any:
    """Leave out what can be inferred: the type, and the wrapping of a lone value."""
    kind = found.pop("type")
    if kind in _BARE and found.keys() == {"value"} and _is_plain(found["value"]):
        return found["value"]
    return found


def _is_plain(value: Any) -> bool:
    """Whether a bare value is read as itself, not as an attribute or instances of one."""
    if isinstance(value, dict):
        return is_geometry(value)
    return not (isinstance(value, list) and any(isinstance(part, dict) for part in value))


def feature(
    entity_id: str, entity: dict[str, Any], geometry: dict[str, Any] | None, context: Any
) -> dict[str, Any]:
    """A GeoJSON Feature of an entity (clause 4.5.16); `context` None leaves @context out."""
    rest = dict(entity)
    found = {
        "id": rest.pop("id", entity_id),
        "type": "Feature",
        "geometry": geometry,
        "properties": rest,
    }
    return found if context is None else found | {"@context": context}


def geometry_of(
    stored: StoredEntity, attribute: str, datasets: frozenset[str] = frozenset()
) -> dict[str, Any] | None:
    """Value of the GeoProperty: of the default instance, else of the one that is left.

    None when there is none, or when nothing says which of several (clause 4.5.16.1).
    """
    rows = [
        row
        for row in stored.attributes
        if row.name == attribute
        and row.kind is Kind.GEO_PROPERTY
        and (not datasets or row.dataset in datasets)
    ]
    chosen = [row for row in rows if not row.dataset] or rows
    if len(chosen) != 1:
        return None
    value = restore(attribute, Kind.GEO_PROPERTY, chosen[0]).value
    return value if is_geometry(value) else None
