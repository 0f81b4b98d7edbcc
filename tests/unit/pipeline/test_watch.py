"""The follower of the log: from rows to alarms, with its cursor, over restarts."""

import asyncio
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from tests.rows import NOW, batch

from alarm_parts import OverLimit, context, limits, rules_of, transition
from dothi.alarms.settings import AlarmSettings
from dothi.alarms.taking import take
from dothi.model.alarm import AlarmState
from dothi.model.priority import Priority
from dothi.model.problem import StoreUnavailable
from dothi.model.transition import NOTHING, Evaluated, StoredState, Transition
from dothi.pipeline.watch import CONSUMER, Watch, WatchPorts
from dothi.ports.alarms import AlarmQuery
from dothi.ports.clock import SystemClock
from dothi.storage.relational.alarm_reader import RelationalAlarmReader
from dothi.storage.relational.alarms import RelationalAlarmLedger
from dothi.storage.relational.cursors import RelationalCursors
from hub import Hub, open_hub

SETTINGS = AlarmSettings(gather_s=0.0)


@dataclass
class States:
    """States of the rules, kept by the test as the store of the rules would."""

    kept: dict[str, StoredState] = field(default_factory=dict)
    failures: int = 0
    rules: int = 1

    def put(self, _connection: Connection, states: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("disk full")
        self.kept.update({state.entity: state for state in states})


@asynccontextmanager
async def watching(hub: Hub, states: States, evaluator: OverLimit | None = None) -> Any:
    judge = evaluator or OverLimit()

    def load() -> int:
        judge.load(list(states.kept.values()))
        return states.rules

    watch = Watch(
        WatchPorts(
            log=hub.log,
            cursors=RelationalCursors(hub.engine),
            rules=rules_of(judge, load),
            ledger=RelationalAlarmLedger(hub.engine, states.put),
            places=lambda _entities: {},
            clock=SystemClock(),
            limits=limits(),
        ),
        SETTINGS,
    )
    hub.intake.watch(watch.wake)
    await watch.start()
    try:
        yield watch
    finally:
        await watch.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_value_over_the_limit_is_an_alarm_within_a_second(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub, watching(hub, States()):
        reader = RelationalAlarmReader(hub.engine)
        await hub.intake.submit(batch(number=[2.0]))
        async with asyncio.timeout(1.0):
            await until(lambda: bool(reader.page(AlarmQuery())))
        [alarm] = reader.page(AlarmQuery())
        assert alarm.title == "Over"
        assert alarm.state is AlarmState.ACTIVE_UNACKNOWLEDGED


async def test_what_was_there_before_the_first_start_is_not_judged(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        await hub.intake.submit(batch(entity=["urn:old"], number=[2.0]))
        async with watching(hub, States()):
            await hub.intake.submit(batch(entity=["urn:new"], number=[2.0]))
            reader = RelationalAlarmReader(hub.engine)
            await until(lambda: bool(reader.page(AlarmQuery())))
            assert [a.place.entity for a in reader.page(AlarmQuery())] == ["urn:new"]


async def test_a_restart_goes_on_where_it_stood(tmp_path: Path) -> None:
    states = States()
    async with open_hub(tmp_path) as hub:
        reader = RelationalAlarmReader(hub.engine)
        async with watching(hub, states):
            await hub.intake.submit(batch(number=[2.0]))
            await until(lambda: bool(reader.page(AlarmQuery())))
        await hub.intake.submit(
            batch(number=[3.0, 0.5], observed_at=[NOW + timedelta(seconds=n) for n in (1, 2)])
        )
        async with watching(hub, states) as watch:
            await until(lambda: watch.position == hub.log.head())
            [alarm] = reader.page(AlarmQuery())
            assert alarm.state is AlarmState.RETURNED_UNACKNOWLEDGED
            assert alarm.activations == 1
        assert RelationalCursors(hub.engine).position(CONSUMER) == hub.log.head()


async def test_what_the_store_did_not_take_is_not_judged_twice(tmp_path: Path) -> None:
    states = States(failures=1)
    async with open_hub(tmp_path) as hub, watching(hub, states) as watch:
        reader = RelationalAlarmReader(hub.engine)
        await hub.intake.submit(batch(number=[2.0]))
        await until(lambda: bool(reader.page(AlarmQuery())))
        assert states.failures == 0
        [alarm] = reader.page(AlarmQuery())
        assert [e.kind for e in reader.record(alarm.id)] == ["raised"]
        assert watch.transitions == 1


class Timer(OverLimit):
    """Becomes active by a timer alone."""

    due_at: datetime | None = None

    def tick(self, now: datetime) -> Evaluated:
        at, self.due_at = self.due_at, None
        if at is None:
            return NOTHING
        text = "silent for 1 h"
        return Evaluated(
            [Transition("silent", 1, "urn:x", True, at, 0, Priority.LOW, text, "{}")], []
        )

    def next_due(self) -> datetime | None:
        return self.due_at


async def test_timers_of_the_rules_run_out_without_rows(tmp_path: Path) -> None:
    timer = Timer()
    timer.due_at = SystemClock().now() + timedelta(seconds=0.1)
    async with open_hub(tmp_path) as hub, watching(hub, States(), timer):
        reader = RelationalAlarmReader(hub.engine)
        await until(lambda: bool(reader.page(AlarmQuery())))
        assert reader.page(AlarmQuery())[0].text == "silent for 1 h"


async def test_without_rules_the_log_is_passed_over(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        async with watching(hub, States(rules=0)) as watch:
            await hub.intake.submit(batch(number=[2.0]))
            await until(lambda: watch.position == hub.log.head())
        assert RelationalAlarmReader(hub.engine).page(AlarmQuery()) == []


async def test_an_escalation_is_not_forgotten_over_a_restart(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub:
        ledger, reader = RelationalAlarmLedger(hub.engine), RelationalAlarmReader(hub.engine)
        with ledger.writing() as book:
            # Raised a day ago; nothing has run since.
            take(book, [transition()], context(SystemClock().now() - timedelta(days=1)))
        async with watching(hub, States()):
            await until(lambda: reader.page(AlarmQuery())[0].escalations == 1)
        assert [e.kind for e in reader.record(1)] == ["raised", "escalated"]


class Slow(OverLimit):
    """What it says takes a millisecond a row to store."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def evaluate(self, rows: Any, now: datetime) -> Evaluated:
        self.seen.append(rows.num_rows)
        return Evaluated([transition()], [StoredState("over", "urn:a", b"1")])

    def next_due(self) -> datetime | None:
        return NOW

    def tick(self, now: datetime) -> Evaluated:
        self.seen.append(0)
        return NOTHING


async def test_a_backlog_is_taken_in_small_pieces_before_timers_run_out(tmp_path: Path) -> None:
    evaluator = Slow()

    class SlowStates(States):
        def put(self, _connection: Connection, states: Any) -> None:
            time.sleep(evaluator.seen[-1] / 1000)

    async with open_hub(tmp_path) as hub:
        RelationalCursors(hub.engine).advance(CONSUMER, 0)
        count = 3_000
        at = [NOW - timedelta(seconds=count - n) for n in range(count)]
        await hub.intake.submit(
            batch(entity=["urn:a"] * count, observed_at=at, number=[0.0] * count)
        )
        async with watching(hub, SlowStates(), evaluator) as watch:
            await until(lambda: watch.position == hub.log.head() and 0 in evaluator.seen)
    judged = evaluator.seen[: evaluator.seen.index(0)]
    assert sum(judged) == count, "time passed before the values that had come were judged"
    assert judged[0] == 2_000
    assert max(judged[1:]) == 200, "others waited long for the store"


async def test_who_wants_to_know_is_told_of_changes_and_of_nothing_else(tmp_path: Path) -> None:
    async with open_hub(tmp_path) as hub, watching(hub, States()) as watch:
        reader = RelationalAlarmReader(hub.engine)
        told: list[int] = []
        watch.tell(lambda: told.append(reader.revision()))
        await hub.intake.submit(batch(number=[0.5]))
        await until(lambda: watch.position == hub.log.head())
        assert told == []
        at = NOW + timedelta(seconds=1)
        await hub.intake.submit(batch(number=[2.0], observed_at=[at]))
        await until(lambda: bool(told))
        assert told == [1], "when they can be read"


async def test_what_became_nobodys_alarm_is_stored_together_and_when_it_ends(
    tmp_path: Path,
) -> None:
    class Counting(OverLimit):
        def evaluate(self, rows: Any, now: datetime) -> Evaluated:
            states = [StoredState("over", f"urn:{seq}", b"1") for seq in rows["seq"].to_pylist()]
            return Evaluated((), states)

    states = States()
    async with open_hub(tmp_path) as hub:
        async with watching(hub, states, Counting()) as watch:
            watch._saved_s = time.monotonic() + 600
            for number in range(3):
                await hub.intake.submit(batch(number=[float(number)], entity=[f"urn:{number}"]))
                await until(lambda: watch.position == hub.log.head())
            assert states.kept == {}
            assert RelationalCursors(hub.engine).position(CONSUMER) == 0
        assert sorted(states.kept) == ["urn:1", "urn:2", "urn:3"]
        assert RelationalCursors(hub.engine).position(CONSUMER) == hub.log.head()
