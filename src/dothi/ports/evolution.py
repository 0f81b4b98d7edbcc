"""Which entities have a past, and of which series it consists; the past itself is in `History`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa
from msgspec import Struct

from dothi.model.condition import Condition
from dothi.model.row import Kind


class EntitySelector(Struct, frozen=True):
    """Entities by what identifies them; every given part must hold."""

    ids: tuple[str, ...] = ()
    """One of these."""
    id_pattern: str = ""
    """RE2 pattern found in the id."""
    types: Condition | None = None
    """HasType, AllOf and AnyOf of them, on the types that the entity ever had."""


class EvolutionSearch(Struct, frozen=True):
    """Which evolutions, of current, deleted and only recorded entities alike."""

    selectors: tuple[EntitySelector, ...] = ()
    """At least one of them holds; empty: every entity."""
    attributes: tuple[str, ...] = ()
    """Ever had at least one of these."""
    order: str = ""
    """Empty: as they were first stored; "asc" or "desc": by id."""


class PastSeries(Struct, frozen=True):
    """One attribute instance that ever was, per datasetId."""

    name: str
    dataset: str
    kind: Kind


class EvolutionHead(Struct, frozen=True):
    """An entity as its evolution shows it."""

    id: str
    types: tuple[str, ...]
    """Of the current state first, then those of the past."""
    created_at: datetime
    modified_at: datetime
    deleted_at: datetime | None
    """Since when it is not current."""
    is_recorded: bool
    """Whether it has an evolution at all: it is current, or something was recorded, and that was
    not forgotten since."""
    series: tuple[PastSeries, ...]
    """Sorted by name, then dataset."""


class Evolutions(Protocol):
    """Any thread; blocking."""

    def find(self, search: EvolutionSearch, after: str = "", limit: int | None = None) -> list[str]:
        """Ids of those that match, in the order of the search, from behind the id `after` on."""
        ...

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[EvolutionHead]:
        """Those of the ids that are known, in their order; `names`: only series of these."""
        ...

    def moved(self, series: tuple[str, str], at: datetime) -> list[datetime]:
        """Times to which instances were moved that stood at `at`.

        Args:
            series: entity and attribute; of any datasetId.
        """
        ...

    def matching(
        self, condition: Condition, heads: Sequence[EvolutionHead], rows: pa.Table
    ) -> set[str]:
        """Ids of the entities whose instances satisfy the condition.

        Args:
            rows: RAW_ANSWER; each is an instance that may satisfy a test.
        """
        ...
