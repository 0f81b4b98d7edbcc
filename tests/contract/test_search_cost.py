"""What a search reads grows with what it finds, not with the store: its start is a short range."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dothi.facades.ngsi_ld.grammar.q import parse_q
from dothi.model.batch import Batch
from dothi.model.condition import AllOf, AnyOf, Condition, Geo, GeoRelation, HasType
from dothi.model.row import Kind, rows_table
from dothi.pipeline.matching import matches
from dothi.ports.clock import SystemClock
from dothi.ports.entity_query import EntitySearch
from dothi.storage.relational.entity_query import SqliteEntities
from dothi.storage.relational.entity_query_fetch import fetcher
from dothi.storage.relational.entity_query_plan import Plan
from hub import open_hub

COUNT = 3_000
FIRST = '{"type":"Point","coordinates":[106.0,10.5]}'


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    ids = [f"urn:x:{n}" for n in range(COUNT)]
    plain = {"source": "s", "entity": ids, "entity_type": "Thing"}
    points = [f'{{"type":"Point","coordinates":[{106 + n / 1_000},10.5]}}' for n in range(COUNT)]
    columns: list[dict[str, object]] = [
        {"attribute": "serial", "number": [float(n) for n in range(COUNT)]},
        {"attribute": "warm", "number": [float(n % 40) for n in range(COUNT)]},
        {"attribute": "label", "text": [f"Trạm {n}" for n in range(COUNT)]},
        {"attribute": "location", "kind": int(Kind.GEO_PROPERTY), "body": points},
        {"attribute": "level", "number": 1.0, "body": '{"accuracy":{"type":"Property","value":1}}'},
    ]
    rare = {"source": "s", "entity": ids[7:9], "entity_type": "Thing", "attribute": "rare"}
    async with open_hub(tmp_path) as hub:
        at = SystemClock().now()
        for n, more in enumerate(columns):
            result = await hub.intake.submit(Batch(f"b{n}", rows_table(plain | more), at))
            assert result.stored == COUNT, result.rejected
        await hub.intake.submit(Batch("rare", rows_table(rare | {"number": 1.0}), at))
        yield hub.engine


def q(text: str) -> Condition:
    return parse_q(text, str)


@pytest.mark.parametrize(
    ("search", "found", "most"),
    [
        (EntitySearch(condition=q("serial>=1500;serial<1508;warm>-1")), 8, 8),
        (EntitySearch(condition=q("serial==1500;warm>=0")), 1, 1),
        (EntitySearch(condition=q('label=="Trạm 5"|label=="Trạm 6"')), 2, 2),
        (EntitySearch(condition=q('(serial==5;warm>=0)|label=="Trạm 6"')), 2, 2),
        (EntitySearch(condition=q("rare")), 2, 2),
        (EntitySearch(condition=q("rare!=7")), 2, 2),
        (EntitySearch(attributes=("rare", "nothing")), 2, 2),
        (EntitySearch(condition=q("level.accuracy>0;serial<3")), 3, 3),
        (EntitySearch(condition=AllOf((HasType("Thing"), q("serial<3")))), 3, 3),
        (
            EntitySearch(
                condition=AllOf((Geo(GeoRelation.NEAR, FIRST, max_distance_m=200.0), q("warm>=0")))
            ),
            2,
            2,
        ),
    ],
)
async def test_the_start_holds_no_more_than_what_is_found(
    engine: Engine, search: EntitySearch, found: int, most: int
) -> None:
    assert len(SqliteEntities(engine).find(search)) == found
    with fetcher(engine) as fetch:
        plan = Plan(fetch, 1 << 60)
        plan.where(search)
        gathering = plan.gathering(search)
        assert gathering
        rows = fetch.rows(gathering, plan.compiler.parameters)
    assert len(rows) <= most


async def test_broad_conditions_are_not_gathered(engine: Engine) -> None:
    """A page of them is full after a few entities in order."""
    with fetcher(engine) as fetch:
        plan = Plan(fetch, 1 << 60)
        search = EntitySearch(condition=q("warm>=0;serial>=0"))
        plan.where(search)
        assert plan.gathering(search) == ""


async def test_both_ends_of_a_range_may_be_met_by_two_instances(tmp_path: Path) -> None:
    """One instance is above the lower end, another one below the upper end: that is a match."""
    rows = rows_table(
        {
            "source": "s",
            "entity": ["urn:x:1", "urn:x:1", "urn:x:2", "urn:x:3"],
            "entity_type": "Thing",
            "attribute": "a",
            "dataset": ["", "urn:d", "", ""],
            "number": [1.0, 9.0, 5.0, None],
            "body": [None, None, None, '{"value":[1,9]}'],
        }
    )
    async with open_hub(tmp_path) as hub:
        result = await hub.intake.submit(Batch("b", rows, SystemClock().now()))
        assert result.stored == 4, result.rejected
        found = SqliteEntities(hub.engine).find(EntitySearch(condition=q("a>4;a<6")))
    assert found == ["urn:x:1", "urn:x:2", "urn:x:3"]


async def test_what_was_short_last_time_is_tried_first_and_never_believed(engine: Engine) -> None:
    """The same build of search with other values, and another build of the same parts."""
    entities = SqliteEntities(engine)

    def ids(text: str) -> int:
        return len(entities.find(EntitySearch(condition=q(text), limit=None)))

    for _ in range(2):
        assert ids("serial<5;warm>=0") == 5
        assert ids("serial<2990;warm>=0") == 2990
        assert ids("serial<7;warm>38") == 0
        assert ids("serial<7|warm>38") == 7 + COUNT // 40
        assert ids("serial<2990;warm==39;serial>2900") == 2
    both = [q("rare"), q("serial>=0")]
    for made, found in ((AllOf, 2), (AnyOf, COUNT), (AllOf, 2)):
        search = EntitySearch(condition=made(tuple(both)), limit=None)
        assert len(entities.find(search)) == found


async def test_a_value_that_is_missing_meets_no_condition(tmp_path: Path) -> None:
    """No answer shows such an attribute, so nothing may be found by it."""
    rows = rows_table(
        {
            "source": "s",
            "entity": ["urn:x:1", "urn:x:2"],
            "entity_type": "Thing",
            "attribute": "a",
            "number": [None, 1.0],
            "quality": [9, 1],
        }
    )
    async with open_hub(tmp_path) as hub:
        result = await hub.intake.submit(Batch("b", rows, SystemClock().now()))
        assert result.stored == 2, result.rejected
        entities = SqliteEntities(hub.engine)
        every = entities.load(["urn:x:1", "urn:x:2"])
        for condition in (q("a"), q("a!=7"), q("a==1")):
            assert entities.find(EntitySearch(condition=condition)) == ["urn:x:2"]
            assert [e.id for e in every if matches(e, condition)] == ["urn:x:2"]
        assert entities.find(EntitySearch(attributes=("a",))) == ["urn:x:2"]
