"""The check on columns decides like a plain model that takes one row after the other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rows import batch, minutes_ago

from dothi.model.batch import CommitResult
from dothi.model.row import Change
from dothi.model.source import Source
from dothi.pipeline.admit import admit
from dothi.storage.relational.sqlite_store import SqliteStore, open_store
from thorough import examples

REASON = "series_of_another_source"
_RUNS = count()


class Row(NamedTuple):
    source: str
    entity: str
    attribute: str
    minute: int
    number: float
    change: Change = Change.UPSERT

    @property
    def series(self) -> tuple[str, str]:
        return self.entity, self.attribute


class Sent(NamedTuple):
    rows: list[Row]
    is_trusted: bool = False
    is_whole: bool = False


class Release(NamedTuple):
    source: str


class Permit(NamedTuple):
    """The gateway `gw` may (not) write for others from now on."""

    is_given: bool


Step = list[Sent] | Release | Permit


@dataclass
class Outcome:
    stored: int = 0
    duplicates: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    """Row -> reason."""


@dataclass
class Model:
    """Owners and values in force, as dictionaries."""

    owner: dict[tuple[str, str], str] = field(default_factory=dict)
    value: dict[tuple[str, str, int], float] = field(default_factory=dict)
    gateway_may: bool = False

    def release(self, source: str) -> int:
        gone = [series for series, owner in self.owner.items() if owner == source]
        for series in gone:
            del self.owner[series]
        return len(gone)

    def take(self, sent: Sent) -> Outcome:
        before = (dict(self.owner), dict(self.value))
        outcome = Outcome()
        for at, row in enumerate(sent.rows):
            self._take_row(at, row, sent.is_trusted, outcome)
        if sent.is_whole and outcome.refused:
            self.owner, self.value = before
            return Outcome(refused={at: "any" for at in range(len(sent.rows))})
        return outcome

    def _take_row(self, at: int, row: Row, is_trusted: bool, outcome: Outcome) -> None:
        if row.change is Change.UPSERT:
            self._write(at, row, is_trusted, outcome)
            return
        outcome.stored += 1
        for series in list(self.owner):
            is_whole_entity = row.change is Change.DELETE_ENTITY and series[0] == row.entity
            if is_whole_entity or series == row.series:
                del self.owner[series]

    def _write(self, at: int, row: Row, is_trusted: bool, outcome: Outcome) -> None:
        owner = self.owner.get(row.series)
        may = is_trusted or (row.source == "gw" and self.gateway_may)
        if owner not in (None, row.source) and not may:
            outcome.refused[at] = REASON
            return
        if owner is None and row.source != "old":
            self.owner[row.series] = row.source
        key = (*row.series, row.minute)
        if self.value.get(key) == row.number:
            outcome.duplicates += 1
        else:
            self.value[key] = row.number
            outcome.stored += 1


SOURCES = st.sampled_from(["s1", "s2", "gw", "old"])
ENTITIES = st.sampled_from(["e1", "e2"])
NAMES = st.sampled_from(["a", "b"])
MINUTES, NUMBERS = st.integers(0, 2), st.sampled_from([1.0, 2.0])
WRITES = st.builds(Row, SOURCES, ENTITIES, NAMES, MINUTES, NUMBERS, st.just(Change.UPSERT))
DELETES = st.builds(
    lambda s, e, a: Row(s, e, a, 0, 0.0, Change.DELETE_ATTRIBUTE), SOURCES, ENTITIES, NAMES
) | st.builds(lambda s, e: Row(s, e, "", 0, 0.0, Change.DELETE_ENTITY), SOURCES, ENTITIES)
ROWS = st.lists(st.one_of(WRITES, WRITES, WRITES, WRITES, DELETES), min_size=1, max_size=6)
SENT = st.builds(Sent, ROWS, st.sampled_from([False, False, True]), st.booleans())
GROUPS = st.lists(SENT, min_size=1, max_size=4)
STEPS = st.lists(
    GROUPS | st.builds(Release, SOURCES) | st.builds(Permit, st.booleans()),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path_factory.mktemp("owners") / "dothi.db")
    yield opened
    opened.close()


@settings(deadline=None, max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
@example([[Sent([Row("old", "e1", "a", 0, 1.0), Row("s1", "e1", "a", 1, 1.0)]),
           Sent([Row("old", "e1", "a", 2, 1.0)])]])  # fmt: skip
@example([[Sent([Row("s1", "e1", "a", 0, 1.0)]),
           Sent([Row("s2", "e1", "b", 0, 1.0), Row("s2", "e1", "a", 0, 1.0)], is_whole=True),
           Sent([Row("s1", "e1", "b", 0, 1.0), Row("s2", "e1", "b", 0, 1.0)], is_whole=True),
           Sent([Row("s2", "e1", "b", 0, 1.0)])]])  # fmt: skip
def test_columns_decide_like_the_model(store: SqliteStore, steps: list[Step]) -> None:
    run, model, has_deleted = next(_RUNS), Model(), False
    gateway = Source(f"{run}-gw", "Gateway", "mqtt")
    store.sources.put(gateway)
    store.sources.put(Source(f"{run}-old", "Old", "import"))
    for step in steps:
        if isinstance(step, Release):
            assert store.writer.release(f"{run}-{step.source}") == model.release(step.source)
        elif isinstance(step, Permit):
            model.gateway_may = step.is_given
            store.sources.put(replace(gateway, may_write_others=step.is_given))
        else:
            has_deleted |= any(
                row.change is not Change.UPSERT for sent in step for row in sent.rows
            )
            results = store.writer.commit(admit([_batch(run, sent) for sent in step], {}))
            for sent, result in zip(step, results, strict=True):
                _compare(sent, result, model.take(sent), has_deleted)


def _batch(run: int, sent: Sent):
    made = batch(
        source=[f"{run}-{row.source}" for row in sent.rows],
        entity=[f"urn:x:{run}-{row.entity}" for row in sent.rows],
        attribute=[row.attribute for row in sent.rows],
        observed_at=[minutes_ago(row.minute) for row in sent.rows],
        number=[row.number for row in sent.rows],
        change=[int(row.change) for row in sent.rows],
    )
    return replace(made, is_trusted=sent.is_trusted, is_whole=sent.is_whole)


def _compare(sent: Sent, result: CommitResult, expected: Outcome, has_deleted: bool) -> None:
    assert result.received == len(sent.rows)
    assert result.stored + result.duplicates == expected.stored + expected.duplicates
    if not has_deleted:  # twins on both sides of a deletion in one commit are not told apart
        assert result.stored == expected.stored
    assert {r.row for r in result.rejected} == set(expected.refused)
    if not sent.is_whole:
        assert {r.row: r.reason for r in result.rejected} == expected.refused
    elif expected.refused:
        assert {r.reason for r in result.rejected} >= {REASON}
