"""The past of entities beside their current state: recording, forgetting, finding, matching."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from databases import lay_database
from dothi.model.condition import AllOf, Compare, Comparison, HasType, Target
from dothi.model.row import VALUE_CHANGES, Change, Kind
from dothi.model.series import RawQuery, SeriesKey
from dothi.pipeline.admit import admit
from dothi.ports.entity_query import EntitySearch
from dothi.ports.evolution import EntitySelector, EvolutionSearch
from dothi.storage.lake.open import Lake, open_lake
from dothi.storage.lake.settings import LakeSettings
from dothi.storage.relational.entity_query import SqliteEntities
from dothi.storage.relational.evolution_query import SqliteEvolutions
from dothi.storage.relational.sqlite_store import SqliteStore, open_store
from log_in_memory import FixedClock
from tests.rows import NOW, PHU_AN, batch, minutes_ago

LEVEL = SeriesKey(PHU_AN, "level")
WITH_DELETIONS = (*VALUE_CHANGES, Change.DELETE_ATTRIBUTE)


class World:
    """A store with its lake."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open()

    def open(self) -> None:
        self.lake: Lake = open_lake(self.folder / "lake", LakeSettings(hot_window_s=0))
        self.store: SqliteStore = open_store(lay_database(self.folder / "dothi.db"), self.lake.keys)
        self.history = self.lake.history(self.store.reader)
        self.evolutions = SqliteEvolutions(self.store.engine)
        self.entities = SqliteEntities(self.store.engine)

    def close(self) -> None:
        self.store.close()
        self.lake.close()

    def reopen(self) -> None:
        self.close()
        self.open()

    def write(self, **columns: object) -> None:
        columns = {"change": int(Change.RECORD)} | columns
        [result] = self.store.writer.commit(admit([batch(**columns)], {}))
        assert not result.rejected, result.rejected

    def types(self, *types: str, entity: str = PHU_AN) -> None:
        names = ", ".join(f'"{name}"' for name in types)
        self.write(
            entity=entity,
            attribute="",
            observed_at=None,
            change=int(Change.RECORD_ENTITY),
            body=f'{{"types": [{names}]}}',
        )

    def forget(self, change: Change = Change.FORGET, **columns: object) -> None:
        self.write(**({"observed_at": None} | columns), change=int(change))

    def seal(self) -> None:
        clock = FixedClock(datetime.fromisoformat("2037-01-01T00:00:00+00:00"))
        self.lake.sealer(self.store.sealing, self.store.cursors, clock).seal()

    def numbers(self, key: SeriesKey = LEVEL) -> list[float | None]:
        found: list[float | None] = self.history.raw(RawQuery((key,)))["number"].to_pylist()
        return found


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path)
    yield made
    made.close()


def test_a_recorded_value_enters_the_history_alone(world: World) -> None:
    world.types("WaterObserved")
    world.write(number=1.0)
    assert world.numbers() == [1.0]
    assert world.entities.load([PHU_AN]) == []
    assert world.entities.find(EntitySearch(ids=(PHU_AN,))) == []
    assert world.store.state.types() == {}
    [head] = world.evolutions.load([PHU_AN])
    assert (head.types, head.is_recorded) == (("WaterObserved",), True)
    assert [(s.name, s.kind) for s in head.series] == [("level", Kind.PROPERTY)]


def test_the_current_state_does_not_see_what_is_recorded(world: World) -> None:
    world.write(number=5.0, change=int(Change.UPSERT), entity_type="Gauge")
    world.write(number=9.0, observed_at=minutes_ago(-3))
    world.write(attribute="flow", number=1.0)
    [entity] = world.entities.load([PHU_AN])
    assert [(a.name, a.number) for a in entity.attributes] == [("level", 5.0)]
    assert world.store.state.attributes([PHU_AN])["number"].to_pylist() == [5.0]
    assert world.numbers() == [5.0, 9.0]
    world.write(number=7.0, observed_at=minutes_ago(-2), change=int(Change.UPSERT))
    [entity] = world.entities.load([PHU_AN])
    assert [a.number for a in entity.attributes] == [7.0]


