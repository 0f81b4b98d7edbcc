"""The kinds of attributes and the members that carry their values (clauses 4.5.2 to 4.5.4)."""

from dataclasses import dataclass
from typing import Any

from dothi.model.row import Kind


@dataclass(frozen=True, slots=True)
class Shape:
    kind: Kind
    name: str
    """Value of `type`."""
    value_key: str
    """Member that carries the value."""
    values_key: str
    """Member of the simplified temporal representation."""


_SHAPES = (
    Shape(Kind.PROPERTY, "Property", "value", "values"),
    Shape(Kind.RELATIONSHIP, "Relationship", "object", "objects"),
    Shape(Kind.GEO_PROPERTY, "GeoProperty", "value", "values"),
    Shape(Kind.LANGUAGE_PROPERTY, "LanguageProperty", "languageMap", "languageMaps"),
    Shape(Kind.VOCAB_PROPERTY, "VocabProperty", "vocab", "vocabs"),
    Shape(Kind.JSON_PROPERTY, "JsonProperty", "json", "jsons"),
    Shape(Kind.LIST_PROPERTY, "ListProperty", "valueList", "valueLists"),
    Shape(Kind.LIST_RELATIONSHIP, "ListRelationship", "objectList", "objectLists"),
)
BY_KIND = {shape.kind: shape for shape in _SHAPES}
BY_NAME = {shape.name: shape for shape in _SHAPES}
BY_VALUE_KEY = {s.value_key: s for s in _SHAPES if s.kind is not Kind.GEO_PROPERTY}


def names_kind(raw: dict[str, Any]) -> bool:
    """Whether `type` of the object is a kind of attribute."""
    named = raw.get("type")
    return isinstance(named, str) and named in BY_NAME


BARE_WHEN_SIMPLE = frozenset(
    {Kind.PROPERTY, Kind.RELATIONSHIP, Kind.GEO_PROPERTY, Kind.LIST_RELATIONSHIP}
)
"""Kinds whose simplified form is the value itself."""

SYSTEM_MEMBERS = frozenset({"createdAt", "modifiedAt", "deletedAt", "instanceId"})
"""The broker makes them; what a request says about them is passed over (clause 5.5.4)."""

PLAIN_MEMBERS = frozenset({"objectType", "valueType", "expiresAt", "ngsildproof"})
"""Members of an attribute that are no sub-attributes and are kept as they are."""

NGSI_NULL = "urn:ngsi-ld:null"
"""Means "delete this" in a request that changes something."""
