"""Rules over the history: back-tests, and why a rule did not fire."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from dothi.model.moments import us_of
from dothi.model.row import LOG_SCHEMA, Change
from dothi.model.rule import LimitTable, Rule
from dothi.model.rule_condition import Compare, Condition
from dothi.model.series import RawQuery, SeriesKey
from dothi.model.transition import Transition
from dothi.ports.history import History, Scans
from dothi.rules.check import leaves_of
from dothi.rules.engine import Engine
from dothi.rules.fences import AreaShape
from dothi.rules.firings import Firings, firings_of, joined
from dothi.rules.levels import Swept, levels_of
from dothi.rules.limits import DatedLimits
from dothi.rules.scope import Facts, holds
from dothi.rules.wording import NO_WORDS, Vocabulary

CHUNK_ROWS = 1_000_000
"""Rows that are evaluated at once."""
WARM_UP = timedelta(days=1)
"""So far before the asked time rows are looked at, beside the windows and delays of the rule."""


class Surroundings(Struct, frozen=True):
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


class BackTest(Struct, frozen=True):
    firings: Firings
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
    asked = (start_at - look_back(rule), end_at)
    facts = around.facts.look_up(entities, with_areas=bool(rule.scope.areas))
    own = {e for e, one in zip(entities, facts, strict=True) if holds(rule.scope, e, one)}
    names = sorted(own)
    swept = _swept(rule, names, asked, around, is_cancelled)
    left = names if swept is None else swept.left
    count = 0 if swept is None else swept.rows
    engine = around.engine([rule])
    transitions: list[Transition] = []
    for rows in history_rows(rule, left, asked, around.history):
        if is_cancelled():
            break
        count += rows.num_rows
        transitions += engine.evaluate(rows, end_at).transitions
    transitions += engine.tick(end_at).transitions
    firings = firings_of(transitions, left)
    if swept is not None:
        firings = joined(swept.firings, firings) if left else swept.firings
    firings = firings.some(firings.end_us > us_of(start_at))
    return BackTest(firings, count, sum(firings.lengths_s(span)))


def _swept(
    rule: Rule,
    names: Sequence[str],
    span: tuple[datetime, datetime],
    around: Surroundings,
    is_cancelled: Callable[[], bool],
) -> Swept | None:
    """What is found without the engine; None: the rule or the history is not of that kind."""
    levels = levels_of(rule, DatedLimits(around.limits), around.vocabulary)
    if levels is None or not isinstance(around.history, Scans):
        return None
    return levels.sweep(names, span, around.history, is_cancelled)


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
