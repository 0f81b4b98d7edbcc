"""First drafts from what a warning is about: an alarm or an incident."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from dothi.model.alarm import Alarm
from dothi.model.cap import CapStatus
from dothi.model.incident import Incident
from dothi.model.warning import Shape, WarningContent, Words
from dothi.ports.alarms import AlarmReader
from dothi.ports.areas import Areas
from dothi.ports.clock import Clock
from dothi.ports.incidents import Incidents

_EVENTS = {"water": "flood", "rain": "heavy_rain", "air": "air_pollution"}
"""Domain of an alarm -> the event that is proposed; the author decides."""
_AROUND_KM = 2.0
"""Radius of the circle that is proposed where no area holds the place."""


class KnownSubjects:
    """The port `Subjects`."""

    def __init__(
        self, alarms: AlarmReader, incidents: Incidents, areas: Areas, clock: Clock, zone: str
    ) -> None:
        self._alarms = alarms
        self._incidents = incidents
        self._areas = areas
        self._clock = clock
        self._zone = ZoneInfo(zone)

    def content_of(self, subject: str) -> WarningContent | None:
        kind, _, number = subject.partition(":")
        if kind == "alarm":
            alarm = self._alarms.get(int(number))
            return None if alarm is None else self._of_alarm(alarm)
        record = self._incidents.get(int(number))
        return None if record is None else self._of_incident(record.incident)

    def _of_alarm(self, alarm: Alarm) -> WarningContent:
        place = alarm.place
        points = [(place.lon, place.lat, place.name)]
        areas, shapes = self._places(
            [(lon, lat, name) for lon, lat, name in points if lon is not None and lat is not None]
        )
        return WarningContent(
            event=_EVENTS.get(alarm.domain, ""),
            vi=Words(alarm.title or alarm.text, f"{alarm.text} ({place.name or place.entity})"),
            en=_english(alarm),
            area_ids=areas,
            shapes=shapes,
            onset_at=alarm.active_at,
        )

    def _of_incident(self, incident: Incident) -> WarningContent:
        areas, shapes = self._places([(p.lon, p.lat, p.label) for p in incident.points])
        return WarningContent(
            status=CapStatus.EXERCISE if incident.origin else CapStatus.ACTUAL,
            vi=Words(incident.title, incident.description),
            area_ids=areas,
            shapes=shapes,
        )

    def _places(
        self, points: Sequence[tuple[float, float, str]]
    ) -> tuple[tuple[str, ...], tuple[Shape, ...]]:
        """The smallest area around each point; a circle where there is none."""
        areas: list[str] = []
        shapes: list[Shape] = []
        for lon, lat, name in points:
            found = self._areas.locate(lon, lat, self._today())
            if found:
                areas.append(found[0].id)
            else:
                label = name or f"{lat:.4f}, {lon:.4f}"
                shapes.append(Shape(label, centre=(lon, lat), radius_km=_AROUND_KM))
        return tuple(dict.fromkeys(areas)), tuple(shapes)

    def _today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()


def _english(alarm: Alarm) -> Words:
    if not alarm.text_en:
        return Words(alarm.title_en)
    place = alarm.place.name or alarm.place.entity
    return Words(alarm.title_en or alarm.text_en, f"{alarm.text_en} ({place})")
