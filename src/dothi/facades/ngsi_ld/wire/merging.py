"""Changing a stored attribute instance: partial update (clause 5.5.8) and merge (clause 5.5.12)."""

from typing import Any

from msgspec.structs import replace

from dothi.facades.ngsi_ld.errors import bad_request_data
from dothi.facades.ngsi_ld.wire.body import canonical, from_canonical
from dothi.facades.ngsi_ld.wire.geometry import check_geometry, is_geometry
from dothi.facades.ngsi_ld.wire.instance import Instance, Patch
from dothi.facades.ngsi_ld.wire.kinds import (
    BY_KIND,
    BY_NAME,
    BY_VALUE_KEY,
    LANGUAGE,
    NGSI_NULL,
    PLAIN_MEMBERS,
    UNITLESS,
    VALUE_KEYS,
    is_deletion,
)
from dothi.facades.ngsi_ld.wire.values import is_literal
from dothi.model.row import Kind

_GEO_PROPERTY = Kind.GEO_PROPERTY
_PROPERTY = Kind.PROPERTY
_LANGUAGE_PROPERTY = Kind.LANGUAGE_PROPERTY
_LANG_STRING = frozenset({"langString", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"})
_REPLACED = PLAIN_MEMBERS | {"type", "unitCode", "observedAt", "datasetId"}
"""Members without an inner life."""


def partially_updated(old: Instance, patch: Patch) -> Instance:
    """The instance with the given members replaced and those given as Null deleted.

    Raises:
        NgsiError: BadRequestData, the patch is of another kind.
    """
    members = canonical(old) | patch.members
    kept = {name: member for name, member in members.items() if not _is_null(member)}
    return _instance(old, patch, kept)


def merged(old: Instance, patch: Patch) -> Instance:
    """The instance with the patch merged into it to any depth, as RFC 7396 does with null.

    Raises:
        NgsiError: BadRequestData, the patch is of another kind or what it adds is incomplete.
    """
    _check_kind(old.name, old.kind, patch)
    return _instance(old, patch, _merged_members(old.name, canonical(old), patch.members))


def appended(patch: Patch) -> Instance:
    """A new instance of a patch that has no target.

    Raises:
        NgsiError: BadRequestData, it has no value.
    """
    members = _completed(patch.name, patch.members)
    found = from_canonical(patch.name, members, BY_NAME[members["type"]].kind)
    return replace(found, dataset=patch.dataset)


def _instance(old: Instance, patch: Patch, members: dict[str, Any]) -> Instance:
    _check_kind(old.name, old.kind, patch)
    found = from_canonical(old.name, members, old.kind)
    if found.value is None:
        raise bad_request_data(f"{old.name}: the attribute has no value; send one")
    return found


def _check_kind(name: str, kind: Kind, patch: Patch) -> None:
    """The type of an attribute cannot be changed (clauses 5.6.4 and 6.5.3.4)."""
    told = patch.kind
    if told is None:
        _check_members(name, kind, patch.members)
        key = next((key for key in patch.members if key in VALUE_KEYS), "")
        if key == "value" and kind is _GEO_PROPERTY:
            _check_geometry(name, patch.members[key])
            return
        told = BY_VALUE_KEY[key].kind if key else kind
    if told is not kind:
        raise bad_request_data(
            f"{name}: the attribute is a {BY_KIND[kind].name}, not a {BY_KIND[told].name}"
        )


def _check_members(name: str, kind: Kind, members: dict[str, Any]) -> None:
    """A change that does not say the kind could not be checked for it when it was read."""
    if kind in UNITLESS and not _is_null(members.get("unitCode", NGSI_NULL)):
        raise bad_request_data(f"{name}: a {BY_KIND[kind].name} has no unitCode")
    if kind is not _LANGUAGE_PROPERTY:
        return
    if not _is_null(members.get(LANGUAGE, NGSI_NULL)):
        raise bad_request_data(f"{name}.{LANGUAGE}: the languageMap tells the languages")
    value_type = members.get("valueType", NGSI_NULL)
    if not _is_null(value_type) and value_type not in _LANG_STRING:
        raise bad_request_data(f"{name}: the valueType of a LanguageProperty is langString")


def _check_geometry(name: str, value: Any) -> None:
    try:
        check_geometry(value, name)
    except ValueError as error:
        raise bad_request_data(str(error)) from error


def _is_null(member: Any) -> bool:
    return isinstance(member, str) and member == NGSI_NULL


def _merged_members(where: str, old: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    found = dict(old)
    for name, change in patch.items():
        if _is_null(change):
            found.pop(name, None)
        elif name in VALUE_KEYS:
            found[name] = _merged_value(found.get(name), change)
        elif name in _REPLACED:
            found[name] = change
        else:
            member = _merged_sub_attribute(f"{where}.{name}", found.get(name), change)
            if member is None:
                found.pop(name, None)
            else:
                found[name] = member
    return found


def _merged_value(old: Any, change: Any) -> Any:
    """RFC 7396 with NGSI-LD Null in the place of null."""
    if not isinstance(change, dict) or is_literal(change):
        return change
    found = dict(old) if isinstance(old, dict) else {}
    for name, part in change.items():
        if _is_null(part):
            found.pop(name, None)
        else:
            found[name] = _merged_value(found.get(name), part)
    return found


def _merged_sub_attribute(where: str, old: Any, change: Any) -> Any:
    """Instances are told apart by datasetId; None when nothing is left."""
    instances = {part.get("datasetId", ""): part for part in _list(old)}
    for part in _list(change):
        dataset = part.get("datasetId", "")
        target = instances.get(dataset)
        if _deletes(part):
            instances.pop(dataset, None)
        elif target is None:
            instances[dataset] = _completed(where, part)
        else:
            told = BY_NAME[part["type"]].kind if "type" in part else None
            _check_kind(where, BY_NAME[target["type"]].kind, Patch("", "", told, part))
            instances[dataset] = _merged_members(where, target, part)
    left = list(instances.values())
    return left if len(left) > 1 else (left[0] if left else None)


def _list(found: Any) -> list[Any]:
    if isinstance(found, list):
        return found
    return [found] if isinstance(found, dict) else []


def _deletes(part: dict[str, Any]) -> bool:
    return any(_is_null(part.get(key)) for key in VALUE_KEYS)


def _completed(where: str, members: dict[str, Any]) -> dict[str, Any]:
    """A canonical attribute of a patch: it needs a value, what it deletes is not there."""
    key = next((key for key in members if key in VALUE_KEYS), "")
    value = members.get(key)
    if not key or is_deletion(_PROPERTY, value):
        raise bad_request_data(f"{where}: there is no such attribute yet; send its value")
    named = members.get("type")
    if named is None:
        is_geo = is_geometry(value) and key == "value"
        named = "GeoProperty" if is_geo else BY_VALUE_KEY[key].name
    return _merged_members(where, {"type": named}, members)
