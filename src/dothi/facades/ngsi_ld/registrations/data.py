"""A context source registration, ready to be matched (clauses 5.2.8 to 5.2.11 and 5.2.34)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field


class Mode(StrEnum):
    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"
    REDIRECT = "redirect"
    AUXILIARY = "auxiliary"

    @property
    def is_proxied(self) -> bool:
        """Whether the registered data may not lie here (clause 4.3.6.3)."""
        return self in {Mode.EXCLUSIVE, Mode.REDIRECT}


class EntityInfo(Struct, frozen=True):
    """A group of entities: of one of the types and, where given, with this id or pattern."""

    types: tuple[str, ...] = ()
    """Stored names; one of them is enough."""
    id: str = ""
    id_pattern: str = ""
    """RE2, found in the id."""


class Information(Struct, frozen=True):
    """One element of `information`: these entities, these attributes; empty means any."""

    entities: tuple[EntityInfo, ...] = ()
    names: frozenset[str] = frozenset()
    """Stored names of Properties and Relationships."""
    place: int = 0
    """Which element of the document it is."""


class Interval(Struct, frozen=True):
    """From `start_at` on, up to `end_at`, both included; no end: still going on."""

    start_at: datetime
    end_at: datetime | None = None


class Management(Struct, frozen=True):
    """How the source wants to be asked (clause 5.2.34)."""

    timeout_s: float | None = None
    cooldown_s: float = 0.0
    is_local_only: bool = False


class Registration(Struct, frozen=True):
    """What is asked of a registration at every request; `document` holds all of it."""

    id: str
    document: dict[str, Any]
    """Members as they were sent, names of types, attributes and properties as stored names."""
    endpoint: str
    """Base address of the source's API, `…/ngsi-ld/v1` included, without a slash at the end."""
    information: tuple[Information, ...]
    """What counts of it: of an exclusive registration only entities named by id."""
    mode: Mode = Mode.INCLUSIVE
    operations: frozenset[str] = frozenset()
    alias: str = ""
    tenant: str = ""
    source_info: tuple[tuple[str, str], ...] = ()
    """Pairs of contextSourceInfo."""
    datasets: frozenset[str] = frozenset()
    """datasetIds that the source can provide, "@none" among them; empty: any."""
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    observed: Interval | None = None
    managed: Interval | None = None
    management: Management = field(default_factory=Management)

    def supports(self, operation: str) -> bool:
        return operation in self.operations

    def info(self, key: str) -> str:
        """The value of a pair of contextSourceInfo with a meaning of its own (clause 4.3.6.6)."""
        wanted = key.lower()
        return next((v for k, v in self.source_info if k.lower() == wanted), "")

    def is_live(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now

    @property
    def is_temporal(self) -> bool:
        """Whether it is about the past and not about the current state."""
        return self.observed is not None or self.managed is not None
