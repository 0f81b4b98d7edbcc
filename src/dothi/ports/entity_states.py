"""Entities as consumers of the log need them: deleted ones too, and at which place of the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from dothi.ports.entity_query import StoredAttribute, StoredEntity


@dataclass(frozen=True, slots=True)
class EntityState:
    """An entity with its deleted attributes; those keep their last value."""

    entity: StoredEntity
    deleted_at: datetime | None = None
    deleted: tuple[tuple[StoredAttribute, datetime], ...] = ()
    """Deleted attribute instances with the time of their deletion."""


class EntityStates(Protocol):
    """Any thread; blocking."""

    def read(self, ids: Iterable[str]) -> dict[str, EntityState]:
        """Those of the entities that were ever there, by id; expired ones are left out."""
        ...


class EarlierRows(Protocol):
    """Any thread; blocking."""

    def rows_before(self, keys: Sequence[tuple[str, str, str, int]]) -> pa.Table:
        """The latest rows of series before a place of the log, as far as they are hot.

        Each key is entity, attribute, dataset and the seq to look before. LOG_SCHEMA, by seq.
        """
        ...
