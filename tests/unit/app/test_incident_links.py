"""What incidents know of alarms and warnings."""

from datetime import UTC, date, datetime
from typing import Any, cast

from dothi.app.incidents.beside import StoredAlarms, StoredWarnings
from dothi.model.alarm import Alarm, AlarmState, Place
from dothi.model.area import Area
from dothi.model.priority import Priority
from dothi.model.warning import (
    MessageState,
    MsgType,
    PublicWarning,
    WarningContent,
    WarningMessage,
    Words,
)

AT = datetime(2026, 11, 26, 11, 0, tzinfo=UTC)
WARD = "ward:25741:2025-07-01"


class Alarms:
    def get(self, alarm: int) -> Alarm | None:
        place = Place("urn:g:1", "WaterObserved", "Phú An", 106.6, 10.9, (WARD,))
        if alarm != 12:
            return None
        return Alarm(
            12, "r@urn:g:1", "r", 1, place, AlarmState.ACTIVE_UNACKNOWLEDGED, Priority.HIGH,
            "Mực nước cao", "High level", "Mực nước cao: 1,7 m > 1,6 m", AT, AT, AT, 7,
        )  # fmt: skip


class Areas:
    def get(self, area: str) -> Area | None:
        return Area(area, "ward", "25741", "Thủ Dầu Một", "", date(2025, 7, 1), None, None, "{}")


def test_an_alarm_is_known_by_its_place_and_areas_of_every_date() -> None:
    known = StoredAlarms(cast(Any, Alarms()), cast(Any, Areas())).find(
        ["alarm:12", "alarm:13", "alarm:x", "camera:12"]
    )
    assert list(known) == ["alarm:12"]
    alarm = known["alarm:12"]
    assert alarm.title == "Mực nước cao: 1,7 m > 1,6 m"
    assert alarm.areas == (WARD, "ward:25741")
    assert alarm.entity_types == ("WaterObserved",)
    assert alarm.point == (106.6, 10.9)


class Warnings:
    def all(self) -> list[PublicWarning]:
        content = WarningContent(vi=Words("Ngập"), en=Words("Flood"))
        released = WarningMessage(
            1, 5, MsgType.ALERT, MessageState.RELEASED, 3, content, "", "lan", AT,
            released_by="minh", sent_at=AT.replace(hour=12),
        )  # fmt: skip
        draft = WarningMessage(2, 5, MsgType.CANCEL, MessageState.DRAFT, 1, content, "", "lan", AT)
        return [
            PublicWarning(5, "incident:3", AT, (released, draft)),
            PublicWarning(6, "incident:33", AT, (released,)),
        ]


def test_only_warnings_about_the_incident_are_told_with_who_released_them() -> None:
    notes = StoredWarnings(cast(Any, Warnings())).about("incident:3")
    assert [(n.subject, n.kind, n.state, n.by) for n in notes] == [
        ("warning:5", "Cancel", "draft", "lan"),
        ("warning:5", "Alert", "released", "minh"),
    ]
