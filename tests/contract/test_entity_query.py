"""ports.entity_query: searches that start narrow or wide give the same, loads keep every digit."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from dothi.model.batch import Batch
from dothi.model.condition import (
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    Geo,
    GeoRelation,
    HasId,
    HasScope,
    HasType,
    IdMatches,
    Matches,
    Target,
)
from dothi.model.order import Order, OrderTerm
from dothi.model.row import Change, Kind, rows_table
from dothi.ports.entity_query import Entities, EntitySearch, TooManyToOrder
from dothi.storage.relational.entity_query import SqliteEntities
from hub import Hub, open_hub
from log_in_memory import FixedClock

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


async def test_far_pages_are_exact_whatever_happened_before(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        await _fill(hub)
        entities = SqliteEntities(hub.engine)
        present = [n for n in range(COUNT) if n not in WATERS]
        over = AllOf((AIR, _over(100)))

        def check() -> None:
            for offset in (2_000, 600, 1_500, 1_510, 2_000, 0, 2_300):
                search = EntitySearch(condition=AIR, offset=offset, limit=10)
                assert entities.find(search) == _ids(present[offset : offset + 10])
                search = EntitySearch(condition=over, offset=offset, limit=10)
                above = [n for n in present if n + 0.1 + 0.2 > 100 and n not in lowered]
                assert entities.find(search) == _ids(above[offset : offset + 10])
                whole = [n for n in range(COUNT) if n in WATERS or n in present]
                search = EntitySearch(offset=offset, limit=10)
                assert entities.find(search) == _ids(whole[offset : offset + 10])

        lowered: set[int] = set()
        check()
        check()
        gone = {"source": "s", "entity": _ids([5, 700, 1_400]), "attribute": ""}
        rows = rows_table(gone | {"change": int(Change.DELETE_ENTITY)})
        await hub.intake.submit(Batch("gone", rows, NOW))
        present = [n for n in present if n not in {5, 700, 1_400}]
        check()
        await hub.intake.submit(
            Batch(
                "lower",
                rows_table(
                    {
                        "source": "s",
                        "entity": _ids([200, 900]),
                        "attribute": "a",
                        "number": 1.0,
                        "observed_at": NOW,
                    }
                ),
                NOW,
            )
        )
        lowered = {200, 900}
        check()
        rows = rows_table(
            {"source": "s", "entity": _ids([9_000]), "entity_type": "Air", "attribute": "b"}
            | {"number": 1.0}
        )
        await hub.intake.submit(Batch("more", rows, NOW))
        present.append(9_000)
        search = EntitySearch(condition=AIR, offset=len(present) - 1, limit=10)
        assert entities.find(search) == _ids([9_000])


async def test_far_pages_leave_out_what_has_expired(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        await _fill(hub)
        clock = FixedClock(NOW)
        entities = SqliteEntities(hub.engine, clock)
        body = {"types": ["Air"], "scope": [], "expires_at": (NOW + timedelta(hours=1)).isoformat()}
        ending = [3, 700, 1_400]
        rows = {"source": "s", "entity": _ids(ending), "attribute": "", "body": json.dumps(body)}
        change = {"change": int(Change.UPSERT_ENTITY), "entity_type": "Air"}
        await hub.intake.submit(Batch("ending", rows_table(rows | change), NOW))
        present = [n for n in range(COUNT) if n not in WATERS]
        for later_h in (0, 2):
            clock.at = NOW + timedelta(hours=later_h)
            present = [n for n in present if later_h == 0 or n not in ending]
            whole = [n for n in range(COUNT) if n in WATERS or n in present]
            for condition, matching in ((AIR, present), (None, whole)):
                search = EntitySearch(condition=condition, offset=2_100, limit=10)
                assert entities.find(search) == _ids(matching[2_100:2_110])


async def test_orders(entities: Entities) -> None:
    falling = Order((OrderTerm(Target("a"), is_descending=True),))
    search = EntitySearch(condition=WATER, order=falling, offset=1, limit=3)
    assert entities.find(search) == _ids(WATERS[::-1][1:4])
    nearest = Order((OrderTerm(Target("location"), distance_from=NEAR.geometry),))
    search = EntitySearch(condition=AIR, order=nearest, limit=3)
    assert entities.find(search) == _ids([0, 1, 2])
    by_name = Order((OrderTerm(Target("name")), OrderTerm(Target("id"))))
    search = EntitySearch(condition=_over(2_497), order=by_name, limit=None)
    assert entities.find(search) == _ids([2_497, 2_498, 2_499])


async def test_too_many_to_order(entities: Entities, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dothi.storage.relational.entity_query_order._MAX_ORDERED", 2)
    search = EntitySearch(condition=WATER, order=Order((OrderTerm(Target("a")),)))
    assert len(entities.find(search)) == len(WATERS)  # numbers are ordered by the database
    search = EntitySearch(condition=WATER, order=Order((OrderTerm(Target("name")),)))
    with pytest.raises(TooManyToOrder, match="at most 2"):
        entities.find(search)


async def test_ids_scopes_and_patterns(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        scopes = ["[]", '["/A"]', '["/A/B","/C"]', '["/AB"]']
        rows = rows_table(
            {
                "source": "s",
                "entity": _ids(range(4)),
                "attribute": "",
                "body": [f'{{"types":["T"],"scope":{scope}}}' for scope in scopes],
                "change": int(Change.UPSERT_ENTITY),
            }
        )
        await hub.intake.submit(Batch("b1", rows, NOW))
        entities = SqliteEntities(hub.engine)
        cases: list[tuple[Condition, list[int]]] = [
            (HasScope(("A",)), [1]),
            (HasScope(("A",), has_descendants=True), [1, 2]),
            (HasScope(("+", "B")), [2]),
            (HasScope((), has_descendants=True), [1, 2, 3]),
            (HasId(("urn:x:2", "urn:x:9")), [2]),
            (IdMatches("^urn:x:[13]$"), [1, 3]),
            (IdMatches(":[13]$"), [1, 3]),
            (AnyOf((HasId(("urn:x:0",)), AllOf((HasType("T"), HasScope(("C",)))))), [0, 2]),
            (AllOf(()), [0, 1, 2, 3]),
        ]
        for condition, expected in cases:
            assert entities.find(EntitySearch(condition=condition)) == _ids(expected), condition
            assert entities.count(EntitySearch(condition=condition)) == len(expected)


async def test_loading(entities: Entities) -> None:
    one, other = entities.load(["urn:x:9", "urn:x:nobody", "urn:x:3", "urn:x:9"])
    assert (one.id, other.id) == ("urn:x:9", "urn:x:3")
    assert one.types == ("Air",)
    assert [a.name for a in one.attributes] == ["a", "location", "name"]
    number = one.attributes[0]
    assert (number.number, number.kind, number.text) == (9 + 0.1 + 0.2, Kind.PROPERTY, None)
    assert [a.name for a in entities.load(["urn:x:9"], ["a", "b"])[0].attributes] == ["a"]
    assert entities.load([]) == []
    plain = (("a", ""), ("location", ""), ("name", ""))
    found = entities.keys(["urn:x:9", "urn:x:nobody", "urn:x:9"])
    assert {uri: tuple(sorted(keys)) for uri, keys in found.items()} == {"urn:x:9": plain}
    assert entities.keys([]) == {}


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


async def test_a_glance_tells_what_a_search_finds_or_nothing(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        await _fill(hub)
        entities = SqliteEntities(hub.engine)
        searches = [
            EntitySearch(condition=AllOf((AIR, _over(float(low)))), **more)
            for low in (COUNT - 5, 3, COUNT - 9, 0, COUNT - 40, COUNT + 9)
            for more in ({}, {"offset": 2}, {"offset": 2_000}, {"limit": 3})
        ]
        ordered = Order((OrderTerm(Target("a"), is_descending=True),))
        searches[3:3] = [EntitySearch(), EntitySearch(condition=AIR, order=ordered)]
        for search in searches:  # of another build, asked for in the same look
            searches_of_two = [search, replace(search, condition=_over(float(COUNT - 3)))]
            found = [entities.find(one) for one in searches_of_two]
            for page, glimpse in zip(found, entities.glance(searches_of_two), strict=True):
                assert glimpse in (None, page)
        together = entities.glance(searches)
        assert sum(page is not None for page in together) >= len(searches) // 3
        assert together[3:5] == [None, None]
        for search, glimpse in zip(searches, together, strict=True):
            assert glimpse in (None, entities.find(search))
