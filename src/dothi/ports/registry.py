"""Sources and their credentials."""

from collections.abc import Sequence
from typing import Protocol

from dothi.model.source import Source


class Sources(Protocol):
    """Any thread; blocking."""

    def all(self) -> Sequence[Source]: ...

    def get(self, source_id: str) -> Source | None: ...

    def put(self, source: Source) -> None:
        """Create or change."""
        ...

    def issue_token(self, source_id: str) -> str:
        """A new device token, shown once; only its hash is kept.

        Raises KeyError: no such source.
        """
        ...

    def revoke_tokens(self, source_id: str) -> int:
        """Number of tokens that no longer work."""
        ...

    def source_of_token(self, token: str) -> Source | None:
        """The enabled source that the token belongs to."""
        ...
