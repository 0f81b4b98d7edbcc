"""What every Areas store promises; a second backend adds a fixture parameter."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from databases import lay_database
from dothi.model.area import Area, AreaShare
from dothi.ports.areas import Areas
from dothi.ports.audit import AuditQuestion
from dothi.ports.clock import SystemClock
from dothi.storage.relational.areas import RelationalAreas
from dothi.storage.relational.audit import RelationalAudit
from dothi.storage.relational.engine import open_sqlite

REFORM = date(2025, 7, 1)


def square(west: float, south: float, size: float) -> str:
    east, north = west + size, south + size
    return (
        f'{{"type":"Polygon","coordinates":[[[{west},{south}],[{east},{south}],'
        f"[{east},{north}],[{west},{north}],[{west},{south}]]]}}"
    )


def make(level: str, code: str, shape: str, start: date, end: date | None = None) -> Area:
    return Area(f"{level}:{code}:{start}", level, code, code, code, start, end, None, shape)


OLD_PROVINCE = make("province", "74", square(106, 10, 2), date(1997, 1, 1), REFORM)
OLD_DISTRICT = make("district", "718", square(106, 10, 1), date(2024, 5, 1), REFORM)
NEW_PROVINCE = make("province", "79", square(105, 9, 4), REFORM)
WEST_WARD = make("ward", "1", square(106, 10, 1), REFORM)
EAST_WARD = make("ward", "2", square(107, 10, 1), REFORM)
ALL = (OLD_PROVINCE, OLD_DISTRICT, NEW_PROVINCE, WEST_WARD, EAST_WARD)
SHARES = (
    AreaShare(WEST_WARD.id, OLD_DISTRICT.id, 0.98, "surface"),
    AreaShare(OLD_PROVINCE.id, NEW_PROVINCE.id, 1.0, "decree"),
)


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Areas, Areas]]:
    """Two objects on one store, as two processes would hold them."""
    assert request.param == "sqlite"
    engines = [open_sqlite(lay_database(tmp_path / "dothi.db")) for _ in range(2)]
    yield RelationalAreas(engines[0]), RelationalAreas(engines[1])
    for engine in engines:
        engine.dispose()


@pytest.fixture
def areas(store: tuple[Areas, Areas]) -> Areas:
    store[0].put(ALL, SHARES)
    return store[0]


def ids(found: object) -> list[str]:
    return [a.id for a in found]  # type: ignore[attr-defined]


def test_an_empty_store_knows_no_area(store: tuple[Areas, Areas]) -> None:
    empty = store[0]
    assert list(empty.valid_on(REFORM)) == []
    assert list(empty.locate(106.5, 10.5, REFORM)) == []
    points = pa.table({"lon": [106.5], "lat": [10.5]})
    assert empty.locate_many(points, REFORM, "ward").to_pylist() == [None]
    assert empty.get("ward:1:2025-07-01") is None


def test_putting_areas_stands_in_the_audit_record(tmp_path: Path) -> None:
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    RelationalAreas(engine).put(ALL, SHARES)
    (entry,) = RelationalAudit(engine, SystemClock()).find(AuditQuestion())
    assert (entry.who, entry.action, entry.subject) == ("program", "areas_put", "area")
    assert (entry.detail["count"], entry.detail["shares"]) == (str(len(ALL)), str(len(SHARES)))
    engine.dispose()


def test_get_gives_back_what_was_put(areas: Areas) -> None:
    full = replace(WEST_WARD, population=5, area_km2=1.5, source="s", note="n", parent="p")
    areas.put([full], [])
    found = areas.get(full.id)
    assert found is not None
    assert replace(found, geometry="") == replace(full, geometry="")


def test_the_map_of_each_day_smallest_first(areas: Areas) -> None:
    before, after = REFORM - timedelta(days=1), REFORM
    assert ids(areas.locate(106.5, 10.5, before)) == [OLD_DISTRICT.id, OLD_PROVINCE.id]
    assert ids(areas.locate(106.5, 10.5, after)) == [WEST_WARD.id, NEW_PROVINCE.id]
    assert ids(areas.locate(106.5, 10.5, date(2000, 1, 1))) == [OLD_PROVINCE.id]
    assert ids(areas.locate(106.5, 10.5, date(1990, 1, 1))) == []


def test_valid_on_takes_the_first_day_and_not_the_last(areas: Areas) -> None:
    assert ids(areas.valid_on(date(2024, 5, 1), "district")) == [OLD_DISTRICT.id]
    assert ids(areas.valid_on(date(2024, 4, 30), "district")) == []
    assert ids(areas.valid_on(REFORM, "district")) == []
    assert len(areas.valid_on(REFORM)) == 3


def test_locate_many_answers_each_row(areas: Areas) -> None:
    lon = [106.5, 107.5, 0.0, None, float("nan"), 107.0]
    lat = [10.5, 10.5, 0.0, 10.5, 10.5, 10.5]
    points = pa.table({"lon": pa.array(lon, pa.float64()), "lat": pa.array(lat, pa.float64())})
    found = areas.locate_many(points, REFORM, "ward").to_pylist()
    assert found[:5] == [WEST_WARD.id, EAST_WARD.id, None, None, None]
    assert found[5] in {WEST_WARD.id, EAST_WARD.id}, "a point on the border has exactly one area"
    assert areas.locate_many(points.slice(0, 0), REFORM, "ward").to_pylist() == []


def test_a_put_is_seen_by_everybody(store: tuple[Areas, Areas]) -> None:
    here, there = store
    here.put(ALL, SHARES)
    assert ids(there.locate(106.5, 10.5, REFORM)) == [WEST_WARD.id, NEW_PROVINCE.id]
    here.put([replace(WEST_WARD, geometry=square(150, 50, 1))], [])
    for side in store:
        assert ids(side.locate(106.5, 10.5, REFORM)) == [NEW_PROVINCE.id]


def test_shares_are_found_from_both_ends(areas: Areas) -> None:
    assert areas.shares(OLD_DISTRICT.id) == areas.shares(WEST_WARD.id) == (SHARES[0],)
    areas.put([], [replace(SHARES[0], share=0.5)])
    assert [s.share for s in areas.shares(WEST_WARD.id)] == [0.5]


def test_a_put_with_an_error_changes_nothing(areas: Areas) -> None:
    broken = replace(WEST_WARD, geometry="{}")
    with pytest.raises(ValueError, match=WEST_WARD.id):
        areas.put([replace(EAST_WARD, name="changed"), broken], [])
    with pytest.raises(IntegrityError):
        areas.put(
            [replace(EAST_WARD, name="changed")], [AreaShare("ward:9", EAST_WARD.id, 1, "decree")]
        )
    found = areas.get(EAST_WARD.id)
    assert found is not None and found.name == EAST_WARD.name
