"""Entities by condition, and entities assembled from their attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from dothi.model.condition import Condition
from dothi.model.row import Kind


@dataclass(frozen=True, slots=True)
class EntitySearch:
    """Which entities; every given part must hold. Deleted and expired ones never match."""

    ids: tuple[str, ...] = ()
    """One of these."""
    id_pattern: str = ""
    """RE2 pattern found in the id."""
    attributes: tuple[str, ...] = ()
    """Has at least one of these."""
    condition: Condition | None = None
    offset: int = 0
    limit: int | None = 100


class StoredAttribute(Struct, frozen=True):
    """The current state of one attribute instance, as its row holds it."""

    name: str
    dataset: str
    kind: Kind
    number: float | None
    text: str | None
    body: str | None
    unit: str | None
    observed_at: datetime | None
    created_at: datetime
    modified_at: datetime


class StoredEntity(Struct, frozen=True):
    id: str
    types: tuple[str, ...]
    scope: tuple[str, ...]
    created_at: datetime
    modified_at: datetime
    expires_at: datetime | None
    attributes: tuple[StoredAttribute, ...]
    """Sorted by name, then dataset."""


class Entities(Protocol):
    """Any thread; blocking."""

    def find(self, search: EntitySearch) -> list[str]:
        """Ids of one page, in the order in which the entities were first stored."""
        ...

    def count(self, search: EntitySearch) -> int:
        """How many match in all; offset and limit do not matter."""
        ...

    def peek(self, ids: Sequence[str]) -> list[StoredEntity] | None:
        """Like `load` without names, at once and without blocking; None: `load` must be asked."""
        ...

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """The entities that exist, in the order of `ids`; `names`: only these attributes."""
        ...
