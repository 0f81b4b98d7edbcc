"""Stored JSON-LD @contexts (NGSI-LD 5.13)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class ContextKind(StrEnum):
    """As NGSI-LD names them."""

    CACHED = "Cached"
    """A copy of a document from elsewhere."""
    HOSTED = "Hosted"
    """Added by a user, served here."""
    IMPLICIT = "ImplicitlyCreated"
    """Made here for a user who gave no URL, served here."""


class KeptContext(Struct):
    """One of them without its document. `hits` and `used_at` change while it is used."""

    id: str
    kind: ContextKind
    url: str
    """Where a cached one comes from; empty for the others."""
    tenant: str
    """Whose a hosted or implicit one is."""
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    hits: int = 0


class LdContextStore(Protocol):
    """Any thread; blocking."""

    def all(self) -> list[KeptContext]:
        """Every one, the oldest first."""
        ...

    def document(self, context_id: str) -> bytes | None:
        """The JSON document; None when there is no such context."""
        ...

    def find_equal(self, kind: ContextKind, tenant: str, document: bytes) -> str | None:
        """Id of one of this kind and tenant with the same document."""
        ...

    def put(self, context: KeptContext, document: bytes) -> None:
        """Add it, or replace the one with this id."""
        ...

    def delete(self, context_id: str) -> None: ...

    def note_uses(self, uses: Mapping[str, tuple[int, datetime]]) -> None:
        """Store hits and last use, by id."""
        ...
