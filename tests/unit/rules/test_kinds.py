"""What single kinds of condition and scopes mean, beyond the comparison with the reference."""

import json
from collections.abc import Sequence
from datetime import date

import pytest

from dothi.model.problem import Problem
from dothi.model.row import Change, Kind
from dothi.model.rule import DatedValue, LimitTable, Scope, Words
from dothi.model.rule_condition import (
    AnyOf,
    Compare,
    DatedLimit,
    Geofence,
    NoData,
    Range,
    Threshold,
)
from dothi.rules.approval import check_approval
from dothi.rules.engine import Engine
from dothi.rules.explanation import re_evaluate
from dothi.rules.reading import kinds, read_rules
from dothi.rules.scope import EntityFacts
from rule_rows import GAUGE, after, rows, rule, told

HIGH = Threshold(attribute="level", comparison=">=", limit=1.5)
SQUARE = ((106.0, 10.0), (107.0, 10.0), (107.0, 11.0), (106.0, 11.0))


class Facts:
    """Told ones."""

    def __init__(self, **areas: str) -> None:
        self.areas = areas
        self.asked = 0

    def look_up(self, entities: Sequence[str], *, with_areas: bool) -> list[EntityFacts]:
        self.asked += 1
        return [EntityFacts(("Thing",), (self.areas[e],)) for e in entities]


def place(s: float, lon: float, lat: float, seq: int = 1, entity: str = GAUGE) -> dict[str, object]:
    body = json.dumps({"type": "Point", "coordinates": [lon, lat]})
    return {
        "s": s, "attribute": "location", "number": None, "body": body, "seq": seq,
        "kind": int(Kind.GEO_PROPERTY), "entity": entity,
    }  # fmt: skip


def test_a_fence_is_left_and_entered() -> None:
    engine = Engine()
    engine.load([rule(Geofence(relation="outside", polygon=SQUARE))], ())
    run = engine.evaluate(
        rows(place(0, 106.5, 10.5), place(10, 108, 10.5, 2), place(20, 106.5, 10.5, 3)), after(20)
    )
    assert told(run.transitions) == [(True, 10), (False, 20)]
    assert all(re_evaluate(one.explanation).agrees for one in run.transitions if one.is_active)


def test_a_fence_may_be_an_area_and_one_that_is_unknown_decides_nothing() -> None:
    shape = json.dumps({"type": "Polygon", "coordinates": [[*map(list, SQUARE), [106.0, 10.0]]]})
    engine = Engine(area_shape={"ward:1": shape}.get)
    inside = rule(Geofence(area="ward:1"), id="inside")
    nowhere = rule(Geofence(area="ward:2", relation="outside"), id="nowhere")
    engine.load([inside, nowhere], ())
    run = engine.evaluate(rows(place(0, 106.5, 10.5)), after(0))
    assert [one.rule for one in run.transitions] == ["inside"]


def test_a_series_that_begins_with_its_deletion_has_no_value_to_name() -> None:
    silent_or_high = AnyOf(of=(NoData(attribute="flow", for_s=1.0), HIGH))
    engine = Engine()
    engine.load([rule(silent_or_high)], ())
    gone = {"attribute": "flow", "number": None, "change": int(Change.DELETE_ATTRIBUTE), "seq": 1}
    run = engine.evaluate(rows({"s": 0, **gone}, {"s": 1, "number": 2.0, "seq": 2}), after(1))
    [one] = run.transitions
    assert one.is_active
    explanation = json.loads(one.explanation)
    assert [len(term.get("inputs", ())) for term in explanation["terms"]] == [0, 1]
    assert re_evaluate(one.explanation).agrees


def test_a_forecast_is_compared_at_the_time_of_the_value() -> None:
    above = Compare(
        attribute="level", comparison=">", other="forecast", offset=0.2, within_s=3600,
        is_forecast=True,
    )  # fmt: skip
    engine = Engine()
    engine.load([rule(above)], ())
    forecasts = [
        {"s": at, "attribute": "forecast", "number": value, "seq": n, "committed_at": after(0)}
        for n, (at, value) in enumerate([(0, 1.0), (600, 1.5), (1200, 2.0)], 1)
    ]
    run = engine.evaluate(
        rows(*forecasts, *({"s": s, "number": 1.3, "seq": 10 + s} for s in (10, 650, 1300))),
        after(1300),
    )
    assert told(run.transitions) == [(True, 10), (False, 650)]
    assert all(re_evaluate(one.explanation).agrees for one in run.transitions if one.is_active)
    newer = {"s": 1200, "attribute": "forecast", "number": 0.5, "seq": 2000}
    assert told(engine.evaluate(rows(newer), after(1400)).transitions) == [(True, 1300)]


def levels(*values: tuple[str, float | None, date, date | None, str]) -> LimitTable:
    return LimitTable(
        name="levels",
        title=Words(vi="cấp"),
        values=tuple(
            DatedValue(
                entity=entity, level="II", value=value, valid_from=start, valid_to=end,
                source=f"decision of {start.year}", mark="verified",
            )
            for entity, value, start, end, in ((e, v, s, t) for e, v, s, t, _ in values)
        ),
    )  # fmt: skip


