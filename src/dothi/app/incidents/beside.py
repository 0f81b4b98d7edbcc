"""What incidents and other parts know of each other: alarms to link, incidents to hand over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dothi.model.alarm import Alarm
from dothi.model.handover import OpenItem
from dothi.model.incident import IncidentState
from dothi.model.incident_record import BoardRow
from dothi.ports.alarms import AlarmReader
from dothi.ports.areas import Areas
from dothi.ports.clock import Clock
from dothi.ports.incidents import BoardQuery, Incidents, KnownAlarm

_OPEN = (IncidentState.OPEN, IncidentState.IN_PROGRESS, IncidentState.CONTAINED)
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class StoredAlarms:
    """The port `KnownAlarms` over the alarms that are kept."""

    def __init__(self, alarms: AlarmReader, areas: Areas) -> None:
        self._alarms = alarms
        self._areas = areas

    def find(self, subjects: Sequence[str]) -> Mapping[str, KnownAlarm]:
        found = {}
        for subject in subjects:
            number = subject.removeprefix("alarm:")
            alarm = self._alarms.get(int(number)) if number.isdigit() else None
            if alarm is not None:
                found[subject] = self._known(subject, alarm)
        return found

    def _known(self, subject: str, alarm: Alarm) -> KnownAlarm:
        place = alarm.place
        codes = [f"{a.level}:{a.code}" for i in place.areas if (a := self._areas.get(i))]
        is_placed = place.lon is not None and place.lat is not None
        return KnownAlarm(
            subject,
            " · ".join(part for part in (alarm.title or alarm.rule, alarm.text) if part),
            alarm.rule,
            place.name or place.entity,
            (place.type,) if place.type else (),
            int(alarm.priority),
            alarm.raised_at,
            (*place.areas, *codes),
            (place.lon, place.lat) if is_placed else None,  # type: ignore[arg-type]
        )


class OpenIncidents:
    """The port `OpenItems`: what whoever comes on duty takes over."""

    def __init__(self, incidents: Incidents, clock: Clock) -> None:
        self._incidents = incidents
        self._clock = clock

    def open_items(self) -> Sequence[OpenItem]:
        now = self._clock.now()
        rows = self._incidents.board(BoardQuery(states=_OPEN), now)
        rows = sorted(rows, key=lambda row: (row.incident.severity, row.incident.opened_at))
        return [_item(row) for row in rows]


def _item(row: BoardRow) -> OpenItem:
    incident = row.incident
    told = [f"chỉ huy {incident.commander}" if incident.commander else "chưa có chỉ huy"]
    if row.open_tasks:
        told.append(f"{row.open_tasks} nhiệm vụ còn mở")
    if row.overdue_steps:
        told.append(f"{row.overdue_steps} bước quá hạn")
    if row.next_due_at is not None:
        told.append(f"hạn gần nhất {_local(row.next_due_at)}")
    return OpenItem(
        "incident",
        f"incident:{incident.id}",
        incident.title,
        str(incident.state),
        incident.opened_at,
        "; ".join(told),
    )


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(_ZONE):%H:%M %d/%m/%Y}"
