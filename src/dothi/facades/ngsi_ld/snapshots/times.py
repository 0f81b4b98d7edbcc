"""Takes the times of the system out of entities, so that they can be written and then dated."""

from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.wire.times import parse_date_time
from dothi.ports.hubs import EntityTimes

_SYSTEM = ("createdAt", "modifiedAt", "deletedAt", "instanceId")
_VALUE_KEYS = frozenset(
    {"value", "object", "languageMap", "vocab", "json", "valueList", "objectList"}
)
_HEAD = frozenset({"id", "type", "scope", "@context", "expiresAt"})


def without_times(entity: dict[str, Any]) -> dict[str, Any]:
    """The entity as somebody would send it."""
    return {
        name: value if name in _HEAD else _plain(value)
        for name, value in entity.items()
        if name not in _SYSTEM
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if not isinstance(value, dict) or not _VALUE_KEYS & value.keys():
        return value
    return {
        name: part if name in _VALUE_KEYS else _plain(part)
        for name, part in value.items()
        if name not in _SYSTEM
    }


def times_of(entity: dict[str, Any], context: LdContext) -> EntityTimes | None:
    """When it and its attributes were created and changed; None when it does not say."""
    if "createdAt" not in entity or "modifiedAt" not in entity:
        return None
    attributes = []
    for name, value in entity.items():
        if name in _HEAD or name in _SYSTEM:
            continue
        for instance in value if isinstance(value, list) else [value]:
            if isinstance(instance, dict) and "createdAt" in instance:
                made = parse_date_time(instance["createdAt"])
                changed = parse_date_time(instance.get("modifiedAt", instance["createdAt"]))
                dataset = str(instance.get("datasetId", ""))
                attributes.append((context.stored(name), dataset, made, changed))
    return EntityTimes(
        str(entity["id"]),
        parse_date_time(entity["createdAt"]),
        parse_date_time(entity["modifiedAt"]),
        tuple(attributes),
    )
