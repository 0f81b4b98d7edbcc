"""Registrations in answers: names of the request's @context, counters, chosen information."""

from collections.abc import Iterable, Mapping
from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.registrations.reading import MEMBER_NAMES


def written(document: Mapping[str, Any], context: LdContext) -> dict[str, Any]:
    """The JSON object of a kept document, without @context."""
    found: dict[str, Any] = {}
    for name, value in document.items():
        if name == "information":
            found[name] = [_information(part, context) for part in value]
        elif name in MEMBER_NAMES:
            found[name] = value
        else:
            found[context.wire(name)] = value
    return found


def entity_written(entity: Mapping[str, Any], context: LdContext) -> dict[str, Any]:
    """An element of `entities` with names of the @context."""
    types = entity.get("type")
    if types is None:
        return dict(entity)
    shown = context.wire(types) if isinstance(types, str) else _names(types, context)
    return {**entity, "type": shown}


def _information(part: Mapping[str, Any], context: LdContext) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in part.items():
        if name == "entities":
            found[name] = [entity_written(entity, context) for entity in value]
        else:
            found[name] = _names(value, context)
    return found


def _names(stored: Iterable[str], context: LdContext) -> list[str]:
    return [context.wire(name) for name in stored]
