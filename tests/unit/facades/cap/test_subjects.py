"""First drafts from alarms and incidents."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from cap_samples import NOW, THU_DAU_MOT
from dothi.facades.cap.subjects import KnownSubjects
from dothi.model.alarm import Alarm, AlarmState
from dothi.model.alarm import Place as AlarmPlace
from dothi.model.cap import CapStatus, MsgType
from dothi.model.incident import Incident, IncidentState, Point, Severity
from dothi.model.priority import Priority

ALARM = Alarm(
    id=12,
    condition="r@e",
    rule="r",
    version=1,
    place=AlarmPlace("urn:ngsi-ld:WaterObserved:tdm", "WaterObserved", "Trạm", 106.66, 10.98),
    state=AlarmState.ACTIVE_UNACKNOWLEDGED,
    priority=Priority.HIGH,
    title="Mực nước cao",
    title_en="High water",
    text="1,74 m, trên 1,60 m",
    raised_at=NOW,
    opened_at=NOW,
    active_at=NOW,
    seq=1,
    domain="water",
)
INCIDENT = Incident(
    3, 1, "Ngập phường Thủ Dầu Một", Severity.SERIOUS, IncidentState.OPEN, NOW, "lan", NOW,
    points=(Point(106.66, 10.98), Point(100.0, 1.0, "Ngoài khơi")), origin="example",
)  # fmt: skip


@dataclass
class Known:
    found: dict[int, Any]

    def get(self, number: int) -> Any:
        return self.found.get(number)


def subjects(office: Any) -> KnownSubjects:
    incidents: Any = Known({3: SimpleNamespace(incident=INCIDENT)})
    alarms: Any = Known({12: ALARM})
    return KnownSubjects(alarms, incidents, office.areas, office.clock, "Asia/Ho_Chi_Minh")


def test_an_alarm_brings_its_words_and_its_ward(office: Any) -> None:
    content = subjects(office).content_of("alarm:12")
    assert content is not None
    assert (content.event, content.area_ids) == ("flood", (THU_DAU_MOT.id,))
    assert (content.vi.headline, content.en.headline) == ("Mực nước cao", "High water")
    assert "1,74 m" in content.vi.description
    assert subjects(office).content_of("alarm:13") is None


def test_a_synthetic_incident_makes_an_exercise_of_its_places(office: Any) -> None:
    content = subjects(office).content_of("incident:3")
    assert content is not None
    assert content.status is CapStatus.EXERCISE
    assert content.area_ids == (THU_DAU_MOT.id,)
    (circle,) = content.shapes
    assert (circle.name_vi, circle.centre) == ("Ngoài khơi", (100.0, 1.0))
    places = office.desk().preview(content, MsgType.ALERT).places
    assert [place.points for place in places] == [5, 0]
    real = replace(INCIDENT, origin="")
    known = subjects(office)
    known._incidents = Known({3: SimpleNamespace(incident=real)})  # type: ignore[assignment]
    again = known.content_of("incident:3")
    assert again is not None
    assert again.status is CapStatus.ACTUAL
