"""Entity maps: which entities a query found, fixed for paging."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct, field


class EntityMap(Struct, frozen=True):
    id: str
    """A URI."""
    expires_at: datetime
    entities: Mapping[str, tuple[str, ...]]
    """Entity -> the registrations that know it ("@none": this store), in the order of the query."""
    linked: Mapping[str, str] = field(default_factory=dict)
    """Registration -> the map that its source made."""


class EntityMaps(Protocol):
    """Any thread; blocking. An expired map is not there."""

    def add(self, entity_map: EntityMap) -> None:
        """Keep a new map; expired ones go at the same time."""
        ...

    def find(self, map_id: str) -> EntityMap | None: ...

    def replace(self, entity_map: EntityMap) -> bool:
        """Change a map; False when it is not there."""
        ...

    def delete(self, map_id: str) -> bool:
        """False when it is not there."""
        ...
