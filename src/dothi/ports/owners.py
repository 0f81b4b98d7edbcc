"""Whose a series is."""

from typing import Protocol


class SeriesOwners(Protocol):
    """A series (entity, attribute, dataset) belongs to the source whose value came first.

    Any thread; blocking. There is no other way to change an owner: the writer keeps owners in
    memory and must hear of it.
    """

    def release(self, source_id: str) -> int:
        """Let go of every series of a source; each goes to the next source that writes it.

        Returns:
            How many series it had; 0 for a source that is not known. Durable, and in force for
            every commit that begins after the call.
        Raises:
            StoreUnavailable: nothing was changed.
        """
        ...
