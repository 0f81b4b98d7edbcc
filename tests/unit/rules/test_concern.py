"""Rows of entities that no rule holds at are passed over, until one does."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from dothi.model.row import Change
from dothi.model.rule import Scope
from dothi.model.rule_condition import Threshold
from dothi.rules.engine import Engine
from dothi.rules.scope import EntityFacts
from dothi.rules.works import Works
from rule_rows import GAUGE, after, rows, rule, told

OVER = Threshold(attribute="level", comparison=">", limit=1.0)
HEAD = {"attribute": "", "number": None, "change": int(Change.UPSERT_ENTITY)}


class Facts:
    def __init__(self) -> None:
        self.known = EntityFacts(("Elsewhere",), ())

    def look_up(self, entities: Sequence[str], *, with_areas: bool) -> list[EntityFacts]:
        return [self.known] * len(entities)


def _numbered(table: pa.Table, first: int) -> pa.Table:
    seq = pa.array(range(first, first + table.num_rows), pa.int64())
    return table.set_column(table.schema.get_field_index("seq"), table.schema.field("seq"), seq)


def _row(s: float, **given: Any) -> dict[str, Any]:
    return {"s": s, "number": 2.0, **given}


@pytest.mark.parametrize(
    ("scope", "fact", "news"),
    [
        (Scope(types=("WaterObserved",)), EntityFacts(("WaterObserved",)), HEAD),
        (Scope(areas=("hcm",)), EntityFacts(("Elsewhere",), ("hcm",)), {"attribute": "location"}),
    ],
)
def test_who_moves_into_the_scope_of_a_rule_is_judged_from_then_on(
    scope: Scope, fact: EntityFacts, news: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, looked = Facts(), []
    run = Works.run
    monkeypatch.setattr(Works, "run", lambda *args: looked.append(1) or run(*args))
    engine = Engine(facts)
    engine.load([rule(OVER, scope=scope)], ())
    for seq in range(1, 4):
        found = engine.evaluate(_numbered(rows(_row(seq)), seq), after(seq))
        assert not found.transitions
    assert len(looked) == 1, "at the first row nobody knew"
    facts.known = fact
    found = engine.evaluate(_numbered(rows(_row(4, **news), _row(5)), 4), after(5))
    assert told(found.transitions) == [(True, 5.0)]


def test_beside_those_who_concern_nobody_the_others_are_judged() -> None:
    engine = Engine()
    engine.load([rule(OVER)], ())
    other = {"entity": "urn:other", "entity_type": "Elsewhere"}
    engine.evaluate(rows(_row(1, **other)), after(1))
    found = engine.evaluate(_numbered(rows(_row(2, **other), _row(3)), 2), after(3))
    assert [one.entity for one in found.transitions] == [GAUGE]
    new = {"entity": "urn:new", "entity_type": "WaterObserved"}
    found = engine.evaluate(_numbered(rows(_row(4, **other), _row(5, **new)), 4), after(5))
    assert [one.entity for one in found.transitions] == ["urn:new"]
