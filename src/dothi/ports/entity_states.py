"""Entities as consumers of the log need them: deleted ones too, and at which place of the log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa
from msgspec import Struct, field

from dothi.model.row import TIMESTAMP
from dothi.ports.entity_query import StoredAttribute, StoredEntity


class EntityState(Struct, frozen=True):
    """An entity with its deleted attributes; those keep their last value."""

    entity: StoredEntity
    deleted_at: datetime | None = None
    deleted: tuple[tuple[StoredAttribute, datetime], ...] = ()
    """Deleted attribute instances with the time of their deletion."""
    series: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Attribute name and datasetId -> number of the series in the log."""


EARLIER_ROWS = pa.schema(
    [
        ("seq", pa.int64()),
        ("series", pa.int64()),
        ("observed_at", TIMESTAMP),
        ("number", pa.float64()),
        ("text", pa.string()),
        ("body", pa.string()),
        ("unit", pa.string()),
        ("kind", pa.int64()),
        ("change", pa.int64()),
        ("committed_at", TIMESTAMP),
    ]
)


class EntityStates(Protocol):
    """Any thread; blocking."""

    def read(self, ids: Iterable[str]) -> dict[str, EntityState]:
        """Those of the entities that were ever there, by id; expired ones are left out."""
        ...


class EarlierRows(Protocol):
    """Any thread; blocking."""

    def rows_before(self, places: Sequence[tuple[int, int]]) -> pa.Table:
        """The latest row of a series before a seq, as far as it is in the hot log.

        Each place is a series (EntityState.series) and the seq to look before. EARLIER_ROWS, by
        seq.
        """
        ...
