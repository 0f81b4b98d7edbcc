"""Rules over the history: back-tests, and why a rule did not fire."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.row import LOG_SCHEMA, Change
from dothi.model.rule import LimitTable, Rule, Words
from dothi.model.rule_condition import Compare, Condition
from dothi.model.series import RawQuery, SeriesKey
from dothi.model.transition import Transition
from dothi.ports.history import History
from dothi.rules.check import leaves_of
from dothi.rules.engine import Engine
from dothi.rules.fences import AreaShape
from dothi.rules.scope import Facts
from dothi.rules.wording import NO_WORDS, Vocabulary

CHUNK_ROWS = 1_000_000
"""Rows that are evaluated at once."""
WARM_UP = timedelta(days=1)
"""So far before the asked time rows are looked at, beside the windows and delays of the rule."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rules need beside their rows."""

    history: History
    facts: Facts
    limits: Sequence[LimitTable] = ()
    area_shape: AreaShape | None = None
    vocabulary: Vocabulary = NO_WORDS

    def engine(self, rules: Sequence[Rule]) -> Engine:
        found = Engine(
            self.facts, self.limits, area_shape=self.area_shape, vocabulary=self.vocabulary
        )
        found.load(rules, ())
        return found


@dataclass(frozen=True, slots=True)
class Firing:
    """A time during which a rule was active."""

    entity: str
    start_at: datetime
    end_at: datetime | None
    """None: still at the end of the test."""
    text: Words
    explanation: str


@dataclass(frozen=True, slots=True)
class BackTest:
    firings: Sequence[Firing]
    """By start."""
    rows: int
    active_s: float
    """Of all entities together."""


def attributes_of(condition: Condition) -> list[tuple[str, str]]:
    """Attribute and datasetId of every series that the condition reads, sorted."""
    found = set()
    for leaf in leaves_of(condition):
        found.add((leaf.attribute, getattr(leaf, "dataset", "")))
        if isinstance(leaf, Compare):
            found.add((leaf.other, leaf.other_dataset))
    return sorted(found)


def look_back(rule: Rule) -> timedelta:
    """How far before a moment rows may still matter to the rule at that moment."""
    longest_s = 0.0
    for leaf in leaves_of(rule.condition):
        for name in ("over_s", "for_s", "within_s"):
            longest_s = max(longest_s, getattr(leaf, name, 0.0) or 0.0)
    return WARM_UP + timedelta(seconds=longest_s + rule.on_delay_s + rule.off_delay_s)


def back_test(
    rule: Rule,
    entities: Sequence[str],
    span: tuple[datetime, datetime],
    around: Surroundings,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> BackTest:
    """What the rule would have done from the first moment (inclusive) to the second (exclusive).

    Args:
        entities: that the rule may look at.
        is_cancelled: asked between pieces; then the answer holds what was found so far.
    """
    start_at, end_at = span
    engine = around.engine([rule])
    transitions: list[Transition] = []
    count = 0
    for rows in history_rows(rule, entities, (start_at - look_back(rule), end_at), around.history):
        if is_cancelled():
            break
        count += rows.num_rows
        transitions += engine.evaluate(rows, end_at).transitions
    transitions += engine.tick(end_at).transitions
    firings = [f for f in firings_of(transitions) if f.end_at is None or f.end_at > start_at]
    active_s = sum(
        ((f.end_at or end_at) - max(f.start_at, start_at)).total_seconds() for f in firings
    )
    return BackTest(firings, count, active_s)


def firings_of(transitions: Sequence[Transition]) -> list[Firing]:
    """Beginnings and ends as times of activity, by start."""
    begun: dict[str, Transition] = {}
    found: list[Firing] = []

    def add(one: Transition, end_at: datetime | None) -> None:
        text = Words(vi=one.text, en=one.text_en)
        found.append(Firing(one.entity, one.at, end_at, text, one.explanation))

    for one in transitions:
        if one.is_active:
            begun[one.entity] = one
        elif one.entity in begun:
            add(begun.pop(one.entity), one.at)
    for one in begun.values():
        add(one, None)
    return sorted(found, key=lambda firing: (firing.start_at, firing.entity))


def new_firings(tested: Sequence[Firing], in_force: Sequence[Firing]) -> list[bool]:
    """Which of the tested overlap none of those that the version in force gave."""
    by_entity: dict[str, list[Firing]] = {}
    for one in in_force:
        by_entity.setdefault(one.entity, []).append(one)
    return [
        not any(_overlap(one, other) for other in by_entity.get(one.entity, ())) for one in tested
    ]


def _overlap(one: Firing, other: Firing) -> bool:
    return (other.end_at is None or one.start_at <= other.end_at) and (
        one.end_at is None or other.start_at <= one.end_at
    )


def history_rows(
    rule: Rule,
    entities: Sequence[str],
    span: tuple[datetime, datetime],
    history: History,
    *,
    is_replayed: bool = True,
) -> Iterator[pa.Table]:
    """LOG_SCHEMA rows of what the rule reads, each entity in the order of time.

    Entities are asked for a few at a time, so that an answer stays small: how many follows from
    how many rows the last ones had.
    """
    names = attributes_of(rule.condition)
    place, count = 0, 8
    while place < len(entities):
        some = entities[place : place + count]
        place += len(some)
        series = tuple(SeriesKey(entity, *name) for entity in some for name in names)
        query = RawQuery(series, *span, limit=2**31, columns=_COLUMNS)
        found = history.raw(query)
        if found.num_rows:
            per_entity = max(1, found.num_rows // len(some))
            count = max(1, min(1000, CHUNK_ROWS // per_entity))
            yield from as_log(
                found, is_mixed=len(names) > 1, chunk_rows=CHUNK_ROWS, is_replayed=is_replayed
            )
        else:
            count = min(1000, count * 2)


def earlier_rows(
    rule: Rule, entity: str, before_at: datetime, history: History
) -> Iterator[pa.Table]:
    """The last row of each series before a moment: what is slow still stands."""
    series = tuple(SeriesKey(entity, *name) for name in attributes_of(rule.condition))
    query = RawQuery(series, end_at=before_at, last_n=1, columns=_COLUMNS)
    found = history.raw(query)
    yield from as_log(found, is_mixed=True, chunk_rows=CHUNK_ROWS, is_replayed=False)


_COLUMNS = ("observed_at", "committed_at", "number", "body", "quality", "source")


def as_log(
    found: pa.Table, *, is_mixed: bool, chunk_rows: int, is_replayed: bool = True
) -> Iterator[pa.Table]:
    """Rows of an answer of the history as rows of the log; `is_replayed`: they arrive when they
    were observed, whenever they were stored."""
    if is_replayed:
        at = pc.coalesce(found["observed_at"], found["committed_at"])
        place = found.column_names.index("committed_at")
        found = found.set_column(place, "committed_at", at)
    if is_mixed:
        found = found.sort_by([("entity", "ascending"), ("observed_at", "ascending")])
    count = found.num_rows
    made = {
        "lane": pa.nulls(count, pa.int32()).fill_null(0),
        "entity_type": pa.nulls(count, pa.string()),
        "change": pa.array(np.full(count, int(Change.UPSERT)), pa.uint8()),
    }
    columns = [
        made[field.name] if field.name in made else found[field.name].cast(field.type)
        for field in LOG_SCHEMA
    ]
    rows = pa.table(columns, schema=LOG_SCHEMA)
    for start in range(0, count, chunk_rows):
        yield rows.slice(start, chunk_rows)
