"""Who there is, and who is on duty."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from dothi.model.person import Person


class People(Protocol):
    """Any thread; blocking."""

    def all(self) -> Sequence[Person]:
        """By name, those who left included."""
        ...

    def get(self, person: str) -> Person | None: ...

    def on_duty(self, at: datetime, position: str = "") -> Sequence[Person]:
        """Who has the duty at that time; with a position only those at it."""
        ...
