"""Whatever rules, people and time do to alarms in whatever order, some things always hold."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from alarm_parts import NOW, context, transition
from dothi.alarms import actions
from dothi.alarms.actions import Seen
from dothi.alarms.changes import Why
from dothi.alarms.suppression import allows
from dothi.alarms.taking import pass_time, take
from dothi.model.alarm import Alarm, AlarmEntry, AlarmState, RuleFacts, Suppression
from dothi.model.notice import Notice
from dothi.model.problem import Problem
from thorough import examples

ENTITIES = ["urn:a", "urn:b"]


class MemoryBook:
    """ports.alarms.AlarmBook in memory."""

    def __init__(self) -> None:
        self.alarms: dict[int, Alarm] = {}
        self.entries: list[AlarmEntry] = []
        self.told: dict[str, Notice] = {}
        self.shelves: dict[int, Suppression] = {}

    def newest(self, conditions: Any) -> dict[str, Alarm]:
        return {a.condition: a for a in self.alarms.values() if a.condition in conditions}

    def get(self, ids: Any) -> dict[int, Alarm]:
        return {i: self.alarms[i] for i in ids if i in self.alarms}

    def open_matching(self, suppression: Suppression) -> list[Alarm]:
        return [a for a in self.alarms.values() if a.is_open and allows(suppression, a)]

    def open_at(self, entities: Any) -> list[Alarm]:
        return [a for a in self.alarms.values() if a.is_open and a.place.entity in entities]

    def to_escalate(self, now: Any) -> list[Alarm]:
        return [
            a
            for a in self.alarms.values()
            if a.escalate_at is not None and a.escalate_at <= now and not a.suppressed
        ]

    def suppressions(self) -> list[Suppression]:
        return [s for s in self.shelves.values() if s.ended_at is None]

    def next_id(self) -> int:
        self.last = getattr(self, "last", 0) + 1
        return self.last

    def put(self, alarms: Any, entries: Any) -> None:
        for alarm in alarms:
            before = self.alarms.get(alarm.id)
            if before is not None and not before.is_open:
                resumed = any(e.alarm == alarm.id and e.kind == "activated" for e in entries)
                assert not alarm.is_open or resumed, "a closed alarm was opened again"
            self.alarms[alarm.id] = alarm
        assert {e.alarm for e in entries} == {a.id for a in alarms}, "a change without an entry"
        self.entries += entries

    def put_suppression(self, suppression: Suppression, /) -> int:
        number = suppression.id or len(self.shelves) + 1
        self.shelves[number] = replace(suppression, id=number)
        return number

    def tell(self, notices: Any) -> None:
        self.told.update({notice.id: notice for notice in notices})

    def answered(self, alarms: Any, by: str, now: Any) -> None:
        pass

    def remember(self, states: Any) -> None:
        pass

    def move(self, consumer: str, seq: int) -> None:
        pass


@contextmanager
def refused_or_not() -> Iterator[None]:
    with suppress(Problem):
        yield


class Alarms(RuleBasedStateMachine):
    """One rule that latches and one that does not, at two entities."""

    def __init__(self) -> None:
        super().__init__()
        self.book = MemoryBook()
        self.now = NOW
        self.truth: dict[str, bool] = {}

    def context(self) -> Any:
        return context(self.now, facts=lambda rule, _v: RuleFacts(is_latching=rule == "latching"))

    @rule(
        name=st.sampled_from(["plain", "latching"]),
        entity=st.sampled_from(ENTITIES),
        is_active=st.booleans(),
        after_s=st.sampled_from([0.1, 0.5, 5.0, 30.0, 90.0]),
    )
    def happens(self, name: str, entity: str, is_active: bool, after_s: float) -> None:
        self.now += timedelta(seconds=after_s)
        at_s = (self.now - NOW).total_seconds()
        one = transition(is_active, at_s, rule=name, entity=entity)
        open_before = sum(a.is_open for a in self.book.alarms.values())
        count = len(self.book.alarms)
        take(self.book, [one], self.context())
        self.truth[one.condition] = is_active
        made = len(self.book.alarms) - count
        assert made <= 1
        if made:
            assert sum(a.is_open for a in self.book.alarms.values()) == open_before + 1

    @rule(number=st.integers(1, 12), lag=st.integers(0, 1))
    def acknowledge(self, number: int, lag: int) -> None:
        alarm = self.book.alarms.get(number)
        seen = Seen(number, max(0, (alarm.activations if alarm else 1) - lag))
        with refused_or_not():
            actions.acknowledge(self.book, [seen], Why("lan"), self.context())
            assert lag == 0, "acknowledged without having been seen"
            assert not self.book.alarms[number].needs_acknowledgement

    @rule(number=st.integers(1, 12))
    def reset(self, number: int) -> None:
        with refused_or_not():
            actions.reset(self.book, number, Why("lan"), self.context())

    @rule(number=st.integers(1, 12), minutes=st.sampled_from([5, 15, 60, 600]))
    def shelve(self, number: int, minutes: int) -> None:
        end = self.now + timedelta(hours=8)
        until_at = self.now + timedelta(minutes=minutes)
        with refused_or_not():
            actions.shelve(self.book, number, until_at, Why("lan", "noise"), self.context(), end)

    @rule(number=st.integers(1, 12))
    def unshelve(self, number: int) -> None:
        with refused_or_not():
            actions.unshelve(self.book, number, Why("lan", "quiet"), self.context())

    @rule(minutes=st.integers(1, 40))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        pass_time(self.book, self.context())

    @invariant()
    def one_open_alarm_per_condition(self) -> None:
        conditions = [a.condition for a in self.book.alarms.values() if a.is_open]
        assert len(conditions) == len(set(conditions))

    @invariant()
    def what_is_true_is_an_active_alarm(self) -> None:
        newest = self.book.newest(self.truth)
        for condition, is_active in self.truth.items():
            alarm = newest.get(condition)
            assert (alarm is not None and alarm.is_active) == is_active

    @invariant()
    def what_is_closed_was_known(self) -> None:
        for alarm in self.book.alarms.values():
            if alarm.state is AlarmState.NORMAL:
                assert alarm.acknowledged_by
                assert alarm.closed_at is not None
                assert alarm.escalate_at is None

    @invariant()
    def what_nobody_knows_of_has_no_time_of_acknowledgement(self) -> None:
        """Lists are sorted by it."""
        for alarm in self.book.alarms.values():
            assert alarm.needs_acknowledgement is (alarm.acknowledged_at is None)

    @invariant()
    def shelves_end(self) -> None:
        assert all(s.until_at is not None for s in self.book.shelves.values())

    @invariant()
    def what_waits_was_told_or_is_kept_back(self) -> None:
        for alarm in self.book.alarms.values():
            if alarm.needs_acknowledgement and alarm.is_active and not alarm.suppressed:
                told = f"alarm:{alarm.id}:raised:"
                assert alarm.is_chattering or any(key.startswith(told) for key in self.book.told)


TestAlarms = Alarms.TestCase
TestAlarms.settings = settings(max_examples=examples(60), stateful_step_count=30, deadline=None)
