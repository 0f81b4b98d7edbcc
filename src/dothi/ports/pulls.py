"""When each pull connector ran and runs next; survives restarts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct


class PullRun(Struct, frozen=True):
    """The memory of one connector."""

    connector: str
    next_run_at: datetime
    last_run_at: datetime | None = None
    """End of the last run, successful or not."""
    covered_to_at: datetime | None = None
    """Everything up to here was fetched and stored; the next run begins here."""
    failures: int = 0
    """Failed runs since the last good one."""
    last_error: str = ""
    """Of the last run; empty when it was good."""


class PullRuns(Protocol):
    """Any thread; blocking."""

    def get(self, connector: str) -> PullRun | None: ...

    def put(self, run: PullRun) -> None: ...

    def all(self) -> Sequence[PullRun]:
        """Sorted by connector, for the operator's screen."""
        ...
