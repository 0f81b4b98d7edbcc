"""A back-test over columns says what the engine says, wherever the rows lie."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dothi.model.rule import DatedValue, LimitTable, Rule, Scope, Words
from dothi.model.rule_condition import AllOf, DatedLimit, Not, Range, Threshold
from dothi.model.series import AggregateQuery, RawQuery
from dothi.ports.history import History, Scans
from dothi.rules.explanation import re_evaluate
from dothi.rules.firings import Firings, new_firings
from dothi.rules.past import BackTest, Surroundings, back_test
from dothi.rules.scope import EntityFacts
from dothi.storage.lake import parquet
from dothi.storage.lake.open import open_lake
from dothi.storage.lake.settings import LakeSettings
from log_in_memory import FixedClock, MemoryLog
from rule_rows import rule
from thorough import examples

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENTITIES = ("e1", "e2", "e3")
SPAN = (BEGIN + 2 * HOUR, BEGIN + 70 * HOUR)
comparisons = st.sampled_from([">", ">=", "<", "<="])
numbers = st.integers(-4, 4).map(float)
bands = st.sampled_from([0.0, 1.0, 2.0])
DATED = DatedLimit(table="stage", level="II")


def _dated(level: float, first: str, last: str | None, entity: str = "") -> DatedValue:
    until = None if last is None else date.fromisoformat(last)
    return DatedValue(
        level="II", valid_from=date.fromisoformat(first), valid_to=until, source="test",
        mark="verified", value=level, entity=entity,
    )  # fmt: skip


TABLE = LimitTable(
    name="stage",
    title=Words(vi="-"),
    values=(
        _dated(1.0, "2026-01-01", "2026-11-22"),
        _dated(-1.0, "2026-11-22", None),
        _dated(2.0, "2026-01-01", "2026-11-21", "e2"),
    ),
)


class Types:
    """All but one are of the type."""

    def look_up(self, entities: Sequence[str], *, with_areas: bool) -> list[EntityFacts]:
        return [EntityFacts(() if e == "e3" else ("WaterObserved",)) for e in entities]


class Unscanned:
    """The same history, of which only raw rows can be asked."""

    def __init__(self, history: History) -> None:
        self._history = history

    def raw(self, query: RawQuery) -> pa.Table:
        return self._history.raw(query)

    def aggregate(self, query: AggregateQuery) -> pa.Table:
        return self._history.aggregate(query)


@st.composite
def conditions(draw: st.DrawFn) -> Any:
    limit = draw(st.one_of(numbers, numbers, st.just(DATED)))
    one = Threshold(attribute="a", comparison=draw(comparisons), limit=limit, deadband=draw(bands))
    low = draw(numbers)
    span = Range(
        attribute="a", low=low, high=low + draw(st.integers(0, 3)), is_inside=draw(st.booleans()),
        deadband=draw(bands),
    )  # fmt: skip
    kind = draw(st.sampled_from(["one", "one", "range", "not", "all"]))
    return {"one": one, "range": span, "not": Not(of=one), "all": AllOf(of=(one, span))}[kind]


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    delays = st.sampled_from([0.0, 0.0, 3600.0, 9000.0])
    types = draw(st.sampled_from([(), ("WaterObserved",)]))
    scope = Scope(types=types) if types else Scope(ids=ENTITIES)
    return rule(draw(conditions()), scope=scope, on_delay_s=draw(delays), off_delay_s=draw(delays))


@st.composite
def writes(draw: st.DrawFn) -> list[list[dict[str, object]]]:
    """Batches: mostly in order, with late values, corrections and bad quality."""
    found, clock = [], 0
    revisions: Counter[tuple[object, object]] = Counter()
    for _ in range(draw(st.integers(1, 6))):
        batch = []
        for _ in range(draw(st.integers(1, 14))):
            clock += draw(st.sampled_from([0, 1, 1, 2, 5]))
            back = draw(st.sampled_from([0] * 8 + [1, 3]))
            number = draw(st.one_of(numbers, numbers, numbers, numbers, st.none()))
            batch.append(
                {
                    "entity": draw(st.sampled_from(ENTITIES)), "attribute": "a",
                    "observed_at": BEGIN + (clock - back) * HOUR, "number": number,
                    "quality": draw(st.sampled_from([1] * 10 + [4, 5])),
                }
            )  # fmt: skip
        # One batch holds a key once.
        once = {(r["entity"], r["observed_at"]): r for r in batch}
        found.append([{**r, "revision": revisions[key]} for key, r in once.items()])
        revisions.update(once.keys())
    return found


@contextmanager
def lake_of(
    batches: Sequence[list[dict[str, object]]], sealed: int, *, is_folded: bool
) -> Iterator[Scans]:
    """The first batches lie in files, each in its own, the others in the log."""
    with TemporaryDirectory() as folder:
        lake = open_lake(Path(folder) / "lake", LakeSettings(hot_window_s=0))
        clock = FixedClock(datetime(2027, 1, 1, tzinfo=UTC))
        log = MemoryLog()
        for place, rows in enumerate(batches):
            log.write(rows)
            if place < sealed:
                lake.sealer(log, log, clock).seal()
        if is_folded:
            lake.upkeep(clock).fold()
        yield lake.history(log)
        lake.close()


def run(one: Rule, history: History) -> BackTest:
    return back_test(one, ENTITIES, SPAN, Surroundings(history, Types(), (TABLE,)))


def shown(firings: Firings) -> list[tuple[Any, ...]]:
    return [(f.entity, f.start_at, f.end_at, f.told.text, f.told.explanation) for f in firings]


@pytest.fixture(scope="module", autouse=True)
def small_row_groups() -> Iterator[None]:
    """So that some are left out by their statistics."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP_ROWS", 3)
        yield


