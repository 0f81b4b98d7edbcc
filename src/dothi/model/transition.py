"""What rules decide and alarms act on: a condition became true or ceased to be."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from dothi.model.priority import Priority


class Transition(Struct, frozen=True):
    """One condition (a rule at one entity) became active, or returned to normal."""

    rule: str
    """Id of the rule."""
    version: int
    """Of the rule."""
    entity: str
    is_active: bool
    at: datetime
    """Time of the deciding observation, or of the timer that ran out."""
    seq: int
    """Row of the log that decided; of a timer the row that had started it."""
    priority: Priority
    text: str
    """What is to be read in a list, in Vietnamese: value against limit."""
    explanation: str
    """Of what became active. JSON: inputs with their keys, limits with their source, terms and
    their verdicts. Enough to decide again and come to the same verdict."""
    text_en: str = ""
    """The same in English; empty: there is only the one."""

    @property
    def condition(self) -> str:
        """The same for every occurrence of this rule at this entity."""
        return f"{self.rule}@{self.entity}"


class StoredState(Struct, frozen=True):
    """What a rule must remember of one entity (timers, windows, last verdict) over a restart."""

    rule: str
    entity: str
    body: bytes
    """Only the rules understand it; empty: nothing is left to remember."""


class Evaluated(Struct, frozen=True):
    """What a run of rows, or the passing of time, means; stored in one transaction with the
    position in the log and with what the alarms make of it."""

    transitions: Sequence[Transition]
    """In the order in which they happened."""
    states: Sequence[StoredState]
    """Those that changed."""


NOTHING = Evaluated((), ())
