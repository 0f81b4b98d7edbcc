"""What a handover sheet lists, and what somebody on duty has to do: from alarms and incidents."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from msgspec import Struct

from dothi.access.principal import ADMINISTRATOR
from dothi.model.alarm import OPEN, Alarm, AlarmState, Suppressed, Suppression, SuppressionCause
from dothi.model.handover import DutyTask, OpenItem
from dothi.model.incident import IncidentState
from dothi.model.incident_record import BoardRow
from dothi.model.zone import ZONE
from dothi.ports.alarms import AlarmQuery, AlarmReader
from dothi.ports.clock import Clock
from dothi.ports.incidents import BoardQuery, Incidents

NameOf = Callable[[str], str]
"""A person's id -> the name that people read."""

_MOST = 500
_WAITING = (AlarmState.ACTIVE_UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)
_OPEN_INCIDENTS = BoardQuery(
    states=tuple(state for state in IncidentState if state is not IncidentState.CLOSED)
)


class AlarmItems(Struct, frozen=True):
    """`OpenItems`: those that nobody has acknowledged, most urgent and then newest first; shelved
    ones; those acknowledged that stand for too long; those out of service."""

    alarms: AlarmReader
    clock: Clock
    stale_after_s: float
    name_of: NameOf = str

    def open_items(self) -> list[OpenItem]:
        hidden = self.alarms.page(AlarmQuery(is_suppressed=True, limit=_MOST))
        shelves = {(one.rule, one.entity): one for one in _shelves(self.alarms.suppressions())}
        waiting = self.alarms.page(AlarmQuery(states=_WAITING, is_suppressed=False, limit=_MOST))
        before = self.clock.now() - timedelta(seconds=self.stale_after_s)
        stale = self.alarms.page(
            AlarmQuery(
                states=tuple(state for state in OPEN if state not in _WAITING),
                is_suppressed=False,
                until_at=before,
                sort="raised_at",
                limit=_MOST,
            )
        )
        return [
            *(
                _item("alarm_unacknowledged", one, *_who(self.name_of, one.owner))
                for one in sorted(
                    waiting, key=lambda one: (one.priority, -one.active_at.timestamp())
                )
            ),
            *(
                self._shelved(alarm, shelves)
                for alarm in hidden
                if alarm.suppressed & Suppressed.SHELVED
            ),
            *(_item("alarm_stale", alarm, *_who(self.name_of, alarm.owner)) for alarm in stale),
            *(
                _item("alarm_out_of_service", alarm)
                for alarm in hidden
                if alarm.suppressed & Suppressed.OUT_OF_SERVICE
            ),
        ]

    def _shelved(self, alarm: Alarm, shelves: Mapping[tuple[str, str], Suppression]) -> OpenItem:
        shelf = shelves.get((alarm.rule, alarm.place.entity))
        if shelf is None or shelf.until_at is None:
            return _item("alarm_shelved", alarm)
        until = f"{shelf.until_at.astimezone(ZONE):%H:%M %d/%m/%Y}"
        by, by_en = _who(self.name_of, shelf.by)
        return _item(
            "alarm_shelved",
            alarm,
            f"đến {until} · {by} · {shelf.reason}",
            f"until {until} · {by_en} · {shelf.reason}",
        )


class IncidentItems(Struct, frozen=True):
    """`OpenItems` and `DutyTasks`: incidents that are not closed."""

    incidents: Incidents
    clock: Clock
    name_of: NameOf = str

    def open_items(self) -> list[OpenItem]:
        return [self._item(row) for row in self.incidents.board(_OPEN_INCIDENTS, self.clock.now())]

    def _item(self, row: BoardRow) -> OpenItem:
        vi, en = ([who] if who else [] for who in _who(self.name_of, row.incident.commander))
        if row.open_tasks:
            vi = [*vi, f"{row.open_tasks} việc chưa xong"]
            en = [*en, f"{row.open_tasks} open tasks"]
        if row.overdue_steps:
            vi = [*vi, f"{row.overdue_steps} bước quá hạn"]
            en = [*en, f"{row.overdue_steps} steps overdue"]
        return OpenItem(
            "incident",
            f"incident:{row.incident.id}",
            row.incident.title,
            str(row.incident.state),
            row.incident.opened_at,
            title_en=row.incident.title_en,
            detail=" · ".join(vi),
            detail_en=" · ".join(en),
        )

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
                    row.incident.title_en,
                )
                for task in (record.open_tasks if record else ())
                if task.owner == person
            ]
        # Those with a time limit first, the nearest before all.
        return sorted(found, key=lambda t: (t.due_at is None, t.due_at or self.clock.now()))


def _who(name_of: NameOf, person: str) -> tuple[str, str]:
    """The name, in Vietnamese and in English: the administrator of the machine is no person."""
    if person == ADMINISTRATOR.name:
        return "quản trị máy chủ", "administrator"
    return (name_of(person),) * 2


def _item(kind: str, alarm: Alarm, detail: str = "", detail_en: str = "") -> OpenItem:
    return OpenItem(
        kind,
        f"alarm:{alarm.id}",
        _title(alarm, alarm.title, alarm.text),
        str(alarm.state),
        alarm.raised_at,
        detail,
        _title(alarm, alarm.title_en, alarm.text_en) if alarm.text_en else "",
        detail_en,
    )


def _title(alarm: Alarm, title: str, text: str) -> str:
    place = alarm.place.name or alarm.place.entity
    said = text.removeprefix(f"{title}: ")
    return " · ".join(dict.fromkeys(part for part in (place, title, said) if part))


def _shelves(suppressions: Iterable[Suppression]) -> Iterable[Suppression]:
    return (one for one in suppressions if one.cause is SuppressionCause.OPERATOR)
