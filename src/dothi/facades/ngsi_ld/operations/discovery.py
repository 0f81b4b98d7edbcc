"""What types and attributes there are (clauses 5.7.5 to 5.7.10; data types 5.2.24 to 5.2.28)."""

import asyncio
import uuid
from collections.abc import Iterable
from typing import Any

from dothi.facades.ngsi_ld.context.core import DEFAULT_VOCAB
from dothi.facades.ngsi_ld.context.names import LdContext, iri_of_stored
from dothi.facades.ngsi_ld.errors import not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.wire.kinds import BY_KIND, NO_ATTRIBUTES
from dothi.facades.ngsi_ld.wire.names import attribute_name
from dothi.model.row import Kind
from dothi.ports.inventory import Usage


async def list_types(broker: Broker, context: LdContext) -> dict[str, Any]:
    """EntityTypeList."""
    found = await asyncio.to_thread(broker.inventory.types)
    return _list("EntityTypeList", "typeList", sorted(map(context.wire, found)))


async def describe_types(broker: Broker, context: LdContext) -> list[dict[str, Any]]:
    """EntityType of every type, also of those whose entities have no attributes."""
    types = await asyncio.to_thread(broker.inventory.types)
    names: dict[str, list[str]] = {name: [] for name in types}
    for usage in await asyncio.to_thread(broker.inventory.usage):
        names.setdefault(usage.type, []).append(attribute_name(context, usage.attribute))
    return [
        {
            "id": iri_of_stored(name),
            "type": "EntityType",
            "typeName": context.wire(name),
            "attributeNames": attributes,
        }
        for name, attributes in names.items()
    ]


async def describe_type(broker: Broker, context: LdContext, name: str) -> dict[str, Any]:
    """EntityTypeInfo. Raises ResourceNotFound when no entity has the type."""
    stored = context.stored(name)
    count = await asyncio.to_thread(broker.inventory.count, stored)
    if not count:
        raise not_found(f"no entity has the type {context.expand(name)}")
    usages = await asyncio.to_thread(broker.inventory.usage, stored)
    return {
        "id": iri_of_stored(stored),
        "type": "EntityTypeInfo",
        "typeName": context.wire(stored),
        "entityCount": count,
        "attributeDetails": [
            _attribute(context, usage.attribute) | {"attributeTypes": _kinds(usage.kinds)}
            for usage in usages
        ],
    }


async def list_attributes(broker: Broker, context: LdContext) -> dict[str, Any]:
    """AttributeList."""
    usages = await asyncio.to_thread(broker.inventory.usage)
    names = sorted({attribute_name(context, usage.attribute) for usage in usages})
    return _list("AttributeList", "attributeList", names)


async def describe_attributes(broker: Broker, context: LdContext) -> list[dict[str, Any]]:
    """Attribute of every attribute, with the types that have it."""
    types: dict[str, list[str]] = {}
    for usage in await asyncio.to_thread(broker.inventory.usage):
        types.setdefault(usage.attribute, []).append(context.wire(usage.type))
    return [_attribute(context, name) | {"typeNames": types[name]} for name in sorted(types)]


async def describe_attribute(broker: Broker, context: LdContext, name: str) -> dict[str, Any]:
    """Attribute with everything. Raises ResourceNotFound when no entity has it."""
    stored = context.stored(name)
    usages: list[Usage] = await asyncio.to_thread(broker.inventory.usage, "", stored)
    if not usages:
        raise not_found(f"no entity has the attribute {context.expand(name)}")
    kinds = dict.fromkeys(kind for usage in usages for kind in usage.kinds)
    return _attribute(context, stored) | {
        "attributeCount": await asyncio.to_thread(broker.inventory.instances, stored),
        "attributeTypes": _kinds(kinds),
        "typeNames": [context.wire(usage.type) for usage in usages],
    }


def _list(type_: str, member: str, names: list[str]) -> dict[str, Any]:
    return {"id": f"urn:ngsi-ld:{type_}:{uuid.uuid4()}", "type": type_, member: names}


def _attribute(context: LdContext, stored: str) -> dict[str, Any]:
    return {
        "id": DEFAULT_VOCAB + stored if stored in NO_ATTRIBUTES else iri_of_stored(stored),
        "type": "Attribute",
        "attributeName": attribute_name(context, stored),
    }


def _kinds(kinds: Iterable[Kind]) -> list[str]:
    return [BY_KIND[kind].name for kind in sorted(kinds)]
