"""Linked entities in notifications (clause 4.5.23): flat beside them, or inside relationships."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.wire.body import restore
from dothi.facades.ngsi_ld.wire.names import attribute_name
from dothi.facades.ngsi_ld.wire.projection import WHOLE, Projection
from dothi.model.row import Kind
from dothi.ports.entity_query import StoredEntity

Load = Callable[[Sequence[str]], list[StoredEntity]]
Write = Callable[[StoredEntity], dict[str, Any]]
_LINKS = frozenset({Kind.RELATIONSHIP, Kind.LIST_RELATIONSHIP})
MAX_LINKED = 1000
"""So many linked entities per notification at most."""


def linked_entities(roots: Sequence[StoredEntity], level: int, load: Load) -> list[StoredEntity]:
    """What the entities lead to within `level` steps, each once, nearest first. Blocking."""
    found: dict[str, StoredEntity] = {}
    known = {root.id for root in roots}
    frontier: Iterable[StoredEntity] = roots
    for _ in range(level):
        wanted = [uri for uri in _targets(frontier) if uri not in known]
        wanted = wanted[: MAX_LINKED - len(found)]
        if not wanted:
            break
        known |= set(wanted)
        frontier = load(wanted)
        found |= {entity.id: entity for entity in frontier}
    return list(found.values())


def inlined(
    item: dict[str, Any],
    entity: StoredEntity,
    linked: dict[str, StoredEntity],
    level: int,
    output: tuple[LdContext, Write, bool],
    projection: Projection = WHOLE,
) -> dict[str, Any]:
    """The item with its relationships holding the entities that they lead to.

    `projection`: of the item; what it says of linked entities is done to them (4.21).
    `output`: the @context, how an entity is written, and whether the form is simplified.
    """
    context, write, is_simple = output
    found = dict(item)
    for attribute in entity.attributes:
        name = attribute_name(context, attribute.name)
        if attribute.kind not in _LINKS or name not in found:
            continue

        below = projection.below(attribute.name)

        def held(uri: str, below: Projection = below) -> dict[str, Any] | None:
            target = linked.get(uri)
            if target is None:
                return None
            written = write(target)
            if level > 1:
                written = inlined(written, target, linked, level - 1, output, below)
            return _kept(written, target, below, context)

        found[name] = _filled(found[name], held, is_simple)
    return found


def _kept(
    item: dict[str, Any], entity: StoredEntity, projection: Projection, context: LdContext
) -> dict[str, Any]:
    if projection is WHOLE:
        return item
    names = {context.wire(a.name): a.name for a in entity.attributes}
    return {key: value for key, value in item.items() if projection.keeps(names.get(key, key))}


def _filled(value: Any, held: Callable[[str], Any], is_simple: bool) -> Any:
    """A relationship, or several instances of it, with `entity` or `entityList`."""
    if is_simple:
        if isinstance(value, str):
            return held(value) or value
        if isinstance(value, list):
            return [held(one) or one if isinstance(one, str) else one for one in value]
        return value
    if isinstance(value, list):
        return [_filled(one, held, is_simple) for one in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("object"), str):
        entity = held(value["object"])
        return value if entity is None else {**value, "entity": entity}
    targets = value.get("object") or [one.get("object") for one in value.get("objectList", ())]
    entities = [one for uri in targets if (one := held(uri)) is not None]
    key = "entityList" if "objectList" in value else "entity"
    return {**value, key: entities} if entities else value


def _targets(entities: Iterable[StoredEntity]) -> list[str]:
    found: dict[str, None] = {}
    for entity in entities:
        for attribute in entity.attributes:
            if attribute.kind in _LINKS:
                value = restore(attribute.name, attribute.kind, attribute).value
                parts = value if isinstance(value, list) else [value]
                found |= dict.fromkeys(part for part in parts if isinstance(part, str))
    return list(found)
