"""The engine on columns says what the plain reference says, however the rows are cut into runs and
wherever it is restarted."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dothi.model.moments import at_of, us_of
from dothi.model.row import LOG_SCHEMA, Change
from dothi.model.rule import Rule, Scope, Words
from dothi.model.rule_condition import (
    AllOf,
    AnyOf,
    AtLeast,
    Compare,
    Flagged,
    NoData,
    Not,
    Range,
    Rate,
    Stuck,
    Threshold,
    Where,
    Window,
)
from dothi.model.transition import StoredState, Transition
from dothi.rules.engine import Engine
from dothi.rules.explanation import re_evaluate
from rules_reference import Row, run
from thorough import examples

BEGIN_US = us_of(datetime(2026, 11, 22, tzinfo=UTC))
NOW = datetime(2026, 12, 1, tzinfo=UTC)

comparisons = st.sampled_from([">", ">=", "<", "<="])
numbers = st.integers(-4, 4).map(float)
bands = st.sampled_from([0.0, 0.0, 1.0, 2.0])
names = st.sampled_from(["a", "b"])
lengths = st.sampled_from([1.0, 3.0, 5.0, 10.0])


@st.composite
def leaves(draw: st.DrawFn) -> Any:
    name = draw(names)
    kind = draw(
        st.sampled_from(["limit"] * 4 + ["range", "rate", "no", "stuck", "win", "cmp", "q"])
    )
    plain = {"attribute": name}
    limit = {"comparison": draw(comparisons), "limit": draw(numbers), "deadband": draw(bands)}
    if kind == "range":
        low = draw(numbers)
        inside = draw(st.booleans())
        return Range(
            **plain, low=low, high=low + draw(st.integers(0, 3)), is_inside=inside,
            deadband=draw(bands),
        )  # fmt: skip
    if kind == "rate":
        return Rate(**plain, **limit, over_s=draw(lengths), per_s=1.0)
    if kind == "no":
        return NoData(**plain, for_s=draw(lengths))
    if kind == "stuck":
        return Stuck(**plain, for_s=draw(lengths), tolerance=draw(bands), min_count=2)
    if kind == "win":
        function = draw(st.sampled_from(["count", "sum", "mean", "min", "max"]))
        where = None
        if function == "count" and draw(st.booleans()):
            where = Where(comparison=draw(comparisons), limit=draw(numbers))
        return Window(
            **plain, **limit, function=function, over_s=draw(lengths), where=where,
            min_count=draw(st.integers(1, 3)),
        )  # fmt: skip
    if kind == "cmp":
        other = "b" if name == "a" else "a"
        within = draw(st.sampled_from([None, 2.0]))
        return Compare(
            **plain, comparison=limit["comparison"], other=other, factor=2.0, offset=1.0,
            within_s=within, deadband=limit["deadband"],
        )  # fmt: skip
    if kind == "q":
        return Flagged(**plain, flags=("bad", "missing"))
    return Threshold(**plain, **limit)


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        parts.map(lambda p: AllOf(of=p)),
        parts.map(lambda p: AnyOf(of=p)),
        parts.map(lambda p: AtLeast(of=p, count=min(2, len(p)))),
        inner.map(lambda p: Not(of=p)),
    )


conditions = st.recursive(leaves(), _deeper, max_leaves=4)
delays = st.sampled_from([0.0, 0.0, 2.0, 5.0])


@st.composite
def rule_lists(draw: st.DrawFn) -> list[Rule]:
    return [
        rule(n, draw(conditions), on=draw(delays), off=draw(delays), ids=draw(_SCOPES))
        for n in range(draw(st.integers(1, 4)))
    ]


_SCOPES = st.sampled_from([(), (), ("e1",), ("e1", "e2")])


def rule(
    n: int, condition: Any, on: float = 0.0, off: float = 0.0, ids: tuple[str, ...] = ()
) -> Rule:
    return Rule(
        id=f"r{n}", name=Words(vi=f"Luật {n}"), scope=Scope(ids=ids), condition=condition,
        priority=2, consequence=Words(), response=Words(), time_to_respond_s=600, on_delay_s=on,
        off_delay_s=off, author="a", approved_by="b",
    )  # fmt: skip


@st.composite
def row_lists(draw: st.DrawFn) -> list[Row]:
    """Mostly in the order of time, with late ones, corrections, deletions and bad quality."""
    rows, clock = [], 0
    for seq in range(1, draw(st.integers(1, 30)) + 1):
        clock += draw(st.sampled_from([0, 1, 1, 1, 2, 4, 12]))
        back = draw(st.sampled_from([0] * 6 + [1, 2, 6]))
        quality = draw(st.sampled_from([1] * 8 + [4, 3, 9, 5]))
        number = draw(st.one_of(numbers, numbers, numbers, st.none()))
        gone = back == 0 and draw(st.sampled_from([False] * 15 + [True]))
        rows.append(
            Row(
                draw(st.sampled_from(["e1", "e1", "e2", "e3"])), draw(names),
                BEGIN_US + (clock - back) * 1_000_000, number, quality, seq, gone,
                BEGIN_US + clock * 1_000_000,
            )
        )  # fmt: skip
    return rows


def table(rows: Sequence[Row]) -> pa.Table:
    """LOG_SCHEMA rows."""
    return pa.Table.from_pylist(
        [
            {
                "lane": 0, "seq": r.seq, "source": "s", "entity": r.entity, "entity_type": "T",
                "attribute": r.attribute, "dataset": "", "observed_at": at_of(r.us),
                "number": r.number, "quality": r.quality, "kind": 1,
                "change": int(Change.DELETE_ATTRIBUTE if r.gone else Change.UPSERT),
                "batch": "b", "committed_at": at_of(r.seen), "revision": 0,
            }
            for r in rows
        ],
        LOG_SCHEMA,
    )  # fmt: skip


def told(transitions: Sequence[Transition]) -> dict[tuple[str, str], list[tuple[bool, int]]]:
    found: dict[tuple[str, str], list[tuple[bool, int]]] = {}
    for one in transitions:
        found.setdefault((one.rule, one.entity), []).append((one.is_active, us_of(one.at)))
    return found


def shown(rules: list[Rule], rows: list[Row]) -> str:
    lines = [f"{r.id} {r.scope.ids} {r.condition} {r.on_delay_s} {r.off_delay_s}" for r in rules]
    lines += [
        f"{r.seq} {r.entity} {r.attribute} +{(r.us - BEGIN_US) // 1_000_000} {r.number} "
        f"q{r.quality}{' gone' if r.gone else ''}"
        for r in rows
    ]
    return "\n".join(lines)


def run_engine(
    rules: list[Rule], rows: list[Row], cuts: Sequence[int] = (), restarts: Sequence[int] = ()
) -> list[Transition]:
    engine = Engine()
    engine.load(rules, ())
    states: dict[tuple[str, str], StoredState] = {}
    found: list[Transition] = []
    edges = sorted({0, len(rows), *(c % (len(rows) + 1) for c in (*cuts, *restarts))})
    again = {r % (len(rows) + 1) for r in restarts}
    for start, end in pairwise(edges):
        if start in again:
            engine = Engine()
            engine.load(rules, states.values())
        result = engine.evaluate(table(rows[start:end]), NOW)
        found += result.transitions
        states.update({(s.rule, s.entity): s for s in result.states})
    return found


@settings(max_examples=examples(150))
@given(rule_lists(), row_lists())
def test_one_run_says_what_the_reference_says(rules: list[Rule], rows: list[Row]) -> None:
    transitions = run_engine(rules, rows)
    assert told(transitions) == run(rules, rows), shown(rules, rows)
    for one in transitions:
        assert bool(one.explanation) is one.is_active
        if one.is_active:
            checked = re_evaluate(one.explanation)
            assert checked.agrees, (one.explanation, checked)


@settings(max_examples=examples(150))
@given(
    rule_lists(), row_lists(), st.lists(st.integers(0, 40), max_size=6),
    st.lists(st.integers(0, 40), max_size=3),
)  # fmt: skip
def test_cuts_and_restarts_change_nothing(
    rules: list[Rule], rows: list[Row], cuts: list[int], restarts: list[int]
) -> None:
    whole = run_engine(rules, rows)
    parts = run_engine(rules, rows, cuts, restarts)
    assert told(parts) == told(whole), shown(rules, rows)
    assert {t.explanation for t in parts} == {t.explanation for t in whole}
