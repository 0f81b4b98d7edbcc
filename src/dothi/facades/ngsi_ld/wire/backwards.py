"""Entities as earlier versions of the specification knew them (clause 4.3.6.8)."""

from typing import Any

Version = tuple[int, int]

NEWEST: Version = (1, 9)

_REFORMATTED = {
    "LanguageProperty": ((1, 4), "languageMap", "Property"),
    "JsonProperty": ((1, 8), "json", "Property"),
    "VocabProperty": ((1, 8), "vocab", "Property"),
    "ListProperty": ((1, 8), "valueList", "Property"),
    "ListRelationship": ((1, 8), "objectList", "Relationship"),
}
"""Type of attribute -> version that introduced it, the key of its value, what it was before."""
_ATTRIBUTE_MEMBERS = {
    "expiresAt": (1, 9),
    "valueType": (1, 9),
    "objectType": (1, 8),
    "datasetId": (1, 3),
    "observedAt": (1, 3),
    "unitCode": (1, 3),
}
_ENTITY_MEMBERS = {"expiresAt": (1, 9), "scope": (1, 4)}
_MANY: Version = (1, 3)
"""Several types of an entity, several instances of an attribute."""
_OPAQUE = frozenset({"value", "languageMap", "json", "vocab", "valueList", "object", "objectList"})


def conform(document: Any, version: Version) -> Any:
    """An entity, a GeoJSON feature of one, or an array of entities, as `version` allows them."""
    if isinstance(document, list):
        return [conform(part, version) for part in document]
    if not isinstance(document, dict):
        return document
    if document.get("type") == "FeatureCollection":
        return {**document, "features": conform(document.get("features"), version)}
    if document.get("type") == "Feature" and isinstance(document.get("properties"), dict):
        return {**document, "properties": _entity(document["properties"], version)}
    return _entity(document, version)


def _entity(entity: dict[str, Any], version: Version) -> dict[str, Any]:
    found = {}
    for name, value in entity.items():
        if version < _ENTITY_MEMBERS.get(name, (0, 0)):
            continue
        if name == "type" and isinstance(value, list) and version < _MANY:
            value = value[0]
        found[name] = value if name in {"id", "type", "scope", "@context"} else _any(value, version)
    return found


def _any(value: Any, version: Version) -> Any:
    """What stands under a name: an attribute, its instances, or a plain value."""
    if isinstance(value, list) and value and all(_is_attribute(part) for part in value):
        if version >= _MANY:
            return [_attribute(part, version) for part in value]
        default = next((part for part in value if "datasetId" not in part), value[0])
        return _attribute(default, version)
    return _attribute(value, version) if _is_attribute(value) else value


def _is_attribute(value: Any) -> bool:
    return isinstance(value, dict) and bool(_OPAQUE & value.keys())


def _attribute(attribute: dict[str, Any], version: Version) -> dict[str, Any]:
    since, key, before = _REFORMATTED.get(_type_of(attribute), ((0, 0), "", ""))
    found = {}
    for name, value in attribute.items():
        if version < _ATTRIBUTE_MEMBERS.get(name, (0, 0)):
            continue
        if version < since and name == "type":
            found["type"] = before
        elif version < since and name == key:
            found["object" if before == "Relationship" else "value"] = _plain(name, value)
        else:
            found[name] = value if name in _OPAQUE else _any(value, version)
    return found


def _type_of(attribute: dict[str, Any]) -> str:
    """Its type, or the one that the key of its value tells where it is concise."""
    named = attribute.get("type")
    if isinstance(named, str):
        return named
    return next((kind for kind, (_, key, _) in _REFORMATTED.items() if key in attribute), "")


def _plain(name: str, value: Any) -> Any:
    if name != "objectList" or not isinstance(value, list):
        return value
    return [part.get("object", part) if isinstance(part, dict) else part for part in value]
