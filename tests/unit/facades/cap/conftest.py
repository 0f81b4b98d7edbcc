"""A desk over a real database, with three people."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cap_samples import NOW, THU_DAU_MOT, People, person
from databases import lay_database
from dothi.facades.cap.catalogue import read_catalogue
from dothi.facades.cap.desk import Desk, DeskPorts
from dothi.facades.cap.settings import WarningSettings
from dothi.storage.relational.areas import RelationalAreas
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.warnings import RelationalWarnings
from memory_ports import FixedClock

SETTINGS = WarningSettings(
    sender="pctt@example.gov.vn",
    sender_name="Ban Chỉ huy phòng thủ dân sự",
    sender_name_en="Civil Defence Command",
    contact="0274 000 000",
)


@dataclass
class Office:
    engine: Engine
    clock: FixedClock
    warnings: RelationalWarnings
    areas: RelationalAreas
    files: Path

    def desk(
        self, settings: WarningSettings = SETTINGS, people: People | None = None, **more: object
    ) -> Desk:
        everybody = people or People(person("lan"), person("minh"), person("hoa"))
        ports = DeskPorts(self.warnings, self.areas, self.clock, everybody, **more)  # type: ignore[arg-type]
        return Desk(settings, read_catalogue(), ports)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    areas = RelationalAreas(engine)
    areas.put([THU_DAU_MOT], [])
    yield Office(engine, FixedClock(NOW), RelationalWarnings(engine), areas, tmp_path / "files")
    engine.dispose()
