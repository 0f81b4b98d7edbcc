"""Time limits of procedures when somebody sets the clock, while dothi runs and while it stands."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from dothi.model.problem import StoreUnavailable
from dothi.storage.relational.incidents import RelationalIncidents
from incident_ports import Desk, open_desk
from tests.contract.conftest import Opener
from tests.contract.test_incidents import LOOK, act_on_look, answered, noticed, with_small


@pytest.mark.parametrize("hours", [3, -3])
def test_a_clock_that_is_set_makes_no_step_overdue_early_or_late(
    reopen: Opener, hours: float
) -> None:
    engine = reopen().engine
    made = with_small(engine)
    number = made.centre.open(LOOK, [], "small", "lan").incident.id
    made.clock.pass_(minutes=10)
    made.clock.set_(hours=hours)
    assert made.centre.escalate() == 0
    record = made.centre.get(number)
    assert record.runs[0].steps[0].due_at == made.clock.now() + timedelta(minutes=5)
    assert record.entries[-1].details["event"] == "clock_set"
    assert made.centre.escalate() == 0
    assert len(made.centre.get(number).entries) == len(record.entries), "told once"
    made.clock.pass_(minutes=4)
    assert made.centre.escalate() == 0
    made.clock.pass_(minutes=1)
    assert made.centre.escalate() == 1
    assert noticed(engine).count("step.overdue") == 1


def test_pauses_and_days_over_a_clock_that_is_set(reopen: Opener) -> None:
    made = with_small(reopen().engine)
    number = made.centre.open(LOOK, [], "small", "lan").incident.id
    act = partial(act_on_look, made, number)
    made.clock.pass_(minutes=10)
    act("pause", "dark")
    made.clock.set_(hours=-5)
    made.clock.pass_(hours=1)
    due = act("resume").runs[0].steps[0].due_at
    assert due == made.clock.now() + timedelta(minutes=5)
    record = answered(made, made.centre.get(number), "look", depth=0.5)
    tell = record.runs[0].step("tell")
    made.clock.set_(hours=3)
    opened = made.centre.open(LOOK, [], "small", "lan")  # the first to act after the jump
    new, old = (made.centre.get(n).runs[0] for n in (opened.incident.id, number))
    assert new.steps[0].due_at == made.clock.now() + timedelta(minutes=15)
    assert old.step("tell") == tell, "days end by the calendar"


def test_a_clock_that_is_set_while_the_store_fails_is_made_up_for_once(
    reopen: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = with_small(reopen().engine)
    numbers = [made.centre.open(LOOK, [], "small", "lan").incident.id for _ in range(3)]
    made.clock.set_(hours=3)
    with monkeypatch.context() as patch:
        patch.setattr(RelationalIncidents, "change", fails_from_the_second(RelationalIncidents))
        with pytest.raises(StoreUnavailable):
            made.centre.escalate()
    assert made.centre.escalate() == 0
    due = {made.centre.get(number).runs[0].steps[0].due_at for number in numbers}
    assert due == {made.clock.now() + timedelta(minutes=15)}


@pytest.mark.parametrize("hours", [3, -3])
def test_a_clock_that_is_set_while_dothi_stands_moves_limits_along(
    reopen: Opener, hours: float
) -> None:
    made = with_small(reopen().engine)
    number = made.centre.open(LOOK, [], "small", "lan").incident.id
    made.clock.pass_(minutes=2)
    made.centre.escalate()
    made.clock.pass_(minutes=3)  # of these the first minutes stood in no mark
    made.clock.set_(hours=hours)
    made.clock.pass_(minutes=5)
    again = open_desk(reopen().engine, made.clock)
    assert again.centre.escalate() == 0
    assert left(again, number) == timedelta(minutes=5), "what passed meanwhile has passed"
    once_more = open_desk(reopen().engine, made.clock)
    assert once_more.centre.escalate() == 0
    assert left(once_more, number) == timedelta(minutes=5), "moved once"
    made.clock.pass_(minutes=5)
    assert once_more.centre.escalate() == 1


def test_a_crash_between_two_incidents_moves_neither_twice(
    reopen: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = with_small(reopen().engine)
    numbers = [made.centre.open(LOOK, [], "small", "lan").incident.id for _ in range(3)]
    made.clock.set_(hours=3)
    with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):
        patch.setattr(RelationalIncidents, "change", fails_from_the_second(RelationalIncidents))
        made.centre.escalate()
    made.clock.set_(hours=1)
    again = open_desk(reopen().engine, made.clock)
    assert again.centre.escalate() == 0
    assert {left(again, number) for number in numbers} == {timedelta(minutes=15)}


def test_after_a_start_of_the_machine_a_clock_that_shows_less_was_set_back(reopen: Opener) -> None:
    made = with_small(reopen().engine)
    number = made.centre.open(LOOK, [], "small", "lan").incident.id
    made.clock.start_machine()
    made.clock.set_(days=-9000)  # its battery is empty
    again = open_desk(reopen().engine, made.clock)
    again.clock.pass_(minutes=5)
    assert again.centre.escalate() == 0
    assert left(again, number) == timedelta(minutes=15)
    again.clock.set_(days=9000, hours=1)  # the network says what time it is
    assert again.centre.escalate() == 0
    assert left(again, number) == timedelta(minutes=15)


def test_how_long_the_machine_stood_counts(reopen: Opener) -> None:
    made = with_small(reopen().engine)
    made.centre.open(LOOK, [], "small", "lan")
    made.clock.pass_(minutes=20)
    made.clock.start_machine()
    assert open_desk(reopen().engine, made.clock).centre.escalate() == 1


def left(made: Desk, number: int) -> timedelta:
    """Of the time limit of the first step."""
    due_at = made.centre.get(number).runs[0].steps[0].due_at
    assert due_at is not None
    return due_at - made.clock.now()


def fails_from_the_second(store: Any) -> Any:
    whole, calls = store.change, []

    def change(*args: Any) -> Any:
        calls.append(args)
        if len(calls) > 1:
            raise StoreUnavailable("full")
        return whole(*args)

    return change
