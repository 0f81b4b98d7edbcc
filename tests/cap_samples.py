"""Public warnings for tests: content, an area, a clock, people."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dothi.model.area import Area
from dothi.model.cap import CapStatus, Certainty, ResponseType, Severity, Urgency
from dothi.model.person import Person
from dothi.model.warning import Shape, WarningContent, Words

if TYPE_CHECKING:
    import xmlschema

DATA = Path(__file__).parent / "data" / "cap"
NOW = datetime(2026, 11, 20, 10, 30, 15, 500_000, tzinfo=UTC)
THU_DAU_MOT = Area(
    "ward:25747:2025-07-01",
    "ward",
    "25747",
    "Phường Thủ Dầu Một",
    "Thu Dau Mot ward",
    date(2025, 7, 1),
    None,
    None,
    '{"type": "Polygon", "coordinates": [[[106.64, 10.97], [106.68, 10.97], [106.68, 11.0], '
    "[106.64, 11.0], [106.64, 10.97]]]}",
)
BANK = Shape(
    "Ven sông Sài Gòn",
    "Sai Gon river bank",
    polygon=((106.64, 10.95), (106.66, 10.95), (106.65, 10.98)),
)
CONTENT = WarningContent(
    event="tide",
    status=CapStatus.EXERCISE,
    risk_level=2,
    urgency=Urgency.EXPECTED,
    severity=Severity.MODERATE,
    certainty=Certainty.LIKELY,
    response_types=(ResponseType.PREPARE, ResponseType.MONITOR),
    expires_at=NOW + timedelta(hours=12),
    vi=Words(
        "Triều cường vượt báo động III tại Thủ Dầu Một",
        "Mực nước sông Sài Gòn tại trạm Thủ Dầu Một có thể đạt 1,74 m lúc 17 giờ.",
        "Kê cao đồ đạc, không đi vào đường ngập.",
    ),
    en=Words(
        "High tide above alarm level III at Thu Dau Mot",
        "The Sai Gon river at Thu Dau Mot may reach 1.74 m at 17:00.",
        "Move belongings up and keep out of flooded streets.",
    ),
    area_ids=(THU_DAU_MOT.id,),
    shapes=(BANK,),
)


class People:
    """The port `People` over a list."""

    def __init__(self, *people: Person) -> None:
        self._people = people

    def all(self) -> Sequence[Person]:
        return self._people

    def get(self, person: str) -> Person | None:
        return next((one for one in self._people if one.id == person), None)

    def on_duty(self, at: datetime, position: str = "") -> Sequence[Person]:
        return self._people


def person(name: str, *, is_active: bool = True) -> Person:
    return replace(Person(name, name.title()), is_active=is_active)


@cache
def schemas() -> "tuple[xmlschema.XMLSchema, xmlschema.XMLSchema]":
    """The schema of OASIS, and the stricter one."""
    import xmlschema  # here, because it takes a second and a half

    return (
        xmlschema.XMLSchema(DATA / "cap12.xsd"),
        xmlschema.XMLSchema(DATA / "cap12_extended.xsd"),
    )


def expect_valid(document: str) -> None:
    """Under both schemas."""
    for schema in schemas():
        schema.validate(document)
