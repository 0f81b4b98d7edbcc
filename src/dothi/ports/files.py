"""Which files a watched folder has already given, so that a restart does not read them again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct


class SeenFile(Struct, frozen=True):
    """A file that was handled: its rows are stored, or it lies in `rejected/`."""

    path: str
    """Below the watched folder, with `/`."""
    digest: str
    """SHA-256 of the content, hex."""
    size: int
    modified_ns: int
    """Time of the last change as the file system says; only compared for equality."""
    imported_at: datetime
    lines: int
    """Lines that were handed in (stored or duplicate)."""
    rejected: int

    @property
    def signature(self) -> tuple[int, int]:
        """Another signature means that the file was written again."""
        return self.size, self.modified_ns


class FilesSeen(Protocol):
    """Any thread; blocking."""

    def known(self, paths: Sequence[str]) -> dict[str, SeenFile]:
        """Those of the paths that were handled."""
        ...

    def record(self, files: Sequence[SeenFile]) -> None:
        """Create or replace, all in one transaction."""
        ...
