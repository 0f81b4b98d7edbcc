"""What turns rows of the log into transitions: the rules as the follower of the log sees them."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import pyarrow as pa
from msgspec import Struct

from dothi.model.alarm import RuleFacts
from dothi.model.transition import Evaluated


class Evaluator(Protocol):
    """One thread at a time; blocking. What it remembers changes with every call."""

    def evaluate(self, rows: pa.Table, now: datetime) -> Evaluated:
        """What rows of the log (LOG_SCHEMA, in order) mean."""
        ...

    def tick(self, now: datetime) -> Evaluated:
        """What the passing of time means: timers that ran out."""
        ...

    def next_due(self) -> datetime | None:
        """When a timer runs out next; None: no timer runs."""
        ...


class RulesInForce(Struct, frozen=True):
    """The rules, as the watch needs them."""

    evaluator: Evaluator
    load: Callable[[], int]
    """Give the evaluator the rules in force and the states as they are stored, whatever it had
    before; how many rules there are."""
    facts: Callable[[str, int], RuleFacts]
    """Of a rule (id) in a version."""
    revision: Callable[[], int] = lambda: 0
    """Rises when other rules are in force: then `load` is called again."""
