"""What whoever comes on duty must know of alarms: the sheet of a handover lists it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dothi.alarms.limits import Limits
from dothi.model.alarm import OPEN, Alarm, Suppressed
from dothi.model.handover import OpenItem
from dothi.ports.alarms import AlarmQuery, AlarmReader
from dothi.ports.clock import Clock

_MOST = 200
"""Of each section: a sheet is read, and in a flood nobody reads thousands of lines."""


@dataclass(frozen=True)
class OpenAlarms:
    """ports.handover.OpenItems."""

    reader: AlarmReader
    limits: Limits
    clock: Clock

    def open_items(self) -> Sequence[OpenItem]:
        """Open alarms, the most urgent first; then what is kept back."""
        stale_before = self.clock.now() - timedelta(seconds=self.limits.stale_after_s)
        shown = self.reader.page(AlarmQuery(states=OPEN, is_suppressed=False, limit=_MOST))
        kept = self.reader.page(AlarmQuery(states=OPEN, is_suppressed=True, limit=_MOST))
        ends = {(one.rule, one.entity): one for one in self.reader.suppressions() if one.until_at}
        found = [_item(_kind(alarm, stale_before), alarm) for alarm in shown]
        for alarm in kept:
            shelf = ends.get((alarm.rule, alarm.place.entity))
            until = "" if shelf is None or shelf.until_at is None else shelf.until_at.isoformat()
            why = "" if shelf is None else f"{shelf.by}: {shelf.reason}"
            found.append(_item(_kept_kind(alarm), alarm, " ".join(filter(None, (until, why)))))
        return found


def _kind(alarm: Alarm, stale_before: datetime) -> str:
    is_stale = alarm.is_active and alarm.active_at < stale_before
    return "alarm_stale" if is_stale else "alarm_active"


def _kept_kind(alarm: Alarm) -> str:
    return "alarm_shelved" if alarm.suppressed & Suppressed.SHELVED else "alarm_suppressed"


def _item(kind: str, alarm: Alarm, detail: str = "") -> OpenItem:
    place = alarm.place.name or alarm.place.entity
    return OpenItem(
        kind,
        f"alarm:{alarm.id}",
        f"{alarm.title}, {place}",
        str(alarm.state),
        alarm.active_at,
        detail or alarm.text,
    )
