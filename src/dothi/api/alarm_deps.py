"""What the routes of alarms need."""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta

from msgspec import Struct

from dothi.alarms.changes import Context
from dothi.alarms.limits import Limits
from dothi.alarms.shift import Shift, planned_at, shift_at
from dothi.model.alarm import RuleFacts
from dothi.model.zone import ZONE
from dothi.ports.alarms import AlarmLedger, AlarmReader
from dothi.ports.shifts import Shifts


class AlarmDeps(Struct, frozen=True):
    """Ports and facts about alarms; given by the wiring."""

    ledger: AlarmLedger
    reader: AlarmReader
    facts: Callable[[str, int], RuleFacts]
    limits: Limits
    position: str
    shift_starts: Sequence[time]
    """By the clock, where the roster says nothing."""
    shifts: Shifts | None = None
    """The roster."""

    def context(self, now: datetime) -> Context:
        """For a change that a person makes now."""
        return Context(now, self.limits, self.position, self.facts)

    def shift_at(self, moment: datetime, position: str = "") -> Shift:
        """Of a position (empty: the usual one): as it is planned, else by the clock. Blocking."""
        if self.shifts is not None:
            planned = self.shifts.roster(moment, moment + timedelta(microseconds=1)).shifts
            found = planned_at(moment, planned, position or self.position)
            if found is not None:
                return found
        return shift_at(moment, self.shift_starts, ZONE)
