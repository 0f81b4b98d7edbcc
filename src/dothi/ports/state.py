"""Current state of entities."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa
from msgspec import Struct


class EntityQuery(Struct, frozen=True):
    """Which entities; every given condition must hold."""

    ids: tuple[str, ...] = ()
    id_pattern: str = ""
    types: tuple[str, ...] = ()
    """Any of these."""
    attributes: tuple[str, ...] = ()
    """Has at least one of these."""
    text: str = ""
    """Words in id or name; diacritics and đ folded."""
    bbox: tuple[float, float, float, float] | None = None
    """west, south, east, north, touching the entity's location."""
    source: str = ""
    modified_after: datetime | None = None
    after_id: str = ""
    """Keyset paging: ids greater than this, in order."""
    limit: int = 100


ENTITY_COLUMNS = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("types", pa.list_(pa.string())),
        pa.field("scope", pa.list_(pa.string())),
        pa.field("name", pa.string()),
        pa.field("lon", pa.float64()),
        pa.field("lat", pa.float64()),
        pa.field("created_at", pa.timestamp("us", tz="UTC")),
        pa.field("modified_at", pa.timestamp("us", tz="UTC")),
        pa.field("expires_at", pa.timestamp("us", tz="UTC")),
    ]
)

ATTRIBUTE_COLUMNS = pa.schema(
    [
        pa.field("entity", pa.string()),
        pa.field("attribute", pa.string()),
        pa.field("dataset", pa.string()),
        pa.field("kind", pa.uint8()),
        pa.field("number", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("body", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("observed_at", pa.timestamp("us", tz="UTC")),
        pa.field("quality", pa.uint8()),
        pa.field("source", pa.string()),
        pa.field("created_at", pa.timestamp("us", tz="UTC")),
        pa.field("modified_at", pa.timestamp("us", tz="UTC")),
    ]
)


class State(Protocol):
    """Any thread; blocking."""

    def entities(self, query: EntityQuery) -> pa.Table:
        """ENTITY_COLUMNS, sorted by id."""
        ...

    def attributes(self, entities: Sequence[str], names: Sequence[str] = ()) -> pa.Table:
        """ATTRIBUTE_COLUMNS of the entities, sorted by entity, attribute, dataset."""
        ...

    def count(self, query: EntityQuery) -> int: ...

    def types(self) -> dict[str, int]:
        """Type -> number of entities."""
        ...
