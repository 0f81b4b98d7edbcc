"""What a handover sheet lists, and what somebody on duty has to do: from alarms and incidents."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from msgspec import Struct

from dothi.model.alarm import Alarm, Suppressed, Suppression, SuppressionCause
from dothi.model.handover import DutyTask, OpenItem
from dothi.model.incident import IncidentState
from dothi.model.zone import ZONE
from dothi.ports.alarms import AlarmQuery, AlarmReader
from dothi.ports.clock import Clock
from dothi.ports.incidents import BoardQuery, Incidents

_MOST = 500
_OPEN_INCIDENTS = BoardQuery(
    states=tuple(state for state in IncidentState if state is not IncidentState.CLOSED)
)


class AlarmItems(Struct, frozen=True):
    """`OpenItems`: shelved ones, those out of service, and those that stand for too long."""

    alarms: AlarmReader
    clock: Clock
    stale_after_s: float

    def open_items(self) -> list[OpenItem]:
        hidden = self.alarms.page(AlarmQuery(is_suppressed=True, limit=_MOST))
        shelves = {(one.rule, one.entity): one for one in _shelves(self.alarms.suppressions())}
        before = self.clock.now() - timedelta(seconds=self.stale_after_s)
        shown = self.alarms.page(
            AlarmQuery(is_suppressed=False, until_at=before, sort="raised_at", limit=_MOST)
        )
        return [
            *(
                _item("alarm_shelved", alarm, _until(shelves, alarm))
                for alarm in hidden
                if alarm.suppressed & Suppressed.SHELVED
            ),
            *(_item("alarm_stale", alarm, alarm.owner) for alarm in shown),
            *(
                _item("alarm_out_of_service", alarm, "")
                for alarm in hidden
                if alarm.suppressed & Suppressed.OUT_OF_SERVICE
            ),
        ]


class IncidentItems(Struct, frozen=True):
    """`OpenItems` and `DutyTasks`: incidents that are not closed."""

    incidents: Incidents
    clock: Clock

    def open_items(self) -> list[OpenItem]:
        return [
            OpenItem(
                "incident",
                f"incident:{row.incident.id}",
                row.incident.title,
                str(row.incident.state),
                row.incident.opened_at,
                _details(row.incident.commander, row.open_tasks, row.overdue_steps),
            )
            for row in self.incidents.board(_OPEN_INCIDENTS, self.clock.now())
        ]

    def tasks_of(self, person: str) -> list[DutyTask]:
        found = []
        for row in self.incidents.board(_OPEN_INCIDENTS, self.clock.now()):
            record = self.incidents.get(row.incident.id) if row.open_tasks else None
            found += [
                DutyTask(
                    row.incident.id,
                    task.number,
                    task.version,
                    task.title,
                    row.incident.title,
                    task.due_at,
                )
                for task in (record.open_tasks if record else ())
                if task.owner == person
            ]
        # Those with a time limit first, the nearest before all.
        return sorted(found, key=lambda t: (t.due_at is None, t.due_at or self.clock.now()))


def _item(kind: str, alarm: Alarm, detail: str) -> OpenItem:
    place = alarm.place.name or alarm.place.entity
    text = alarm.text.removeprefix(f"{alarm.title}: ")
    title = " · ".join(dict.fromkeys(part for part in (place, alarm.title, text) if part))
    return OpenItem(kind, f"alarm:{alarm.id}", title, str(alarm.state), alarm.raised_at, detail)


def _shelves(suppressions: Iterable[Suppression]) -> Iterable[Suppression]:
    return (one for one in suppressions if one.cause is SuppressionCause.OPERATOR)


def _until(shelves: Mapping[tuple[str, str], Suppression], alarm: Alarm) -> str:
    shelf = shelves.get((alarm.rule, alarm.place.entity))
    if shelf is None or shelf.until_at is None:
        return ""
    return f"→ {shelf.until_at.astimezone(ZONE):%H:%M %d/%m/%Y} · {shelf.by} · {shelf.reason}"


def _details(commander: str, open_tasks: int, overdue_steps: int) -> str:
    parts = [commander]
    if open_tasks:
        parts.append(f"{open_tasks} việc / tasks")
    if overdue_steps:
        parts.append(f"{overdue_steps} bước quá hạn / steps overdue")
    return " · ".join(part for part in parts if part)
