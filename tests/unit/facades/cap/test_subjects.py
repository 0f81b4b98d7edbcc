"""First drafts from alarms and incidents."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from cap_samples import NOW, THU_DAU_MOT
from dothi.facades.cap.catalogue import read_catalogue
from dothi.facades.cap.subjects import Known, KnownSubjects
from dothi.model.alarm import Alarm, AlarmState, RuleFacts
from dothi.model.alarm import Place as AlarmPlace
from dothi.model.cap import CapStatus, MsgType
from dothi.model.incident import Incident, IncidentState, Link, Point, Severity
from dothi.model.priority import Priority
from dothi.model.warning import Words

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
    text_en="1.74 m, above 1.60 m",
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


FACTS = RuleFacts(
    consequence="Đồng ruộng rộng có thể ngập.", consequence_en="Wide fields may be flooded."
)


@dataclass
class Kept:
    found: dict[int, Any]

    def get(self, number: int) -> Any:
        return self.found.get(number)


def subjects(
    office: Any, incident: Incident = INCIDENT, links: Any = (), *, is_real: bool = True
) -> KnownSubjects:
    incidents: Any = Kept({3: SimpleNamespace(incident=incident, links=links)})
    alarms: Any = Kept({12: ALARM})
    known = Known(
        alarms, lambda _rule, _version: FACTS, incidents, office.areas, read_catalogue(), is_real
    )
    return KnownSubjects(known, office.clock, "Asia/Ho_Chi_Minh")


def test_an_alarm_brings_event_area_and_words_in_both_languages(office: Any) -> None:
    content = subjects(office).content_of("alarm:12")
    assert content is not None
    assert (content.event, content.area_ids) == ("flood", (THU_DAU_MOT.id,))
    assert (content.vi.headline, content.en.headline) == ("Mực nước cao", "High water")
    assert content.vi.description == "1,74 m, trên 1,60 m (Trạm). Đồng ruộng rộng có thể ngập."
    assert content.en.description == "1.74 m, above 1.60 m (Trạm). Wide fields may be flooded."
    assert "đường ngập" in content.vi.instruction
    assert "flooded roads" in content.en.instruction
    assert content.status is CapStatus.ACTUAL
    assert subjects(office).content_of("alarm:13") is None


def test_alarms_of_an_example_make_exercises(office: Any) -> None:
    content = subjects(office, is_real=False).content_of("alarm:12")
    assert content is not None
    assert content.status is CapStatus.EXERCISE


def test_an_incident_is_about_what_its_alarm_is_about(office: Any) -> None:
    links = [Link("entity:e", "", "lan", NOW), Link("alarm:12", "", "lan", NOW)]
    content = subjects(office, links=links).content_of("incident:3")
    assert content is not None
    assert (content.event, content.en) == ("flood", Words())
    assert "đường ngập" in content.vi.instruction
    spoken = replace(INCIDENT, title_en="Flooding")
    content = subjects(office, spoken, links=links).content_of("incident:3")
    assert content is not None
    assert (content.en.headline, content.vi.headline) == ("Flooding", INCIDENT.title)
    assert content.vi.description == "1,74 m, trên 1,60 m (Trạm). Đồng ruộng rộng có thể ngập."
    assert content.en.description == "1.74 m, above 1.60 m (Trạm). Wide fields may be flooded."
    assert "flooded roads" in content.en.instruction


def test_a_synthetic_incident_makes_an_exercise_of_its_places(office: Any) -> None:
    content = subjects(office).content_of("incident:3")
    assert content is not None
    assert content.status is CapStatus.EXERCISE
    assert content.area_ids == (THU_DAU_MOT.id,)
    (circle,) = content.shapes
    assert (circle.name_vi, circle.centre) == ("Ngoài khơi", (100.0, 1.0))
    places = office.desk().preview(content, MsgType.ALERT).places
    assert [place.points for place in places] == [5, 0]
    again = subjects(office, replace(INCIDENT, origin="")).content_of("incident:3")
    assert again is not None
    assert again.status is CapStatus.ACTUAL


def test_every_event_has_advice_in_both_languages() -> None:
    events = read_catalogue().events
    lacking = [one.code for one in events if not (one.instruction_vi and one.instruction_en)]
    assert lacking == ["other"]
