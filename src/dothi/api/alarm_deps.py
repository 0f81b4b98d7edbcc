"""What the routes of alarms need."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from dothi.alarms.changes import Context
from dothi.alarms.limits import Limits
from dothi.alarms.shift import Shift, shift_at
from dothi.model.alarm import RuleFacts
from dothi.model.zone import ZONE
from dothi.ports.alarms import AlarmLedger, AlarmReader


@dataclass(frozen=True)
class AlarmDeps:
    """Ports and facts about alarms; given by the wiring."""

    ledger: AlarmLedger
    reader: AlarmReader
    facts: Callable[[str, int], RuleFacts]
    limits: Limits
    position: str
    shift_starts: Sequence[time]

    def context(self, now: datetime) -> Context:
        """For a change that a person makes now."""
        return Context(now, self.limits, self.position, self.facts)

    def shift_at(self, moment: datetime) -> Shift:
        return shift_at(moment, self.shift_starts, ZONE)
