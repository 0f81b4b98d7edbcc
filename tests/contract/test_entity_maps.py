"""The port `EntityMaps`, over every store."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from databases import lay_database
from dothi.ports.entity_maps import EntityMap, EntityMaps
from dothi.storage.relational import entity_maps
from dothi.storage.relational.engine import open_sqlite
from dothi.storage.relational.entity_maps import RelationalEntityMaps


class Hand:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 1, 2, 3, 456789, UTC)

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture(params=["sqlite"])
def maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EntityMaps]:
    monkeypatch.setattr(entity_maps, "MOST_MAPS", 3)
    engine = open_sqlite(lay_database(tmp_path / "dothi.db"))
    yield RelationalEntityMaps(engine, Hand())
    engine.dispose()


def _map(name: str, year: int = 9999) -> EntityMap:
    entities = {"urn:x:2": ("@none",), "urn:x:1": ("urn:r:1", "@none")}
    return EntityMap(name, datetime(year, 1, 1, tzinfo=UTC), entities, {"urn:r:1": "urn:m:9"})


def test_a_map_comes_back_as_it_was_put(maps: EntityMaps) -> None:
    maps.add(_map("a"))
    assert maps.find("a") == _map("a")
    assert maps.replace(_map("a", 2999))
    assert maps.find("a") == _map("a", 2999)
    assert maps.delete("a")
    assert (maps.find("a"), maps.delete("a"), maps.replace(_map("a"))) == (None, False, False)


def test_an_expired_map_is_not_there(maps: EntityMaps) -> None:
    maps.add(_map("a", 2020))
    assert maps.find("a") is None


def test_the_oldest_make_room(maps: EntityMaps) -> None:
    for name in "cabed":
        maps.add(_map(name))
    assert [name for name in "abcde" if maps.find(name)] == ["b", "d", "e"]
