"""ports.entity_query: searches that start narrow or wide give the same, loads keep every digit."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dothi.model.batch import Batch
from dothi.model.condition import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Geo,
    GeoRelation,
    HasType,
    Matches,
    Target,
)
from dothi.model.row import Change, Kind, rows_table
from dothi.ports.entity_query import Entities, EntitySearch
from dothi.storage.relational.entity_query import SqliteEntities
from hub import Hub, open_hub

COUNT = 2_500
"""More than the number of rows up to which a search starts from an index."""
AIR, WATER = HasType("Air"), HasType("Water")
NOW = datetime.now(UTC)


def _ids(numbers: Sequence[int]) -> list[str]:
    return [f"urn:x:{n}" for n in numbers]


def _over(limit: float) -> Compare:
    return Compare(Target("a"), Comparison.GREATER, limit)


async def _fill(hub: Hub) -> None:
    numbers = range(COUNT)
    rows = rows_table(
        {
            "source": "s",
            "entity": _ids(numbers),
            "entity_type": ["Water" if n % 100 == 7 else "Air" for n in numbers],
            "attribute": "a",
            "number": [n + 0.1 + 0.2 for n in numbers],
        }
    )
    names = rows_table(
        {
            "source": "s",
            "entity": _ids(numbers),
            "attribute": "name",
            "text": [f"Trạm {n}" for n in numbers],
        }
    )
    places = rows_table(
        {
            "source": "s",
            "entity": _ids(numbers),
            "attribute": "location",
            "kind": int(Kind.GEO_PROPERTY),
            "body": [
                f'{{"type":"Point","coordinates":[{106 + n / 10_000},10.5]}}' for n in numbers
            ],
        }
    )
    for at, table in enumerate((rows, names, places)):
        result = await hub.intake.submit(Batch(f"b{at}", table, NOW))
        assert result.stored == COUNT, result.rejected


@pytest.fixture
async def entities(tmp_path: Path) -> AsyncIterator[Entities]:
    async with open_hub(tmp_path) as hub:
        await _fill(hub)
        yield SqliteEntities(hub.engine)


WATERS = [n for n in range(COUNT) if n % 100 == 7]
NEAR = Geo(GeoRelation.NEAR, '{"type":"Point","coordinates":[106,10.5]}', "location", None, 25.0)
CASES: list[tuple[Condition, list[int]]] = [
    (AIR, [n for n in range(COUNT) if n not in WATERS]),
    (WATER, WATERS),
    (AnyOf((AIR, WATER)), list(range(COUNT))),
    (AllOf((AIR, WATER)), []),
    (_over(2490), list(range(2490, COUNT))),
    (_over(10), list(range(10, COUNT))),
    (AllOf((WATER, _over(10))), WATERS[1:]),
    (AllOf((AIR, _over(2497))), [2497, 2498, 2499]),
    (AnyOf((_over(2498), Compare(Target("name"), Comparison.EQUAL, "Trạm 3"))), [3, 2498, 2499]),
    (
        AllOf((AIR, Matches(Target("name"), "^Trạm 24[0-9]8$"))),
        [2400 + 8 + 10 * n for n in range(10)],
    ),
    (NEAR, [0, 1, 2]),
    (AllOf((AIR, NEAR, _over(1))), [1, 2]),
]


async def test_every_way_of_searching_finds_the_same(entities: Entities) -> None:
    for condition, expected in CASES:
        found = entities.find(EntitySearch(condition=condition, limit=None))
        assert found == _ids(expected), condition
        assert entities.count(EntitySearch(condition=condition, limit=1)) == len(expected)
        page = entities.find(EntitySearch(condition=condition, offset=2, limit=3))
        assert page == _ids(expected[2:5])
    pattern = EntitySearch(condition=AIR, id_pattern="urn:x:249[0-2]$")
    assert entities.find(pattern) == _ids([2490, 2491, 2492])
    assert entities.find(EntitySearch(ids=tuple(_ids([5, 4])), attributes=("a",))) == _ids([4, 5])
    assert entities.find(EntitySearch(attributes=("b",))) == []


async def test_loading(entities: Entities) -> None:
    one, other = entities.load(["urn:x:9", "urn:x:nobody", "urn:x:3", "urn:x:9"])
    assert (one.id, other.id) == ("urn:x:9", "urn:x:3")
    assert one.types == ("Air",)
    assert [a.name for a in one.attributes] == ["a", "location", "name"]
    number = one.attributes[0]
    assert (number.number, number.kind, number.text) == (9 + 0.1 + 0.2, Kind.PROPERTY, None)
    assert [a.name for a in entities.load(["urn:x:9"], ["a", "b"])[0].attributes] == ["a"]
    assert entities.load([]) == []


async def test_deleted_and_expired_entities_are_gone(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        rows = rows_table(
            {
                "source": "s",
                "entity": _ids([1, 2, 3]),
                "attribute": "",
                "body": [
                    '{"types":["T"]}',
                    f'{{"types":["T"],"expires_at":"{past}"}}',
                    '{"types":["T"]}',
                ],
                "change": int(Change.UPSERT_ENTITY),
            }
        )
        await hub.intake.submit(Batch("b1", rows, datetime.now(UTC)))
        gone = rows_table(
            {
                "source": "s",
                "entity": _ids([3]),
                "attribute": "",
                "change": int(Change.DELETE_ENTITY),
            }
        )
        await hub.intake.submit(Batch("b2", gone, datetime.now(UTC)))
        entities = SqliteEntities(hub.engine)
        assert entities.find(EntitySearch(condition=HasType("T"))) == _ids([1])
        assert [e.id for e in entities.load(_ids([1, 2, 3]))] == _ids([1])