@settings(max_examples=examples(60), deadline=None)
@given(rules(), writes(), st.integers(0, 6), st.booleans())
def test_columns_say_what_the_engine_says(
    one: Rule, batches: list[list[dict[str, object]]], sealed: int, is_folded: bool
) -> None:
    with lake_of(batches, sealed, is_folded=is_folded) as history:
        assert isinstance(history, Scans)
        assert not isinstance(Unscanned(history), Scans)
        found, expected = run(one, history), run(one, Unscanned(history))
        assert shown(found.firings) == shown(expected.firings)
        assert (found.rows, found.active_s) == (expected.rows, expected.active_s)
        for firing in found.firings:
            assert re_evaluate(firing.told.explanation).agrees


@pytest.mark.parametrize("sealed", [0, 1, 2])
def test_a_corrected_number_counts_as_corrected(sealed: int) -> None:
    key: dict[str, object] = {"entity": "e1", "attribute": "a", "observed_at": BEGIN + 3 * HOUR}
    batches = [[{**key, "number": -1.0}], [{**key, "number": 4.0, "revision": 1}]]
    over = rule(Threshold(attribute="a", comparison=">", limit=3.0), scope=Scope(ids=("e1",)))
    with lake_of(batches, sealed, is_folded=False) as history:
        assert [f.start_at for f in run(over, history).firings] == [key["observed_at"]]


def test_what_stays_between_two_limits_is_not_read() -> None:
    batch: list[dict[str, object]] = [
        {"entity": "e1", "attribute": "a", "observed_at": BEGIN + n * HOUR / 10, "quality": 1,
         "number": 5.0 if n in (300, 301) else n % 3 / 10}
        for n in range(600)
    ]  # fmt: skip
    over = rule(Threshold(attribute="a", comparison=">", limit=1.0), scope=Scope(ids=("e1",)))
    looked: list[int] = []
    with lake_of([batch], 1, is_folded=False) as history:
        scan = history.scan
        history.scan = lambda query, fold: scan(  # type: ignore[method-assign]
            query, lambda some: (looked.append(len(some.us)), fold(some))[1]
        )
        found = run(over, history)
    assert [(f.start_at, f.end_at) for f in found.firings] == [
        (BEGIN + 30 * HOUR, BEGIN + 30.2 * HOUR)
    ]
    assert found.rows == 600
    # A day is a file, 80 row groups of three rows each: of all but a few two rows were told. Of
    # the last half day, whose file reaches beyond the test, all were.
    assert sum(looked) < 450


def test_new_is_what_overlaps_nothing() -> None:
    batch: list[dict[str, object]] = [
        {"entity": e, "attribute": "a", "observed_at": BEGIN + n * HOUR, "number": float(value)}
        for e in ("e1", "e2")
        for n, value in enumerate([0, 2, 3, 0, 2, 0, 3, 2])
        if e == "e1" or n < 3
    ]
    low, high = (
        rule(Threshold(attribute="a", comparison=">", limit=limit), scope=Scope(ids=ENTITIES))
        for limit in (1.0, 2.0)
    )
    with lake_of([batch], 1, is_folded=False) as history:
        span = (BEGIN, BEGIN + 20 * HOUR)
        around = Surroundings(history, Types())
        first, second = (back_test(one, ENTITIES, span, around).firings for one in (low, high))
    assert [f.entity for f in first] == ["e1", "e2", "e1", "e1"]
    assert new_firings(first, second) == [False, False, True, False]
    assert new_firings(second, first) == [False] * len(second)
    none = second.some(second.start_us < 0)
    assert new_firings(first, none) == [True] * 4
    assert first.by_entity() == {"e1": 3, "e2": 1}
