"""A body in the names of another @context (clause 4.3.6.6, `jsonldContext`)."""

from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.wire.kinds import BY_VALUE_KEY, PLAIN_MEMBERS, SYSTEM_MEMBERS

_ENTITY = frozenset({"id", "type", "scope", "expiresAt"}) | SYSTEM_MEMBERS
_MEMBERS = (
    frozenset({"type", "unitCode", "observedAt", "datasetId", "lang"})
    | frozenset(BY_VALUE_KEY)
    | PLAIN_MEMBERS
    | SYSTEM_MEMBERS
)
_NAMED = frozenset({"vocab", "objectType", "valueType"})


def recompacted(document: Any, old: LdContext, new: LdContext) -> Any:
    """An entity, or a piece of one, with the names of `new`; without @context."""
    if old is new:
        return {name: value for name, value in document.items() if name != "@context"}
    found: dict[str, Any] = {}
    for name, value in document.items():
        plain = {"@id": "id", "@type": "type"}.get(old.keyword(name), name)
        if name == "@context":
            continue
        if plain == "type":
            found["type"] = renamed(value, old, new)
        elif plain in _ENTITY:
            found[plain] = value
        else:
            found[new.wire(old.stored(name))] = attribute(value, old, new)
    return found


def attribute(value: Any, old: LdContext, new: LdContext) -> Any:
    """An attribute, or all instances of one, with the names of `new` inside."""
    if old is new:
        return value
    if isinstance(value, list):
        return [attribute(part, old, new) for part in value]
    if not isinstance(value, dict) or not _is_reified(value):
        return value
    found: dict[str, Any] = {}
    for name, member in value.items():
        if name in _NAMED:
            found[name] = renamed(member, old, new)
        elif name in _MEMBERS:
            found[name] = member
        else:
            found[new.wire(old.stored(name))] = attribute(member, old, new)
    return found


def renamed(value: Any, old: LdContext, new: LdContext) -> Any:
    """A name or an array of names."""
    if isinstance(value, list):
        return [renamed(part, old, new) for part in value]
    return new.wire(old.stored(value)) if isinstance(value, str) else value


def _is_reified(value: dict[str, Any]) -> bool:
    """Whether it is an attribute with members, not a bare geometry."""
    return "coordinates" not in value and (
        "type" in value or not BY_VALUE_KEY.keys().isdisjoint(value)
    )