def test_the_limit_that_was_valid_on_the_day_of_the_observation_counts() -> None:
    table = levels(
        (GAUGE, 1.4, date(2010, 1, 1), date(2026, 11, 23), ""),
        (GAUGE, 1.5, date(2026, 11, 23), None, ""),
        ("other", 9.0, date(2010, 1, 1), None, ""),
        ("nothing", None, date(2010, 1, 1), None, ""),
    )
    engine = Engine(limits=[table])
    limit = DatedLimit(table="levels", level="II")
    engine.load([rule(Threshold(attribute="level", comparison=">=", limit=limit))], ())
    midnight_s = 17 * 3600.0  # T0 is midnight UTC; the day changes at 17:00 UTC in Vietnam
    run = engine.evaluate(
        rows(
            (0, 1.45), (midnight_s - 1, 1.45), (midnight_s, 1.45), (midnight_s + 60, 1.55),
            {"s": 0, "number": 5.0, "entity": "nothing", "seq": 8},
            {"s": 0, "number": 5.0, "entity": "other", "seq": 9},
            {"s": 0, "number": 5.0, "entity": "in no table", "seq": 10},
        ),
        after(0),
    )  # fmt: skip
    assert told(run.transitions) == [(True, 0), (False, midnight_s), (True, midnight_s + 60)]
    active = [json.loads(t.explanation) for t in run.transitions if t.is_active]
    sources = [told["terms"][0]["limit_source"]["source"] for told in active]
    assert sources == ["decision of 2010", "decision of 2026"]
    assert all(re_evaluate(one.explanation).agrees for one in run.transitions if one.is_active)
    assert "1,45 ≥ 1,4 (II)" in run.transitions[0].text
    assert "1,45 < 1,5 (II)" in run.transitions[1].text


def test_scopes_of_areas_follow_the_place() -> None:
    facts = Facts(**{GAUGE: "ward:1", "e2": "ward:2"})
    engine = Engine(facts)
    engine.load([rule(HIGH, scope=Scope(types=("Thing",), areas=("ward:1",)))], ())
    run = engine.evaluate(rows((0, 1.6), {"number": 1.6, "entity": "e2", "seq": 2}), after(0))
    assert [one.entity for one in run.transitions] == [GAUGE]
    facts.areas["e2"] = "ward:1"
    moved = rows(place(5, 106, 10, 3, "e2"), {"s": 6, "number": 1.7, "entity": "e2", "seq": 4})
    assert [one.entity for one in engine.evaluate(moved, after(6)).transitions] == ["e2"]
    engine.evaluate(rows({"s": 9, "number": 1.7, "seq": 9}), after(9))
    assert facts.asked == 2, "looked up once for each place"


def test_a_rule_of_some_sources_ignores_the_others() -> None:
    engine = Engine()
    engine.load([rule(HIGH, scope=Scope(sources=("trusted",)))], ())
    run = engine.evaluate(
        rows(
            {"s": 0, "number": 9.0, "source": "other"}, {"s": 1, "number": 1.6, "source": "trusted"}
        ),
        after(1),
    )
    assert told(run.transitions) == [(True, 1)]


def test_an_explicit_write_counts_whatever_its_time_and_history_alone_does_not() -> None:
    engine = Engine()
    engine.load([rule(HIGH)], ())
    assign = {"s": 5, "number": 1.0, "change": int(Change.ASSIGN), "seq": 3}
    record = {"s": 20, "number": 1.0, "change": int(Change.RECORD), "seq": 2}
    run = engine.evaluate(rows((10, 1.6), record, assign), after(20))
    assert [one.is_active for one in run.transitions] == [True, False]


def test_a_correction_replaces_the_value() -> None:
    engine = Engine()
    engine.load([rule(HIGH)], ())
    corrected = {"s": 10, "number": 1.2, "revision": 1, "seq": 2}
    run = engine.evaluate(rows((10, 1.6), corrected), after(10))
    assert told(run.transitions) == [(True, 10), (False, 10)]


def test_range_and_unit_of_the_ends() -> None:
    engine = Engine()
    inside = Range(attribute="level", low=1.0, high=2.0, is_inside=True)
    engine.load([rule(inside, id="in"), rule(Range(attribute="level", low=1.0, high=2.0))], ())
    run = engine.evaluate(rows((0, 1.0), (1, 2.0), (2, 2.01), (3, 0.99), (4, 1.5)), after(4))
    assert [(t.rule, *told([t])[0]) for t in run.transitions] == [
        ("in", True, 0), ("in", False, 2), ("r", True, 2), ("in", True, 4), ("r", False, 4),
    ]  # fmt: skip


GOOD = """
[[rule]]
id = "a"
name = { vi = "a" }
priority = 1
consequence = {}
response = {}
time_to_respond_s = 60
scope = { types = ["T"] }
condition = { kind = "threshold", attribute = "level", comparison = ">", limit = 1 }
"""


def test_files_are_read_strictly_and_errors_name_the_place() -> None:
    found, tables = read_rules(GOOD.encode(), "rules.toml")
    assert (found[0].id, tables) == ("a", [])
    assert found[0].condition == Threshold(attribute="level", comparison=">", limit=1.0)
    cases = {
        GOOD.replace("priority = 1", "priority = 7"): "rule 1 (a): Expected `int` <= 4",
        GOOD.replace("priority = 1", "priorty = 1"): "priorty",
        GOOD.replace('"threshold"', '"thresh"'): "did you mean 'threshold'?",
        GOOD + GOOD: "there twice: a",
        GOOD.replace('id = "a"', 'id = "A b"'): "$.id",
        "[[rule]\n": "rules.toml",
        GOOD + '[[limits]]\nname = "x"\n': "title",
    }
    for text, expected in cases.items():
        with pytest.raises(Problem) as caught:
            read_rules(text.encode(), "rules.toml")
        assert caught.value.code == "bad_rule"
        assert expected in caught.value.detail, caught.value.detail
    assert "threshold" in kinds() and len(kinds()) == 13


def test_the_author_does_not_approve_where_there_are_others() -> None:
    draft = rule(HIGH, approved_at=None, approved_by="")
    check_approval(draft, "lan", people=1)
    check_approval(draft, "minh", people=2)
    with pytest.raises(Problem, match="Somebody else"):
        check_approval(draft, "lan", people=2)