def test_an_entity_that_was_only_recorded_comes_to_life(world: World) -> None:
    world.types("Gauge")
    world.write(number=1.0, observed_at=minutes_ago(3))
    world.write(number=2.0, change=int(Change.UPSERT), entity_type="WaterObserved")
    [entity] = world.entities.load([PHU_AN])
    assert (entity.types, [a.number for a in entity.attributes]) == (("WaterObserved",), [2.0])
    [head] = world.evolutions.load([PHU_AN])
    assert set(head.types) == {"WaterObserved", "Gauge"}
    assert world.numbers() == [1.0, 2.0]


@pytest.mark.parametrize("is_sealed", [False, True])
def test_the_same_key_again_replaces_and_the_same_value_is_not_stored_twice(
    world: World, is_sealed: bool
) -> None:
    world.write(number=[1.0, 2.0], observed_at=[minutes_ago(2), minutes_ago(1)])
    if is_sealed:
        world.seal()
    world.write(number=[1.0, 3.0], observed_at=[minutes_ago(2), minutes_ago(1)])
    assert world.numbers() == [1.0, 3.0]
    rows = world.history.raw(RawQuery((LEVEL,), all_revisions=True))
    assert rows["number"].to_pylist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("is_sealed", [False, True])
def test_what_was_forgotten_can_be_recorded_again(world: World, is_sealed: bool) -> None:
    world.types("Gauge")
    world.write(number=[1.0, 2.0], observed_at=[minutes_ago(2), minutes_ago(1)])
    world.write(number=3.0, observed_at=minutes_ago(1))
    if is_sealed:
        world.seal()
    world.forget()
    assert world.numbers() == []
    world.reopen()
    assert world.numbers() == []
    world.write(number=3.0, observed_at=minutes_ago(1))
    world.write(number=1.0, observed_at=minutes_ago(2), change=int(Change.UPSERT))
    assert world.numbers() == [1.0, 3.0]
    world.seal()
    world.reopen()
    assert world.numbers() == [1.0, 3.0]
    world.write(number=1.0, observed_at=minutes_ago(2))
    assert world.history.raw(RawQuery((LEVEL,), all_revisions=True)).num_rows == 2


def test_one_instance_is_forgotten(world: World) -> None:
    world.write(number=[1.0, 2.0, 3.0], observed_at=[minutes_ago(m) for m in (3, 2, 1)])
    world.forget(observed_at=minutes_ago(2), body="{}")
    assert world.numbers() == [1.0, 3.0]
    world.write(number=8.0, observed_at=None)
    seq = world.history.raw(RawQuery((LEVEL,)))["seq"][-1].as_py()
    world.forget(body=f'{{"seq": {seq}}}')
    assert world.numbers() == [1.0, 3.0]
    world.forget(attribute="never", body="{}")
    world.forget(entity="urn:ngsi-ld:Nobody:1")


def test_a_whole_evolution_is_forgotten_and_the_state_stays(world: World) -> None:
    world.write(number=1.0, change=int(Change.UPSERT), entity_type="Gauge")
    world.write(attribute="flow", number=2.0)
    world.types("Old")
    world.forget(Change.FORGET_ENTITY, attribute="")
    assert world.numbers() == world.numbers(SeriesKey(PHU_AN, "flow")) == []
    [head] = world.evolutions.load([PHU_AN])
    assert (head.is_recorded, head.types) == (False, ("Gauge",))
    assert len(world.entities.load([PHU_AN])) == 1
    world.write(number=4.0, observed_at=minutes_ago(-4), change=int(Change.UPSERT))
    [head] = world.evolutions.load([PHU_AN])
    assert head.is_recorded
    assert world.numbers() == [4.0]


def test_an_evolution_that_was_only_recorded_is_gone_when_forgotten(world: World) -> None:
    world.types("Gauge")
    world.write(number=1.0)
    world.forget(Change.FORGET_ENTITY, attribute="")
    [head] = world.evolutions.load([PHU_AN])
    assert (head.is_recorded, head.types) == (False, ())
    world.types("Pump")
    [head] = world.evolutions.load([PHU_AN])
    assert (head.is_recorded, head.types) == (True, ("Pump",))


