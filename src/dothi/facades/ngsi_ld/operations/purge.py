"""Purging entities by a query (clause 5.6.21)."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from dothi.facades.ngsi_ld.operations.attributes import SCOPE
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.operations.conditions import SYSTEM_NAMES
from dothi.facades.ngsi_ld.operations.rows import RowBuilder
from dothi.model.condition import Absent, AllOf, AnyOf, Condition, Geo, HasType
from dothi.ports.entity_query import EntitySearch, StoredEntity

_AT_ONCE = 1000
"""Entities per commit: others get their turn in between."""


class Cut(Struct, frozen=True):
    """Which attributes go (stored names), where the entities themselves stay."""

    drop: frozenset[str] = frozenset()
    keep: frozenset[str] | None = None
    """All others go."""

    def takes(self, name: str) -> bool:
        return name in self.drop if self.keep is None else name not in self.keep


def is_selective(condition: Condition | None) -> bool:
    """Whether a condition is about more than system attributes."""
    match condition:
        case None:
            return False
        case AllOf(parts) | AnyOf(parts):
            return any(is_selective(part) for part in parts)
        case HasType() | Geo():
            return True
        case Absent():  # nearly everything may lack an attribute
            return False
    target = getattr(condition, "target", None)
    return target is not None and target.attribute not in SYSTEM_NAMES


async def purge_entities(
    broker: Broker, source: str, search: EntitySearch, cut: Cut | None
) -> None:
    """Remove all that match, or only attributes of them."""
    find = broker.entities.find
    ids = await asyncio.to_thread(find, replace(search, offset=0, limit=None))
    for start in range(0, len(ids), _AT_ONCE):
        some = tuple(ids[start : start + _AT_ONCE])
        async with broker.locks.hold(some):
            # Asked again under the locks: what does not match any more stays.
            still = await asyncio.to_thread(find, replace(search, ids=some, offset=0, limit=None))
            rows = RowBuilder(source)
            if cut is None:
                for entity_id in still:
                    rows.drop_entity(entity_id)
            else:
                _cut(rows, await broker.load(still), cut)
            if len(rows):
                await broker.write(rows)


def _cut(rows: RowBuilder, entities: Sequence[StoredEntity], cut: Cut) -> None:
    for entity in entities:
        if entity.scope and SCOPE in cut.drop:
            rows.entity(entity.id, entity.types, (), entity.expires_at)
        for row in entity.attributes:
            if cut.takes(row.name):
                rows.drop_attribute(entity.id, row.name, row.dataset)
