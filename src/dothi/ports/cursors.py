"""How far each consumer has read each lane."""

from typing import Protocol


class Cursors(Protocol):
    def position(self, consumer: str, lane: int = 0) -> int:
        """Last seq done; 0 for a new consumer."""
        ...

    def advance(self, consumer: str, seq: int, lane: int = 0) -> None:
        """Move the cursor (in its own transaction; storage-bound consumers move it in theirs)."""
        ...

    def drop(self, consumer: str) -> None:
        """This consumer reads no longer: sealing waits for it no more."""
        ...

    def positions(self) -> dict[str, int]:
        """Every consumer of lane 0 with its position; sealing keeps what one still needs."""
        ...