def test_deleted_entities_keep_their_types_in_the_past(world: World) -> None:
    world.write(number=1.0, change=int(Change.UPSERT), entity_type="Gauge")
    world.write(attribute="", observed_at=None, number=None, change=int(Change.DELETE_ENTITY))
    [head] = world.evolutions.load([PHU_AN])
    assert (head.types, head.is_recorded) == (("Gauge",), True)
    assert head.deleted_at is not None
    found = world.evolutions.find(EvolutionSearch((EntitySelector(types=HasType("Gauge")),)))
    assert found == [PHU_AN]


def test_predictions_may_be_recorded(world: World) -> None:
    world.write(number=1.0, observed_at=NOW + timedelta(days=400))
    assert world.numbers() == [1.0]


def test_scopes_have_a_history(world: World) -> None:
    for scope in ('["/a"]', '["/a"]', '["/a", "/b"]', "[]"):
        world.write(
            attribute="",
            observed_at=None,
            number=None,
            change=int(Change.UPSERT_ENTITY),
            body=f'{{"types": ["Gauge"], "scope": {scope}}}',
        )
    query = RawQuery((SeriesKey(PHU_AN, "scope"),), changes=WITH_DELETIONS)
    rows = world.history.raw(query)
    assert rows["body"].to_pylist() == ['{"value":["/a"]}', '{"value":["/a","/b"]}', None]
    assert [at is None for at in rows["observed_at"].to_pylist()] == [False, False, True]
    [entity] = world.entities.load([PHU_AN])
    assert entity.attributes == ()


def test_finding(world: World) -> None:
    ids = [f"urn:ngsi-ld:Gauge:{n}" for n in (3, 1, 2)]
    for uri in ids:
        world.types("Gauge", *(["Pump"] if uri.endswith("1") else []), entity=uri)
        world.write(entity=uri, attribute=f"a{uri[-1]}", number=1.0)
    world.write(number=1.0, change=int(Change.UPSERT), entity_type="Live")
    gauges = (EntitySelector(types=HasType("Gauge")),)
    find = world.evolutions.find
    assert find(EvolutionSearch(gauges)) == ids
    assert find(EvolutionSearch(gauges, order="asc")) == sorted(ids)
    assert find(EvolutionSearch(gauges, order="desc")) == sorted(ids, reverse=True)
    assert find(EvolutionSearch(gauges), limit=2) == ids[:2]
    assert find(EvolutionSearch(gauges), after=ids[0]) == ids[1:]
    assert find(EvolutionSearch(gauges, order="asc"), after=sorted(ids)[0], limit=1) == [ids[2]]
    assert find(EvolutionSearch((), ("a2",))) == [ids[2]]
    both = AllOf((HasType("Gauge"), HasType("Pump")))
    assert find(EvolutionSearch((EntitySelector(types=both),))) == [ids[1]]
    either = (EntitySelector((PHU_AN,)), EntitySelector(id_pattern="[23]$"))
    assert find(EvolutionSearch(either)) == [ids[0], ids[2], PHU_AN]
    odd = (EntitySelector(ids=(ids[0],), types=HasType("Nothing")),)
    assert find(EvolutionSearch(odd)) == []


def test_conditions_on_instances(world: World) -> None:
    world.types("Gauge")
    world.write(number=[1.0, 5.0], observed_at=[minutes_ago(2), minutes_ago(1)])
    heads = world.evolutions.load([PHU_AN])
    rows = world.history.raw(RawQuery((LEVEL,)))

    def matches(comparison: Comparison, number: float, upto: int = 2) -> bool:
        condition = Compare(Target("level"), comparison, number)
        return bool(world.evolutions.matching(condition, heads, rows.slice(0, upto)))

    assert matches(Comparison.GREATER, 4.0)
    assert not matches(Comparison.GREATER, 4.0, upto=1)
    assert matches(Comparison.EQUAL, 1.0)
    assert not matches(Comparison.LESS, 1.0)


def test_the_past_of_an_entity_of_many_attributes_is_found_as_fast_as_they_are_many(
    world: World,
) -> None:
    names = [f"a{n:04}" for n in range(4000)]
    world.write(attribute=names, number=[1.0] * len(names))
    began_s = time.monotonic()
    [head] = world.evolutions.load([PHU_AN])
    assert [s.name for s in head.series] == names
    assert time.monotonic() - began_s < 2  # 0.1 s; when every series looks at all of them, 8 s
