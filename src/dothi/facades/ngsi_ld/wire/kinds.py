"""The kinds of attributes and the members that carry their values (clauses 4.5.2 to 4.5.4)."""

from typing import Any

from msgspec import Struct

from dothi.model.row import Kind


class Shape(Struct, frozen=True):
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
    {
        Kind.PROPERTY,
        Kind.RELATIONSHIP,
        Kind.GEO_PROPERTY,
        Kind.LIST_PROPERTY,
        Kind.LIST_RELATIONSHIP,
    }
)
"""Kinds whose simplified form is the value itself."""

SYSTEM_MEMBERS = frozenset({"createdAt", "modifiedAt", "deletedAt", "instanceId"})
"""The broker makes them; what a request says about them is passed over (clause 5.5.4)."""

SEALED_MEMBERS = frozenset({"entityIdSealed", "entityTypeSealed"})
"""Members of ngsildproof, and of nothing else (clause 4.5.2.2)."""

NAMING_MEMBERS = frozenset({"objectType", "valueType", "entityTypeSealed"})
"""Plain members whose value is a name."""

LANGUAGE = "lang"
"""Tells the language of a text that was chosen out of several (clause 4.15)."""

_TOLD_MEMBERS = frozenset({"objectType", "valueType", "expiresAt"}) | SEALED_MEMBERS
PLAIN_MEMBERS = _TOLD_MEMBERS | {LANGUAGE}
"""Members of an attribute that are no sub-attributes."""

OUTPUT_MEMBERS = frozenset(
    {
        "entity",
        "entityList",
        "previousValue",
        "previousObject",
        "previousLanguageMap",
        "previousVocab",
        "previousJson",
        "previousValueList",
        "previousObjectList",
    }
)
"""Only answers and notifications hold them (clauses 4.5.2 to 4.5.24)."""

VALUE_KEYS = frozenset(BY_VALUE_KEY)

RESERVED_NAMES = (
    SYSTEM_MEMBERS
    | _TOLD_MEMBERS
    | OUTPUT_MEMBERS
    | VALUE_KEYS
    | {"id", "type", "scope", "datasetId", "observedAt", "unitCode"}
)
"""Core terms for members that are no attributes: an object with one of them is no mere value."""

NO_ATTRIBUTES = (RESERVED_NAMES - {"vocab"}) | {LANGUAGE}
"""Names that no attribute of an entity has (clause 4.5.1). `vocab` may be one: an entity has no
such member, and JSON-LD reads an attribute there as it reads it anywhere."""

UNITLESS = frozenset(
    {
        Kind.RELATIONSHIP,
        Kind.LIST_RELATIONSHIP,
        Kind.LANGUAGE_PROPERTY,
        Kind.VOCAB_PROPERTY,
        Kind.JSON_PROPERTY,
    }
)
"""Kinds that never have a unitCode (clauses 4.5.3, 4.5.18, 4.5.20, 4.5.24)."""

PROOF = "ngsildproof"

NGSI_NULL = "urn:ngsi-ld:null"
"""Means "delete this" in a request that changes something."""


_LANGUAGE_PROPERTY = Kind.LANGUAGE_PROPERTY
_LIST_KINDS = frozenset({Kind.LIST_PROPERTY, Kind.LIST_RELATIONSHIP})


def is_deletion(kind: Kind, value: Any) -> bool:
    """Whether a value is the NGSI-LD Null of its kind of attribute (clause 4.5.0)."""
    if isinstance(value, str):
        return value == NGSI_NULL
    if isinstance(value, list):
        return kind in _LIST_KINDS and value in ([NGSI_NULL], [{"object": NGSI_NULL}])
    return kind is _LANGUAGE_PROPERTY and value == {"@none": NGSI_NULL}
