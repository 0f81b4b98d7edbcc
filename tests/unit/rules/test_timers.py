"""What the passing of time alone means: delays, silence, jumps of the clock, restarts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from dothi.model.moments import us_of
from dothi.model.row import Change
from dothi.model.rule import Scope
from dothi.model.rule_condition import AllOf, NoData, Not, Threshold, Window
from dothi.model.transition import Evaluated, StoredState
from dothi.rules.engine import Engine
from dothi.rules.explanation import re_evaluate
from rule_rows import GAUGE, after, rows, rule, told

HIGH = Threshold(attribute="level", comparison=">=", limit=1.5)


def engine_of(*rules: object, states: Sequence[StoredState] = (), **options: object) -> Engine:
    engine = Engine(**options)  # type: ignore[arg-type]
    engine.load(rules, states)  # type: ignore[arg-type]
    return engine


def kept(*results: Evaluated) -> list[StoredState]:
    found = {(s.rule, s.entity): s for result in results for s in result.states}
    return list(found.values())


def test_an_on_delay_runs_out_without_further_rows() -> None:
    engine = engine_of(rule(HIGH, on_delay_s=60))
    assert engine.next_due() is None
    assert engine.evaluate(rows((0, 1.6)), after(0)).transitions == ()
    assert engine.next_due() == after(60)
    assert engine.tick(after(59)).transitions == ()
    (fired,) = engine.tick(after(75)).transitions
    assert told([fired]) == [(True, 60)], "when the delay ran out, not when somebody looked"
    assert fired.seq == 1
    assert re_evaluate(fired.explanation).agrees
    assert engine.next_due() is None


def test_a_false_value_or_a_bad_one_stops_the_delay() -> None:
    for stop in ({"s": 30, "number": 1.4}, {"s": 30, "number": 1.7, "quality": 4}):
        engine = engine_of(rule(HIGH, on_delay_s=60))
        engine.evaluate(rows((0, 1.6), stop), after(30))
        assert engine.tick(after(500)).transitions == ()


def test_an_off_delay_holds_the_alarm_through_a_dip() -> None:
    engine = engine_of(rule(HIGH, off_delay_s=60))
    run = engine.evaluate(rows((0, 1.6), (10, 1.4), (40, 1.6), (50, 1.4)), after(50))
    assert told(run.transitions) == [(True, 0)]
    assert told(engine.tick(after(109)).transitions) == []
    assert told(engine.tick(after(110)).transitions) == [(False, 110)]


def test_delays_survive_a_restart() -> None:
    first = engine_of(rule(HIGH, on_delay_s=60))
    states = kept(first.evaluate(rows((0, 1.6)), after(0)))
    again = engine_of(rule(HIGH, on_delay_s=60), states=states)
    assert again.next_due() == after(60)
    late = again.tick(after(3600))
    assert told(late.transitions) == [(True, 60)]
    third = engine_of(rule(HIGH, on_delay_s=60), states=kept(*[Evaluated((), states), late]))
    assert told(third.tick(after(7200)).transitions) == []
    assert told(third.evaluate(rows((7300, 1.0)), after(7300)).transitions) == [(False, 7300)]


class Clock:
    """A clock that can be set, and time that only passes."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.jump_s = 0.0

    def monotonic(self) -> float:
        return self.passed_s

    def now(self) -> datetime:
        return after(self.passed_s + self.jump_s)


def test_jumps_of_the_clock_fire_nothing_early_and_lose_nothing() -> None:
    for jump_s in (3600.0, -3600.0):
        clock = Clock()
        engine = engine_of(
            rule(HIGH, id="delay", on_delay_s=60),
            rule(NoData(attribute="level", for_s=100), id="silence"),
            monotonic=clock.monotonic,
        )
        engine.evaluate(rows((0, 1.6)), clock.now())
        clock.passed_s, clock.jump_s = 5, jump_s
        assert engine.tick(clock.now()).transitions == ()
        due = engine.next_due()
        assert due is not None
        assert due - clock.now() == timedelta(seconds=55), "by the clock as it is now"
        clock.passed_s = 61
        assert [t.rule for t in engine.tick(clock.now()).transitions] == ["delay"]
        clock.passed_s = 101
        assert [t.rule for t in engine.tick(clock.now()).transitions] == ["silence"]


def test_silence_is_noticed_and_ends_with_the_next_row() -> None:
    engine = engine_of(rule(NoData(attribute="level", for_s=100)))
    engine.evaluate(rows((0, 1.0), (50, 1.0)), after(50))
    assert engine.next_due() == after(150)
    assert told(engine.tick(after(200)).transitions) == [(True, 150)]
    assert engine.tick(after(300)).transitions == ()
    assert engine.next_due() is None
    none = {"s": 305, "number": None, "quality": 9, "seq": 7}
    assert engine.evaluate(rows(none), after(305)).transitions == (), "flagged as missing"
    late = {"s": 20, "number": None, "quality": 4, "seq": 8, "committed_at": after(310)}
    back = engine.evaluate(rows(late), after(310))
    assert told(back.transitions) == [(False, 310)], "late and bad, but a sign of life"


