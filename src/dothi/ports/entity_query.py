"""Entities by condition, and entities assembled from their attributes."""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from msgspec import Struct
from msgspec.structs import replace

from dothi.model.condition import AllOf, AnyOf, Condition, HasId, HasScope, HasType, IdMatches
from dothi.model.order import Order
from dothi.model.row import Kind


class EntitySearch(Struct, frozen=True):
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
    order: Order | None = None
    """None: as they were first stored."""

    @property
    def looks_at_values(self) -> bool:
        """Whether another value of some attribute could change what is found."""
        is_plain = self.order is None and not self.attributes
        return not (is_plain and _is_about_entities(self.condition))


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


Keys = tuple[tuple[str, str], ...]
"""Name and dataset of attribute instances."""


class Found(NamedTuple):
    """Ids of one page, and how many match in all when that was asked for."""

    ids: list[str]
    total: int | None


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing entities as bytes."""

    key: Hashable
    """All that the bytes depend on beside the entity; None: they are not worth keeping."""
    write: Callable[[StoredEntity], bytes] = field(compare=False)
    """Pure, any thread."""


class TooManyToOrder(Exception):
    """More entities match than may be ordered in memory; the text says how many may."""


class Expiring(Struct, frozen=True):
    """An entity, or one instance of an attribute, that is there and has an end."""

    entity: str
    attribute: str
    """Empty: the whole entity."""
    dataset: str
    expires_at: datetime


def with_only(entity: StoredEntity, names: Collection[str]) -> StoredEntity:
    """The entity without its other attributes."""
    kept = tuple(row for row in entity.attributes if row.name in names)
    return replace(entity, attributes=kept)


class Entities(Protocol):
    """Any thread; blocking."""

    def find(self, search: EntitySearch) -> list[str]:
        """Ids of one page. A far page costs no more than the first one.

        Raises:
            TooManyToOrder: an order was asked for, and too many entities match.
        """
        ...

    def glance(self, searches: Sequence[EntitySearch]) -> list[list[str] | None]:
        """Like `find` for each, where the matches lie in a short range that is known from before;
        None: `find` must be asked. Blocks, though never for longer than such ranges take."""
        ...

    def count(self, search: EntitySearch) -> int:
        """How many match in all; offset and limit do not matter."""
        ...

    def peek_found(self, search: EntitySearch, *, counts: bool) -> Found | None:
        """What `find` and `count` give, at once and without blocking; None: they must be asked."""
        ...

    def peek(self, ids: Sequence[str]) -> list[StoredEntity] | None:
        """Like `load` without names, at once and without blocking; None: `load` must be asked."""
        ...

    def load(self, ids: Sequence[str], names: Sequence[str] = ()) -> list[StoredEntity]:
        """The entities that exist, in the order of `ids`; `names`: only these attributes."""
        ...

    def keys(self, ids: Sequence[str]) -> dict[str, Keys]:
        """Of each of the entities that exist: which attribute instances it has."""
        ...

    def peek_written(self, ids: Sequence[str], form: Form) -> list[bytes] | None:
        """Like `written`, at once and without blocking; None: `written` must be asked."""
        ...

    def written(self, ids: Sequence[str], form: Form) -> list[bytes]:
        """The entities that exist, in the order of `ids`, as the form writes them."""
        ...

    def expiring(self, until: datetime, limit: int) -> list[Expiring]:
        """What expires at `until` or before, earliest first, at most `limit`."""
        ...


def _is_about_entities(condition: Condition | None) -> bool:
    if isinstance(condition, AllOf | AnyOf):
        return all(_is_about_entities(part) for part in condition.parts)
    return condition is None or isinstance(condition, HasType | HasId | HasScope | IdMatches)
