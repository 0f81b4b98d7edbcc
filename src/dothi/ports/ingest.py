"""The way in: what every door calls."""

from typing import Protocol

from dothi.model.batch import Batch, CommitResult


class Ingest(Protocol):
    async def submit(self, batch: Batch) -> CommitResult:
        """Admit and commit; returns after the commit is durable.

        Raises:
            Overloaded: the queue is full; slow the sender or tell it to retry.
            StoreUnavailable: nothing was written; the sender must keep its data.
        """
        ...