def test_a_gap_that_nobody_watched_is_told_afterwards() -> None:
    engine = engine_of(rule(NoData(attribute="level", for_s=100)))
    run = engine.evaluate(rows((0, 1.0), (400, 1.0)), after(400))
    assert told(run.transitions) == [(True, 100), (False, 400)]


def test_an_entity_that_never_sent_is_missed_from_the_approval_on() -> None:
    engine = engine_of(rule(NoData(attribute="level", for_s=100), scope=Scope(ids=("e1",))))
    assert engine.next_due() == after(100)
    (fired,) = engine.tick(after(100)).transitions
    assert (fired.entity, fired.is_active) == ("e1", True)
    assert re_evaluate(fired.explanation).agrees


def test_a_device_whose_clock_runs_ahead_is_missed_all_the_same() -> None:
    engine = engine_of(rule(NoData(attribute="level", for_s=100)))
    engine.evaluate(rows({"s": 9000, "number": 1.0, "committed_at": after(0)}), after(0))
    assert told(engine.tick(after(100)).transitions) == [(True, 100)]


def test_a_window_that_runs_empty_ends_what_it_had_raised() -> None:
    many = Window(attribute="level", function="count", over_s=60, comparison=">=", limit=3)
    engine = engine_of(rule(many))
    run = engine.evaluate(rows((0, 1.0), (10, 1.0), (20, 1.0)), after(20))
    assert told(run.transitions) == [(True, 20)]
    assert engine.next_due() == after(80)
    assert told(engine.tick(after(80)).transitions) == [(False, 80)]
    assert engine.next_due() is None


def test_a_deleted_entity_ends_its_alarms_and_is_not_missed() -> None:
    engine = engine_of(rule(HIGH), rule(NoData(attribute="level", for_s=100), id="silence"))
    gone = {"s": 10, "change": int(Change.DELETE_ENTITY), "attribute": "", "seq": 2}
    run = engine.evaluate(rows((0, 1.6), gone), after(10))
    assert told(run.transitions) == [(True, 0), (False, 10)]
    assert engine.tick(after(5000)).transitions == ()
    back = engine.evaluate(rows({"s": 6000, "number": 1.7, "seq": 3}), after(6000))
    assert told(back.transitions) == [(True, 6000)]


def test_a_rule_that_is_no_longer_in_force_ends_its_alarms() -> None:
    first = engine_of(rule(HIGH))
    states = kept(first.evaluate(rows((0, 1.6)), after(0)))
    for others in ([], [rule(HIGH, version=2, scope=Scope(ids=("other",)))]):
        engine = engine_of(*others, states=states)
        assert engine.next_due() is not None
        ended = engine.tick(after(10))
        (one,) = ended.transitions
        assert (one.rule, one.entity, one.is_active) == ("r", GAUGE, False)
        assert one.explanation == ""
        assert StoredState("r", GAUGE, b"") in ended.states
        assert engine.tick(after(20)).transitions == ()


def test_a_new_version_is_held_against_the_next_value() -> None:
    first = engine_of(rule(HIGH))
    states = kept(first.evaluate(rows((0, 1.6)), after(0)))
    stricter = Threshold(attribute="level", comparison=">=", limit=1.7)
    engine = engine_of(rule(stricter, version=2), states=states)
    run = engine.evaluate(rows({"s": 10, "number": 1.65, "seq": 9}), after(10))
    assert told(run.transitions) == [(False, 10)]
    other = engine_of(rule(HIGH), rule(Not(of=stricter), id="new"), states=states)
    run = other.evaluate(rows({"s": 10, "number": 1.65, "seq": 9}), after(10))
    assert [(t.rule, t.is_active) for t in run.transitions] == [("new", True)]


def test_silence_of_one_and_height_of_the_other() -> None:
    both = AllOf(of=(NoData(attribute="rain", for_s=100), HIGH))
    engine = engine_of(rule(both))
    engine.evaluate(rows({"s": 0, "attribute": "rain", "number": 0.0}), after(0))
    engine.evaluate(rows({"s": 50, "number": 1.6, "seq": 2}), after(50))
    (fired,) = engine.tick(after(101)).transitions
    assert told([fired]) == [(True, 100)]
    assert re_evaluate(fired.explanation).agrees


def test_what_an_earlier_version_left_pending_is_told_in_its_words() -> None:
    due_us = us_of(after(60))
    left = [1, [0], False, us_of(after(0)), due_us, 7, '{"rule": "r"}', "cao", "high"]
    state = StoredState("r", GAUGE, msgspec.msgpack.encode(left))
    engine = engine_of(rule(HIGH, on_delay_s=60), states=[state])
    (fired,) = engine.tick(after(61)).transitions
    assert (fired.text, fired.text_en, fired.seq) == ("cao", "high", 7)
    assert (fired.explanation, fired.at) == ('{"rule": "r"}', after(60))
