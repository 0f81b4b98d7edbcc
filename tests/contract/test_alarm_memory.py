"""A ledger that remembers the latest alarms stores what one does that reads them each time."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine, text

from alarm_parts import NOW, context, transition
from databases import lay_database
from dothi.alarms import actions
from dothi.alarms.actions import Seen
from dothi.alarms.changes import Why
from dothi.alarms.taking import take
from dothi.model.problem import Problem
from dothi.model.transition import Transition
from dothi.storage.relational import alarm_memory
from dothi.storage.relational.alarms import RelationalAlarmLedger
from dothi.storage.relational.engine import open_sqlite
from thorough import examples

_TABLES = (
    "SELECT * FROM alarm ORDER BY id",
    "SELECT * FROM alarm_entry ORDER BY id",
    "SELECT rowid FROM alarm_words WHERE alarm_words MATCH '\"m >\"' ORDER BY rowid",
    "SELECT uri, kind, subject, parameters FROM notice ORDER BY id",
)
Do = Callable[[RelationalAlarmLedger, int], None]


class PowerCutError(Exception):
    pass


def _take(changes: list[tuple[str, str, bool]], *, is_cut: bool) -> Do:
    def do(ledger: RelationalAlarmLedger, at: int) -> None:
        made: list[Transition] = []
        for n, (rule, entity, is_active) in enumerate(changes):
            one = transition(is_active, at * 10.0 + n * 2, rule=rule, entity=entity, seq=at)
            made.append(replace(one, text=f"{at} m > 1"))
        try:
            with ledger.writing() as book:
                take(book, made, context(NOW))
                if is_cut:
                    raise PowerCutError
        except PowerCutError:
            pass

    return do


def _act(name: str, alarm: int) -> Do:
    def do(ledger: RelationalAlarmLedger, at: int) -> None:
        why = Why("lan", f"{name} {at}")
        try:
            with ledger.writing() as book:
                if name == "acknowledge":
                    [one] = book.get([alarm]).values()
                    seen = Seen(alarm, one.activations)
                    actions.acknowledge(book, [seen], why, context(NOW))
                else:
                    actions.comment(book, alarm, why, context(NOW))
        except (Problem, ValueError):
            pass  # there is none, or it wants none

    return do


_changes = st.lists(
    st.tuples(st.just("a"), st.sampled_from(["urn:x", "urn:x", "urn:y"]), st.booleans()),
    min_size=1,
    max_size=4,
)
_steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.one_of(
            st.builds(lambda c, cut: _take(c, is_cut=cut), _changes, st.sampled_from([0, 0, 1])),
            st.builds(_act, st.sampled_from(["acknowledge", "comment"]), st.integers(1, 2)),
        ),
    ),
    min_size=8,
    max_size=20,
)


def _found(engine: Engine) -> list[list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return [[tuple(r) for r in connection.execute(text(query))] for query in _TABLES]


@pytest.mark.parametrize("most", [20_000, 1])
@settings(max_examples=examples(15), deadline=None)
@given(_steps)
def test_what_is_remembered_is_what_is_stored(most: int, steps: list[tuple[int, Do]]) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(alarm_memory, "_MOST", most)
        paths = [Path(folder) / name for name in ("remembering.db", "reading.db")]
        left, right = (open_sqlite(lay_database(path)) for path in paths)
        two = [RelationalAlarmLedger(left) for _ in range(2)]
        for at, (who, do) in enumerate(steps):
            do(two[who], at)
            do(RelationalAlarmLedger(right), at)
        assert _found(left) == _found(right)
        left.dispose()
        right.dispose()
