"""First drafts from what a warning is about: an alarm or an incident."""

from collections.abc import Callable, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from dothi.model.alarm import Alarm, RuleFacts
from dothi.model.cap import CapStatus
from dothi.model.incident import SubjectKind
from dothi.model.incident_record import Record
from dothi.model.warning import Shape, WarningContent, Words
from dothi.model.warning_lists import Catalogue
from dothi.ports.alarms import AlarmReader
from dothi.ports.areas import Areas
from dothi.ports.clock import Clock
from dothi.ports.incidents import Incidents

_EVENTS = {"water": "flood", "rain": "heavy_rain", "air": "air_pollution"}
"""Domain of an alarm -> the event that is proposed; the author decides."""
_AROUND_KM = 2.0
"""Radius of the circle that is proposed where no area holds the place."""


class Known(Struct, frozen=True):
    """What there is to tell of, and whether it is real."""

    alarms: AlarmReader
    facts: Callable[[str, int], RuleFacts]
    """Of a rule's version."""
    incidents: Incidents
    areas: Areas
    catalogue: Catalogue
    is_real: bool = True
    """False: the data is synthetic or replayed."""


class KnownSubjects:
    """The port `Subjects`."""

    def __init__(self, known: Known, clock: Clock, zone: str) -> None:
        self._known = known
        self._clock = clock
        self._zone = ZoneInfo(zone)

    def content_of(self, subject: str) -> WarningContent | None:
        kind, _, number = subject.partition(":")
        if kind == "alarm":
            alarm = self._known.alarms.get(int(number))
            return None if alarm is None else self._of_alarm(alarm)
        record = self._known.incidents.get(int(number))
        return None if record is None else self._of_incident(record)

    def _of_alarm(self, alarm: Alarm) -> WarningContent:
        place = alarm.place
        points = [(place.lon, place.lat, place.name)]
        areas, shapes = self._places(
            [(lon, lat, name) for lon, lat, name in points if lon is not None and lat is not None]
        )
        vi, en = self._words(alarm)
        return WarningContent(
            event=_EVENTS.get(alarm.domain, ""),
            status=self._status(is_real=self._known.is_real),
            vi=vi,
            en=en,
            area_ids=areas,
            shapes=shapes,
            onset_at=alarm.active_at,
        )

    def _of_incident(self, record: Record) -> WarningContent:
        """Its own words; what it is about and what to do follows from its first alarm."""
        incident = record.incident
        areas, shapes = self._places([(p.lon, p.lat, p.label) for p in incident.points])
        alarm = self._alarm_of(record)
        event = _EVENTS.get(alarm.domain, "") if alarm else ""
        told_vi, told_en = self._words(alarm) if alarm else (Words(), Words())
        vi = Words(incident.title, incident.description or told_vi.description, told_vi.instruction)
        # Without a title in English there is nothing in English.
        en = replace(told_en, headline=incident.title_en) if incident.title_en else Words()
        return WarningContent(
            event=event,
            status=self._status(is_real=not incident.origin),
            vi=vi,
            en=en,
            area_ids=areas,
            shapes=shapes,
        )

    @staticmethod
    def _status(*, is_real: bool) -> CapStatus:
        return CapStatus.ACTUAL if is_real else CapStatus.EXERCISE

    def _alarm_of(self, record: Record) -> Alarm | None:
        """The first linked one whose domain says what event it is."""
        for link in record.links:
            number = link.subject.partition(":")[2]
            alarm = None
            if link.kind is SubjectKind.ALARM and number.isdigit():
                alarm = self._known.alarms.get(int(number))
            if alarm is not None and alarm.domain in _EVENTS:
                return alarm
        return None

    def _words(self, alarm: Alarm) -> tuple[Words, Words]:
        """What it is, what follows from it, what to do: in each language that its rule speaks."""
        facts = self._known.facts(alarm.rule, alarm.version)
        to_do_vi, to_do_en = self._instructions(_EVENTS.get(alarm.domain, ""))
        where = alarm.place.name or alarm.place.entity
        vi = Words(
            alarm.title or alarm.text,
            _told(alarm.text, where, facts.consequence),
            to_do_vi,
        )
        if not (alarm.title_en or alarm.text_en):
            return vi, Words()
        told = _told(alarm.text_en, where, facts.consequence_en)
        return vi, Words(alarm.title_en or alarm.text_en, told, to_do_en)

    def _instructions(self, event: str) -> tuple[str, str]:
        found = self._known.catalogue.event(event)
        return (found.instruction_vi, found.instruction_en) if found else ("", "")

    def _places(
        self, points: Sequence[tuple[float, float, str]]
    ) -> tuple[tuple[str, ...], tuple[Shape, ...]]:
        """The smallest area around each point; a circle where there is none."""
        areas: list[str] = []
        shapes: list[Shape] = []
        for lon, lat, name in points:
            found = self._known.areas.locate(lon, lat, self._today())
            if found:
                areas.append(found[0].id)
            else:
                label = name or f"{lat:.4f}, {lon:.4f}"
                shapes.append(Shape(label, centre=(lon, lat), radius_km=_AROUND_KM))
        return tuple(dict.fromkeys(areas)), tuple(shapes)

    def _today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()


def _told(text: str, where: str, consequence: str) -> str:
    """Value against limit and place, then what follows."""
    what = f"{text} ({where})." if text else ""
    return " ".join(part for part in (what, consequence) if part)
